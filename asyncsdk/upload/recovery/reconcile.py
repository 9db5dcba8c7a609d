"""Phones whose fate is unknown are looked up in the group.

What was in the group before the upload is not its own, so the ids there are noted before the first
batch leaves: one reading of the export, unless the group says that it is empty. A phone found later
counts for this upload only if its id is neither among those nor among the ids that the server
answered. Costs: that reading, 8 bytes for each phone of the group and for each created one, and
one reading per look.

Where other parts of the same upload go on in other processes, the group never stands still. Then
the phones that are looked for have to: two readings, a quiet period apart, that find the same ones.
What the others were answered with is theirs; a number that one of them has in doubt, too, and that
is there, may be either's: it stays unknown.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from contextlib import aclosing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from asyncsdk.errors import AsyncSDKError, ProtocolError
from asyncsdk.models import Problem
from asyncsdk.numbers import tail
from asyncsdk.progress import Lookup, Phase
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.recovery.found import match_found
from asyncsdk.upload.sharing import Steps
from asyncsdk.upload.verdict.decision import Decision
from asyncsdk.wire.batch import encode_members, member_of_created

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.models import CreatedPhone, Phone
    from asyncsdk.pace.retrying import Retrying
    from asyncsdk.upload.batch import Batch
    from asyncsdk.upload.part import Neighbours
    from asyncsdk.upload.recovery.baseline import GroupView
    from asyncsdk.upload.recovery.claims import Claim
    from asyncsdk.upload.verdict.table import Table
    from asyncsdk.wire.rows import Row

__all__ = ["Reconciler"]

_NOT_THERE = Problem("Not stored", "the group does not have this phone")
_MOST = 500_000
"""New phones of numbers that are looked for: so many copies of what was sent nobody has made, and
to keep more would cost memory without bounds."""
_LOOKS = 3
"""Times that the group is looked at while another part may still be answered."""
_TOO_MANY = f"the group has more than {_MOST:,} new phones of the numbers that are looked for"
_CONTESTED = Problem(
    "Outcome unknown",
    "the group has this number, and another partition of the upload has sent it without an answer, "
    "too: whose it is cannot be told, look it up there",
)
_UNCLEAR = Problem(
    "Outcome unknown", "the group has this number under an id that says nothing: look it up there"
)


@frozen
class _Found:
    """What an upload may take for its own of what a group holds."""

    phones: Sequence[CreatedPhone]
    unclear: Mapping[str, Problem]
    """The ends of numbers that are there, and may be another's; and why."""
    known: int
    """How many ids that others were answered with were known then."""
    seen: AbstractSet[int] = frozenset()
    """The ids of all new phones with a number that is looked for."""

    def stands(self, before: _Found | None, *, quiet: bool) -> bool:
        """Whether nothing more is to come: the group stood still, or what is looked for did."""
        return quiet or (before is not None and self.seen == before.seen)

    @property
    def contested(self) -> bool:
        """Whether some may be those of another part, which may still hear whose they are."""
        return _CONTESTED in self.unclear.values()

    def without(self, others: set[int | None], known: int) -> _Found:
        """The same but for the phones with these ids."""
        phones = [phone for phone in self.phones if phone.id not in others]
        return evolve(self, phones=phones, known=known)


@define(eq=False)
class Reconciler:
    """Finds out which phones of unknown fate are in the group."""

    view: GroupView
    retrying: Retrying
    quiet_period: float
    """Seconds that the group must stand still before it is looked at."""
    ledger: Ledger
    claim: Claim
    table: Table
    neighbours: Neighbours | None = None
    """The other parts of the upload, in other processes."""
    before: array[int] = field(factory=lambda: array("q"), init=False)
    """The ids in the group before the upload, in order."""
    phase: Phase | None = field(default=None, init=False)
    """What it does now."""
    lookup: Lookup | None = field(default=None, init=False)
    """What it looks for, or found the last time."""

    def watch(self) -> None:
        """From here on note what others create: before what the group holds is read."""
        self.claim.watch()

    def know(self, before: array[int]) -> None:
        """Take what the group held before the upload, as it was read now or by an earlier run."""
        self.before = before

    async def look(self, unknown: Sequence[Batch]) -> Decision:
        """Tell which of these rows are in the group: those are created, the others go out again.

        Where the group does not come to rest, or cannot be read, they stay unknown.
        """
        rows = sum(map(len, unknown))
        self.lookup = Lookup(sought=rows)
        try:
            found = await self._found(unknown)
            if found is not None:
                return await self._settle(unknown, found)
            why = "the group did not come to rest, so it was not read"
            reason = Problem("Outcome unknown", why)
        except AsyncSDKError as error:
            reason = Problem("Outcome unknown", f"the group could not be read: {error}")
        return Decision([batch.because(reason).failed(Delivery.UNKNOWN) for batch in unknown])

    @contextmanager
    def _in(self, phase: Phase) -> Iterator[None]:
        self.phase = phase
        try:
            yield
        finally:
            self.phase = None

    async def _count(self) -> int | None:
        return await self.retrying.call(self.view.count, idempotent=True)

    async def _found(self, unknown: Sequence[Batch]) -> _Found | None:
        """What is there of them; None where that does not come to rest.

        The group's count stands still for the quiet period; or, where other parts go on, what is
        looked for does.
        """
        waited, looks, last, before = 0.0, 0, await self._count(), None
        while waited <= self.retrying.policy.max_wait:
            with self._in(Phase.WAITING_QUIET):
                await asyncio.sleep(self.quiet_period)
            waited += self.quiet_period
            count, found = await self._count(), None
            if count == last or self.neighbours is not None:
                with self._in(Phase.LOOKING_UP):
                    found = await self.retrying.call(
                        lambda attempt: self._find(unknown, attempt), idempotent=True
                    )
            looks += 1
            early = found is not None and found.contested and looks < _LOOKS
            if found is not None and not early and found.stands(before, quiet=count == last):
                return found
            last, before = count, found
        return None

    async def _find(self, unknown: Sequence[Batch], attempt: Attempt) -> _Found:
        """The phones in the group that are new, answer no other request, and may be wanted."""
        wanted: set[str] = set()
        for batch in unknown:
            wanted.update(tail(row.phone) for row in batch.rows)
            await asyncio.sleep(0)
        candidates: list[CreatedPhone] = []
        unclear: dict[str, Problem] = {}
        async with aclosing(self.view.phones(attempt)) as phones:
            async for phone in phones:
                if phone.phone is None or _has(self.before, phone.id):
                    continue
                if (end := tail(phone.phone)) not in wanted:
                    continue
                if phone.id is None:
                    unclear[end] = _UNCLEAR
                else:
                    candidates.append(phone)
                    if len(candidates) > _MOST:
                        raise ProtocolError(_TOO_MANY)
        await self.claim.others_answered()
        ids = {phone.id for phone in candidates if phone.id is not None}
        answered, nameless = await self.ledger.answered(ids)
        known = len(self.claim.foreign)
        answered |= ids.intersection(self.claim.foreign)
        unclaimed = [phone for phone in candidates if phone.id not in answered]
        unclaimed, contested = await self._uncontested(unclaimed)
        unclear.update(dict.fromkeys(contested, _CONTESTED))
        others = await _matched([row for row in nameless if tail(row.phone) in wanted], unclaimed)
        taken = {id(phone) for phone in others if phone is not None}
        return _Found([p for p in unclaimed if id(p) not in taken], unclear, known, ids)

    async def _uncontested(
        self, phones: list[CreatedPhone]
    ) -> tuple[list[CreatedPhone], AbstractSet[str]]:
        """Those that are no other part's, and the ends of numbers that may be one's."""
        if self.neighbours is None or not phones:
            return phones, frozenset()
        theirs = await self.neighbours.taken(phones)
        left = [phone for phone in phones if phone.id not in theirs.ids]
        contested = {tail(phone.phone or "") for phone in left} & theirs.doubtful
        return [p for p in left if tail(p.phone or "") not in contested], contested

    async def _settle(self, unknown: Sequence[Batch], found: _Found) -> Decision:
        """What becomes of them all; behind the last look at what others took nothing is awaited."""
        while True:
            decision = await self._sorted(unknown, found)
            others = self.claim.foreign[found.known :]
            if not {phone.id for phone in found.phones}.intersection(others):
                return decision
            found = found.without({*others}, found.known + len(others))

    async def _sorted(self, unknown: Sequence[Batch], found: _Found) -> Decision:
        rows = [row for batch in unknown for row in batch.rows]
        matches = iter(await _matched(rows, found.phones))
        entries: list[Entry] = []
        missing: list[Batch] = []
        for batch in unknown:
            there = dict(enumerate(islice(matches, len(batch))))
            stored = {i: phone for i, phone in there.items() if phone is not None}
            absent = [i for i in there if i not in stored]
            unclear = [i for i in absent if found.unclear and _end(batch, i) in found.unclear]
            absent = sorted({*absent} - {*unclear})
            if stored:
                members = encode_members(map(member_of_created, stored.values()))
                part = batch.take(list(stored))
                entries.append(part.entry(Outcome.CREATED, Delivery.ANSWERED, members=members))
            for why in dict.fromkeys(found.unclear[_end(batch, i)] for i in unclear):
                places = [i for i in unclear if found.unclear[_end(batch, i)] == why]
                entries.append(batch.take(places).because(why).failed(Delivery.UNKNOWN))
            if absent:
                missing.append(batch.take(absent).because(_NOT_THERE))
            await asyncio.sleep(0)
        there_now = sum(len(entry) for entry in entries if entry.outcome is Outcome.CREATED)
        self.lookup = Lookup(sought=len(rows), found=there_now)
        again = self.table.missing(missing)
        return Decision([*entries, *again.entries], again.again)


def _end(batch: Batch, place: int) -> str:
    return tail(batch.rows[place].phone)


async def _matched(
    rows: Sequence[Row | Phone], found: Sequence[CreatedPhone]
) -> list[CreatedPhone | None]:
    """For each row a phone of its own, or None; others run meanwhile."""
    steps = Steps(asyncio.get_running_loop().time)
    steps.begin()
    matches: list[CreatedPhone | None] = []
    for matches in match_found(rows, found):  # noqa: B007 - the last of them counts
        if steps.end():
            await asyncio.sleep(0)
        steps.begin()
    return matches


def _has(ids: array[int], wanted: int | None) -> bool:
    if wanted is None:
        return False
    place = bisect_left(ids, wanted)
    return place < len(ids) and ids[place] == wanted
