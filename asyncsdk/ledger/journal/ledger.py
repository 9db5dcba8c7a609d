"""A ledger in a journal: one SQLite file that survives the process.

The file has of a batch: rows that were read (`batch`), how far they came (`held`), and in the end
their fate (`entry`). What is entered and not written yet is looked up in memory.
"""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from attrs import define, field

from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.held import State
from asyncsdk.ledger.interface import DurableLedger, Resumed
from asyncsdk.ledger.journal.commits import GroupCommit
from asyncsdk.ledger.journal.database import damaged
from asyncsdk.ledger.journal.encoding import encode_problem
from asyncsdk.ledger.journal.file import JournalFile
from asyncsdk.ledger.journal.pending import Pending, Transaction
from asyncsdk.ledger.journal.reader import Reader
from asyncsdk.ledger.journal.runs import ThisRun, begin_run
from asyncsdk.ledger.journal.statements import (
    insert_batch,
    insert_chunk,
    insert_entry,
    release,
    set_meta,
)
from asyncsdk.ledger.run import Counts
from asyncsdk.results import Delivery, Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Sequence
    from collections.abc import Set as AbstractSet

    from asyncsdk.config import Journal
    from asyncsdk.ledger.held import BatchLike
    from asyncsdk.ledger.journal.file import Write
    from asyncsdk.ledger.run import Run
    from asyncsdk.models import Phone

__all__ = ["JournalLedger"]

_WAITING = 64
"""Entries that may wait to be written; no request waits for those of rows that are not sent."""
_CHUNKS = 1000
"""Chunks that are looked up at once."""


@define(eq=False)
class _Recent:
    """The entries that cannot be read from the file: the last ones, and what the run leaves."""

    last: int = 0
    """The number of the last entry."""
    unwritten: deque[Entry] = field(factory=deque)
    left: list[Entry] = field(factory=list)
    """What this run left behind: the file has it as held."""

    def number(self, entry: Entry) -> int:
        """Its number, the next one."""
        self.last += 1
        self.unwritten.append(entry)
        return self.last

    def written(self) -> None:
        """The first that was not is on disk."""
        self.unwritten.popleft()

    @property
    def upto(self) -> int:
        """The number of the last that is on disk."""
        return self.last - len(self.unwritten)


@define(eq=False)
class JournalLedger(DurableLedger):
    """Entries in a journal."""

    journal: Journal
    group_id: int
    keep_created: bool = True
    keep_ids: bool = False
    """Whether the ids of created phones are kept, whatever else is."""
    counts: Counts = field(factory=Counts, init=False)
    _opened: bool = field(default=False, init=False)
    """Whether what the file holds is in the counts."""
    _reader: Reader = field(init=False)
    _pending: Pending = field(factory=Pending, init=False)
    _commits: GroupCommit = field(init=False)
    _run: ThisRun = field(factory=ThisRun, init=False)
    _recent: _Recent = field(factory=_Recent, init=False)

    def __attrs_post_init__(self) -> None:
        path = self.journal.path
        self._reader = Reader(path)
        journal = self.journal
        file = JournalFile(path, journal.durable, journal.mode, journal.shared)
        self._commits = GroupCommit(file, self._take)

    # -- from beginning to end -------------------------------------------------------------

    async def open(self, totals: Callable[[], Run]) -> Resumed:
        resumed = await self._commits.open(self._begin)
        self.keep_ids |= resumed.baseline is not None  # a later run may look into the group
        self._run.totals = totals
        self._run.before = resumed.run.changed(counts=Counts())
        self.counts = resumed.run.counts
        self._opened = True
        return resumed

    def _begin(self, file: sqlite3.Connection) -> Resumed:
        journal = self.journal
        self._run.number = begin_run(
            file, path=journal.path, group=self.group_id, notes=journal.notes
        )
        try:
            found = self._resumed(self._reader)
        finally:
            self._reader.close()  # it would keep the log from being merged, if this is refused
        settled = found.run.counts.settled
        if found.read != settled + sum(len(batch.indices) for batch in found.held):
            raise damaged(journal.path)
        return found

    def _resumed(self, reader: Reader) -> Resumed:
        baseline, existing = reader.meta("baseline"), reader.meta("existing")
        last_key, self._recent.last = reader.last_ids()
        return Resumed(
            begun=self._run.number > 1,
            read=reader.read(),
            exhausted=bool(reader.meta("exhausted")),
            held=reader.held(),
            run=reader.run(),
            baseline=None if baseline is None else array("q", baseline),
            existing=None if existing is None else array("Q", existing),
            last_key=last_key,
        )

    async def close(self, run: Run) -> None:
        await self._commits.close(partial(self._write_ending, run=run))

    def _write_ending(self, file: sqlite3.Connection, *, run: Run) -> None:
        self._reader.close()  # it would keep the log from being merged
        self._run.end(file, run=run)

    # -- rows that have no fate yet --------------------------------------------------------

    def read(
        self, first: int, source: bytes, batches: Sequence[BatchLike], rejected: Sequence[Entry]
    ) -> None:
        rows = sum(map(len, batches)) + sum(map(len, rejected))
        self._put(partial(insert_chunk, first=first, rows=rows, source=source))
        for batch in batches:
            self._insert(batch)
            self._hold(batch, State.WAITING)
        for entry in rejected:
            self._settle(entry)

    def exhausted(self) -> None:
        self._put(partial(set_meta, key="exhausted", value=1))

    def baseline(self, ids: array[int]) -> None:
        self._put(partial(set_meta, key="baseline", value=ids.tobytes()))

    def existing(self, keys: array[int]) -> None:
        self._put(partial(set_meta, key="existing", value=keys.tobytes()))

    async def sending(self, batch: BatchLike) -> None:
        self._hold(batch, State.SENDING, attempts=batch.attempts + 1)
        await self._commits.flush()
        self._commits.check()

    def waiting(self, batch: BatchLike) -> None:
        self._hold(batch, State.WAITING)

    def replace(
        self,
        old: Sequence[int],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[BatchLike] = (),
        doubt: Sequence[BatchLike] = (),
    ) -> None:
        known = set(old)
        states = [*((b, State.WAITING) for b in again), *((b, State.DOUBTFUL) for b in doubt)]
        for batch, state in states:
            if batch.key not in known:
                self._insert(batch)
            self._hold(batch, state)
        whole = {entry.batch for entry in entries if self._settle(entry, known)}
        for key in known.difference(batch.key for batch, _ in states):
            self._pending.forget(key)
            self._put(partial(release, key=key, whole=key not in whole))

    def leave(self, batch: BatchLike, entry: Entry) -> None:
        self._recent.left.append(entry)
        doubt = entry.delivery is Delivery.UNKNOWN
        self._hold(batch, State.DOUBTFUL if doubt else State.WAITING, delivery=entry.delivery)

    def _insert(self, batch: BatchLike) -> None:
        """Enter the rows of a new batch."""
        submitted = None if batch.submitted is None else msgspec.json.encode(batch.submitted)
        self._put(
            partial(
                insert_batch,
                key=batch.key,
                indices=batch.indices,
                submitted=submitted,
                body=batch.body,
            )
        )

    def _hold(
        self,
        batch: BatchLike,
        state: State,
        *,
        attempts: int | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        """Enter how far a batch came."""
        values = (
            batch.key,
            state,
            delivery,
            batch.attempts if attempts is None else attempts,
            batch.doubtful,
            batch.status,
            batch.request_id,
            encode_problem(batch.problem),
        )
        if self._commits.accepts:
            self._pending.hold(batch.key, values)
            self._commits.touch()

    def _settle(self, entry: Entry, old: AbstractSet[int] = frozenset()) -> bool:
        """Enter a fate. Returns whether it needs the rows of one of these batches."""
        kept = self.keep_created or entry.outcome is not Outcome.CREATED
        batch = entry.batch if entry.batch in old else None
        write = partial(
            insert_entry,
            key=self._recent.number(entry),
            entry=entry,
            batch=batch,
            kept=kept,
            keep_ids=self.keep_ids,
        )
        self._put(write, then=self._recent.written)
        return batch is not None and (kept or self.keep_ids)

    def _put(self, write: Write, then: Callable[[], object] | None = None) -> None:
        if self._commits.accepts:
            self._pending.put(write, then)
            self._commits.touch()

    def _take(self) -> Transaction:
        """What came since the last transaction and, now and then, what the run took."""
        found = self._pending.take()
        found.writes.extend(self._run.writes(asyncio.get_running_loop().time()))
        return found

    # -- fates -----------------------------------------------------------------------------

    def count(self, entry: Entry) -> None:
        self.counts.add(entry)

    def retain(self, entry: Entry) -> None:
        """Do nothing: `read` and `replace` have kept them."""

    def results(self, outcome: Outcome) -> Results:
        if not self._opened:
            return Results(list)
        upto, reader = self._recent.upto, self._reader
        fresh = [*self._recent.unwritten, *self._recent.left]
        if not self.keep_created and outcome is Outcome.CREATED:
            fresh = []
        mine = [entry for entry in fresh if entry.outcome is outcome]
        return Results(lambda: [*reader.results(outcome, upto), *mine])

    async def answered(self, wanted: set[int]) -> tuple[set[int], list[Phone]]:
        await self._commits.flush()
        self._commits.check()
        return await asyncio.to_thread(self._reader.answered, wanted, sys.maxsize)

    # -- what is on record -----------------------------------------------------------------

    async def room(self) -> None:
        if len(self._recent.unwritten) > _WAITING:
            await self._commits.flush()
        self._commits.check()

    async def flush(self) -> None:
        await self._commits.flush()

    async def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        start = 0
        while found := await asyncio.to_thread(self._reader.chunks, start, _CHUNKS):
            for chunk in found:
                yield chunk
            start = found[-1][0] + 1
