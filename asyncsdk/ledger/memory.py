"""The accounts in memory."""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field, frozen

from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.run import Counts, Run
from asyncsdk.results import Outcome
from asyncsdk.wire.batch import decode_ids, decode_phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from asyncsdk.ledger.held import Held, Rows

__all__ = ["MemoryLedger", "Resumed"]

_STEP = 100_000
"""Ids that are looked through at once."""


@frozen
class Resumed:
    """What an earlier run of the same upload left on record."""

    begun: bool = False
    """Whether there was one."""
    read: int = 0
    """Rows it read from the source."""
    exhausted: bool = False
    """Whether that was all of them."""
    held: Sequence[Held] = ()
    """Batches whose rows have no fate yet."""
    run: Run = field(factory=Run)
    """What it took, and what it had settled."""
    baseline: array[int] | None = None
    """The ids that were in the group before the upload, in order, if they were noted."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.exhausted and not self.held


@define(eq=False)
class MemoryLedger:
    """Entries in lists, one list per outcome."""

    durable: ClassVar = False
    """Whether it survives the process, and so must know a row before anybody else does."""
    keep_created: bool = True
    keep_ids: bool = False
    """Whether to remember the ids of created phones, whatever else is kept."""
    counts: Counts = field(factory=Counts)
    _entries: dict[Outcome, list[Entry]] = field(
        factory=lambda: {outcome: [] for outcome in Outcome}, repr=False
    )
    _ids: array[int] = field(factory=lambda: array("q"), init=False, repr=False)
    _nameless: list[str] = field(factory=list, init=False, repr=False)
    """Numbers that the server created without telling their ids."""

    def count(self, entry: Entry) -> None:
        """Enter these rows in the totals."""
        self.counts.add(entry)
        if self.keep_ids and entry.outcome is Outcome.CREATED and entry.members is not None:
            self._note(entry.members, entry.phones)

    def retain(self, entry: Entry) -> None:
        """Keep these rows for the report; created ones only if they are wanted."""
        if self.keep_created or entry.outcome is not Outcome.CREATED:
            self._entries[entry.outcome].append(entry)

    def results(self, outcome: Outcome) -> Results:
        """The rows kept so far, in source order."""
        entries = list(self._entries[outcome])
        return Results(lambda: entries)

    async def answered(self, wanted: set[int]) -> tuple[set[int], Counter[str]]:
        """Of these ids those that the server answered, and the numbers created without an id."""
        found: set[int] = set()
        for start in range(0, len(self._ids), _STEP):
            found |= wanted.intersection(self._ids[start : start + _STEP])
            await asyncio.sleep(0)
        return found, Counter(self._nameless)

    def _note(self, members: bytes, phones: bytes) -> None:
        ids = decode_ids(members)
        if None in ids:
            numbers = [phone.phone for phone in decode_phones(phones)]
            self._nameless += [n for n, known in zip(numbers, ids, strict=True) if known is None]
        self._ids.extend(known for known in ids if known is not None)

    # -- what a ledger on disk has to be told, and memory knows -----------------------------

    async def open(self, totals: Callable[[], Run]) -> Resumed:
        """Begin, or go on where an earlier run stopped."""
        del totals
        return Resumed()

    async def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        """What earlier runs read: first row, how many, digest."""
        return
        yield

    def read(
        self, first: int, source: bytes, batches: Sequence[Rows], rejected: Sequence[Entry]
    ) -> None:
        """Enter rows that were read from the source."""

    def exhausted(self) -> None:
        """Enter that the source has no more."""

    def baseline(self, ids: array[int]) -> None:
        """Enter what was in the group before."""

    async def sending(self, batch: Rows) -> None:
        """Return once it is on record that a request with this batch may leave."""

    def replace(
        self,
        old: Sequence[Rows],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[Rows] = (),
        doubt: Sequence[Rows] = (),
    ) -> None:
        """Put the fates and the new batches of some rows in the place of their old batches."""

    def leave(self, batch: Rows, entry: Entry) -> None:
        """Enter that the upload leaves a batch behind, and what is said of it."""

    async def room(self) -> None:
        """Return once no more waits to be written than memory should hold."""

    async def flush(self) -> None:
        """Return once all that was entered is on record."""

    async def close(self, run: Run) -> None:
        """Nothing more will be entered."""
