"""Phones whose fate is unknown are looked up in the group.

What was in the group before the upload is not its own, so the ids there are noted before the first
batch leaves: one reading of the export, unless the group says that it is empty. A phone found later
counts for this upload only if its id is neither among those nor among the ids that the server
answered. Costs: that reading, 8 bytes for each phone of the group and for each created one, and
one reading per look.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from contextlib import aclosing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, field, frozen

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
    from collections.abc import Iterator, Sequence

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.models import CreatedPhone, Phone
    from asyncsdk.pace.retrying import Retrying
    from asyncsdk.upload.batch import Batch
    from asyncsdk.upload.recovery.baseline import GroupView
    from asyncsdk.upload.recovery.claims import Claim
    from asyncsdk.upload.verdict.table import Table
    from asyncsdk.wire.rows import Row

__all__ = ["Reconciler"]

_NOT_THERE = Problem("Not stored", "the group does not have this phone")
_MOST = 500_000
"""New phones of numbers that are looked for: so many copies of what was sent nobody has made, and
to keep more would cost memory without bounds."""
_TOO_MANY = f"the group has more than {_MOST:,} new phones of the numbers that are looked for"
_UNCLEAR = Problem(
    "Outcome unknown", "the group has this number under an id that says nothing: look it up there"
)


@frozen
class _Found:
    """What an upload may take for its own of what a group holds."""

    phones: Sequence[CreatedPhone]
    unclear: frozenset[str]
    """The ends of numbers that are there without an id: they may have been there before."""
    known: int
    """How many ids that others were answered with were known then."""

    def without(self, others: set[int | None], known: int) -> _Found:
        """The same but for the phones with these ids."""
        phones = [phone for phone in self.phones if phone.id not in others]
        return _Found(phones, self.unclear, known)


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
            with self._in(Phase.WAITING_QUIET):
                quiet = await self._at_rest()
            if quiet:
                with self._in(Phase.LOOKING_UP):
                    found = await self.retrying.call(
                        lambda attempt: self._find(unknown, attempt), idempotent=True
                    )
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

    async def _at_rest(self) -> bool:
        """Wait until the group's count stands still for the quiet period."""
        waited = 0.0
        last = await self._count()
        while True:
            await asyncio.sleep(self.quiet_period)
            waited += self.quiet_period
            count = await self._count()
            if count == last:
                return True
            if waited > self.retrying.policy.max_wait:
                return False
            last = count

    async def _find(self, unknown: Sequence[Batch], attempt: Attempt) -> _Found:
        """The phones in the group that are new, answer no other request, and may be wanted."""
        wanted: set[str] = set()
        for batch in unknown:
            wanted.update(tail(row.phone) for row in batch.rows)
            await asyncio.sleep(0)
        candidates, unclear = [], set()
        async with aclosing(self.view.phones(attempt)) as phones:
            async for phone in phones:
                if phone.phone is None or _has(self.before, phone.id):
                    continue
                if (end := tail(phone.phone)) not in wanted:
                    continue
                if phone.id is None:
                    unclear.add(end)
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
        others = await _matched([row for row in nameless if tail(row.phone) in wanted], unclaimed)
        taken = {id(phone) for phone in others if phone is not None}
        return _Found([p for p in unclaimed if id(p) not in taken], frozenset(unclear), known)

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
            if unclear:
                entries.append(batch.take(unclear).because(_UNCLEAR).failed(Delivery.UNKNOWN))
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
