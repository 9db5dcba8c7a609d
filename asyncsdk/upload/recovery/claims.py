"""Which phones in a group are certainly those of another upload of the same client.

A reconcile takes what is in the group and belongs to nobody else. What other uploads of its client
were answered with is noted for it, from the moment at which it knows what the group held before.
Uploads of other processes are not seen here.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition
from asyncsdk.results import Outcome
from asyncsdk.upload.flights import Stage
from asyncsdk.wire.batch import decode_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.flights import Flights

__all__ = ["Claim", "Claims"]

_ON_ITS_WAY = frozenset({Stage.UNDER_WAY, Stage.LANDED})


class Claims:
    """The uploads of a client that run, by their groups."""

    def __init__(self) -> None:
        self._claims: dict[int, list[Claim]] = {}
        self.changed: Condition = Condition()

    def open(self, group_id: int, flights: Flights) -> Claim:
        """An upload into a group begins."""
        claim = Claim(self, group_id, flights)
        self._claims.setdefault(group_id, []).append(claim)
        return claim

    def close(self, claim: Claim) -> None:
        """An upload has ended."""
        claims = self._claims.get(claim.group_id, [])
        if claim in claims:
            claims.remove(claim)
            self.changed.notify_all()
            if not claims:
                del self._claims[claim.group_id]

    def others(self, claim: Claim) -> list[Claim]:
        """The other uploads into the same group."""
        claims = self._claims.get(claim.group_id, [])
        return [other for other in claims if other is not claim] if len(claims) > 1 else []

    def created(self, group_id: int, members: bytes) -> None:
        """Phones were created in a group outside of any upload."""
        watching = [claim for claim in self._claims.get(group_id, []) if claim.watching]
        _note(watching, [members])


class Claim:
    """What one upload knows of the others in its group."""

    def __init__(self, claims: Claims, group_id: int, flights: Flights) -> None:
        self._claims = claims
        self.group_id = group_id
        self.flights = flights
        self.watching: bool = False
        """Whether it has to know what the others create."""
        self.foreign: array[int] = array("q")
        """The ids that others were answered with meanwhile."""

    def watch(self) -> None:
        """From here on note what others create."""
        self.watching = True

    def close(self) -> None:
        """The upload has ended."""
        self._claims.close(self)

    def entered(self, entries: Sequence[Entry]) -> None:
        """Fates were entered, or a request was answered: what was created is nobody else's."""
        others = self._claims.others(self)
        if others and (watching := [other for other in others if other.watching]):
            created = [entry for entry in entries if entry.outcome is Outcome.CREATED]
            _note(watching, [entry.members for entry in created if entry.members is not None])
        self._claims.changed.notify_all()

    async def others_answered(self) -> None:
        """Return when all requests that others have under way now were answered, or failed."""
        pending = [
            flight
            for other in self._claims.others(self)
            for flight in other.flights
            if flight.stage in _ON_ITS_WAY
        ]
        while any(flight.stage in _ON_ITS_WAY for flight in pending):
            await self._claims.changed.wait()


def _note(watching: Sequence[Claim], replies: Iterable[bytes]) -> None:
    if not watching:
        return
    ids = [known for members in replies for known in decode_ids(members) if known is not None]
    for claim in watching:
        claim.foreign.extend(ids)
