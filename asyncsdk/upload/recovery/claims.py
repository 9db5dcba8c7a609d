"""Which phones in a group are certainly those of another upload of the same client.

A reconcile takes what is in the group and belongs to nobody else. What other uploads of its client
were answered with is noted for it, from the moment at which it knows what the group held before.
Uploads of other processes are not seen here.
"""

from __future__ import annotations

from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition
from asyncsdk.results import Outcome
from asyncsdk.upload.flights import Stage
from asyncsdk.wire.batch import decode_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.flights import Flights

__all__ = ["Claim", "Claims"]

_ON_ITS_WAY = frozenset({Stage.UNDER_WAY, Stage.LANDED})


class Claims:
    """The uploads of a client that run, by their groups: thousands perhaps, of one phone each."""

    def __init__(self) -> None:
        self._claims: dict[int, dict[Claim, None]] = {}
        """In the order in which they began."""
        self._watching: dict[int, dict[Claim, None]] = {}
        """Those of them that have to know what others create."""
        self._asking: dict[Attempt, int] = {}
        """Requests outside of any upload that may create phones, and the groups of those."""
        self.changed: Condition = Condition()

    def open(self, group_id: int, flights: Flights) -> Claim:
        """An upload into a group begins."""
        claim = Claim(self, group_id, flights)
        self._claims.setdefault(group_id, {})[claim] = None
        return claim

    def watch(self, claim: Claim) -> None:
        """From here on note for an upload what others create."""
        self._watching.setdefault(claim.group_id, {})[claim] = None

    def close(self, claim: Claim) -> None:
        """An upload has ended; a second time does nothing."""
        _remove(self._claims, claim)
        if self._watching:
            _remove(self._watching, claim)
        self.changed.notify_all()

    def others(self, claim: Claim) -> list[Claim]:
        """The other uploads into the same group."""
        return [other for other in self._claims.get(claim.group_id, ()) if other is not claim]

    def watching(self, group_id: int, creator: Claim | None = None) -> list[Claim]:
        """Those that have to know what somebody creates in a group."""
        watching = self._watching.get(group_id)
        return [] if watching is None else [claim for claim in watching if claim is not creator]

    @contextmanager
    def asking(self, group_id: int, attempt: Attempt) -> Iterator[None]:
        """A context for a request outside of any upload; `created` is to follow at once."""
        self._asking[attempt] = group_id
        try:
            yield
        finally:
            del self._asking[attempt]
            self.changed.notify_all()

    def asked(self, group_id: int) -> AbstractSet[Attempt]:
        """Such requests that are under way now."""
        return {each for each, group in self._asking.items() if group == group_id and each.begun}

    def created(self, group_id: int, members: bytes) -> None:
        """Phones were created in a group outside of any upload."""
        _note(self.watching(group_id), [members])


class Claim:
    """What one upload knows of the others in its group."""

    def __init__(self, claims: Claims, group_id: int, flights: Flights) -> None:
        self._claims = claims
        self.group_id = group_id
        self.flights = flights
        self._foreign: array[int] | None = None

    def watch(self) -> None:
        """From here on note what others create."""
        self._claims.watch(self)

    @property
    def foreign(self) -> Sequence[int]:
        """The ids that others were answered with meanwhile."""
        return self._foreign or ()

    def note(self, ids: Iterable[int]) -> None:
        """Others were answered with these ids."""
        if self._foreign is None:
            self._foreign = array("q")
        self._foreign.extend(ids)

    def close(self) -> None:
        """The upload has ended."""
        self._claims.close(self)

    def entered(self, entries: Sequence[Entry]) -> None:
        """Fates were entered, or a request was answered: what was created is nobody else's."""
        if watching := self._claims.watching(self.group_id, self):
            created = [entry for entry in entries if entry.outcome is Outcome.CREATED]
            _note(watching, [entry.members for entry in created if entry.members is not None])
        self._claims.changed.notify_all()

    async def others_answered(self) -> None:
        """Return when all requests that others have under way now were answered, or failed."""
        asked = self._claims.asked(self.group_id)
        pending = [
            flight
            for other in self._claims.others(self)
            for flight in other.flights
            if flight.stage in _ON_ITS_WAY
        ]
        while any(flight.stage in _ON_ITS_WAY for flight in pending) or not asked.isdisjoint(
            self._claims.asked(self.group_id)
        ):
            await self._claims.changed.wait()


def _remove(claims: dict[int, dict[Claim, None]], claim: Claim) -> None:
    of_group = claims.get(claim.group_id)
    if of_group is not None:
        of_group.pop(claim, None)
        if not of_group:
            del claims[claim.group_id]


def _note(watching: Sequence[Claim], replies: Iterable[bytes]) -> None:
    if not watching:
        return
    ids = [known for members in replies for known in decode_ids(members) if known is not None]
    for claim in watching:
        claim.note(ids)
