"""A ledger in a journal: one SQLite file that survives the process.

The file tells of a batch: rows that were read (`batch`), how far they came (`held`), and in the
end their fate (`entry`). What is entered and not written yet is looked up in memory.
"""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import msgspec
from attrs import define, evolve, field

from asyncsdk.errors import JournalError
from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.held import State
from asyncsdk.ledger.interface import Ledger, Resumed
from asyncsdk.ledger.journal.database import damaged, translated_errors
from asyncsdk.ledger.journal.encoding import encode_problem
from asyncsdk.ledger.journal.reader import Reader
from asyncsdk.ledger.journal.statements import (
    end_run,
    hold,
    insert_batch,
    insert_chunk,
    insert_entry,
    release,
    set_meta,
    update_run,
)
from asyncsdk.ledger.journal.writer import Writer
from asyncsdk.ledger.run import Counts, Run
from asyncsdk.results import Delivery, Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Sequence

    from asyncsdk.config import Journal
    from asyncsdk.ledger.held import BatchLike
    from asyncsdk.ledger.journal.writer import Write

__all__ = ["SqliteLedger"]

_TOTALS = 0.1
"""Seconds between two updates of what the run took."""
_WAITING = 64
"""Entries that may wait to be written; no request waits for those of rows that are not sent."""
_CHUNKS = 1000
"""Chunks that are looked up at once."""


@define(eq=False)
class SqliteLedger(Ledger):
    """Entries in a journal."""

    durable: ClassVar = True
    journal: Journal
    group_id: int
    keep_created: bool = True
    keep_ids: bool = False
    """Whether the ids of created phones are kept, whatever else is."""
    counts: Counts = field(factory=Counts, init=False)
    _reader: Reader = field(init=False)
    _writer: Writer = field(init=False)
    _totals: Callable[[], Run] = field(default=Run, init=False)
    _totals_due: float = field(default=0.0, init=False)
    _before: Run = field(factory=Run, init=False)
    """What earlier runs took."""
    _opened: bool = field(default=False, init=False)
    """Whether what the file holds is in the totals."""
    _run: int = field(default=0, init=False)
    """The number of this run."""
    _batches: int = field(default=0, init=False)
    """The number of the last batch."""
    _entries: int = field(default=0, init=False)
    """The number of the last entry."""
    _unwritten: deque[Entry] = field(factory=deque, init=False)
    """The last entries, which are not on disk."""
    _left: list[Entry] = field(factory=list, init=False)
    """What this run left behind: the file knows it as held."""
    _states: dict[int, tuple[object, ...]] = field(factory=dict, init=False)
    """What is to be written of batches that are held, by their numbers."""

    def __attrs_post_init__(self) -> None:
        path = self.journal.path
        self._reader = Reader(path)
        self._writer = Writer(path, self.journal.durable, self._latest, self._reader.close)

    # -- from beginning to end -------------------------------------------------------------

    async def open(self, totals: Callable[[], Run]) -> Resumed:
        resumed = await self._writer.open(self._begin)
        self.keep_ids |= resumed.baseline is not None  # a later run may look into the group
        self._opened = True
        self._totals = totals
        self._before = evolve(resumed.run, counts=Counts())
        self.counts = resumed.run.counts
        return resumed

    def _begin(self, file: sqlite3.Connection) -> Resumed:
        path, reader = self.journal.path, self._reader
        with translated_errors(path):
            self._claim(file)
        baseline = reader.meta("baseline")
        self._batches, self._entries = reader.last_ids()
        read, held, run = reader.read(), reader.held(), reader.run()
        if read != run.counts.settled + sum(len(batch.indices) for batch in held):
            raise damaged(path)
        return Resumed(
            begun=self._run > 1,
            read=read,
            exhausted=bool(reader.meta("exhausted")),
            held=held,
            run=run,
            baseline=None if baseline is None else array("q", baseline),
        )

    def _claim(self, file: sqlite3.Connection) -> None:
        """Note a new run of this upload."""
        file.execute("BEGIN IMMEDIATE")
        known = file.execute("SELECT value FROM meta WHERE key = 'group'").fetchone()
        if known is None:
            set_meta(file, "group", self.group_id)
        elif known[0] != self.group_id:
            file.execute("ROLLBACK")
            msg = (
                f"the journal {self.journal.path} records an upload into group {known[0]}, "
                f"not {self.group_id}: give another journal, or that group"
            )
            raise JournalError(msg)
        if self.journal.notes is not None:
            set_meta(file, "notes", msgspec.json.encode(self.journal.notes).decode())
        self._run = file.execute("INSERT INTO run (complete) VALUES (0)").lastrowid or 0
        file.execute("COMMIT")

    async def close(self, run: Run) -> None:
        await self._writer.close(partial(self._write_ending, run=run), one_file=run.complete)

    def _write_ending(self, file: sqlite3.Connection, *, run: Run) -> None:
        update_run(file, key=self._run, run=run, before=self._before)
        end_run(file, key=self._run, run=run)

    # -- rows that have no fate yet --------------------------------------------------------

    def read(
        self, first: int, source: bytes, batches: Sequence[BatchLike], rejected: Sequence[Entry]
    ) -> None:
        rows = sum(map(len, batches)) + sum(map(len, rejected))
        self._writer.put(partial(insert_chunk, first=first, rows=rows, source=source))
        for batch in batches:
            self._hold(batch, State.WAITING)
        for entry in rejected:
            self._settle(entry)

    def exhausted(self) -> None:
        self._writer.put(partial(set_meta, key="exhausted", value=1))

    def baseline(self, ids: array[int]) -> None:
        self._writer.put(partial(set_meta, key="baseline", value=ids.tobytes()))

    async def sending(self, batch: BatchLike) -> None:
        self._hold(batch, State.SENDING, attempts=batch.attempts + 1)
        await self._writer.flush()
        self._writer.check()

    def replace(
        self,
        old: Sequence[BatchLike],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[BatchLike] = (),
        doubt: Sequence[BatchLike] = (),
    ) -> None:
        for batch in again:
            self._hold(batch, State.WAITING)
        for batch in doubt:
            self._hold(batch, State.DOUBTFUL)
        held = {batch.key for batch in (*again, *doubt)}
        whole = {id(batch.body): batch.key for batch in old}
        used = set()
        for entry in entries:
            key = whole.get(id(entry.phones))
            if self._settle(entry, key):
                used.add(key)
        for batch in old:
            if batch.key not in held:
                self._states.pop(batch.key or 0, None)
                self._writer.put(partial(release, key=batch.key, whole=batch.key not in used))

    def leave(self, batch: BatchLike, entry: Entry) -> None:
        self._left.append(entry)
        doubt = entry.delivery is Delivery.UNKNOWN
        self._hold(batch, State.DOUBTFUL if doubt else State.WAITING, delivery=entry.delivery)

    def _hold(
        self,
        batch: BatchLike,
        state: State,
        *,
        attempts: int | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        """Enter how far a batch came; the batch itself, if it is new."""
        if batch.key is None:
            self._batches += 1
            batch.key = self._batches
            submitted = None if batch.submitted is None else msgspec.json.encode(batch.submitted)
            self._writer.put(
                partial(
                    insert_batch,
                    key=batch.key,
                    indices=batch.indices,
                    submitted=submitted,
                    body=batch.body,
                )
            )
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
        self._states[batch.key] = values
        self._writer.touch()

    def _settle(self, entry: Entry, batch: int | None = None) -> bool:
        """Enter a fate. Returns whether the phones of that batch are needed for it."""
        self._entries += 1
        self._unwritten.append(entry)
        kept = self.keep_created or entry.outcome is not Outcome.CREATED
        write = partial(
            insert_entry,
            key=self._entries,
            entry=entry,
            batch=batch,
            kept=kept,
            keep_ids=self.keep_ids,
        )
        self._writer.put(write, then=self._unwritten.popleft)
        return batch is not None and (kept or self.keep_ids)

    def _latest(self) -> list[Write]:
        """How far batches came since the last transaction and, now and then, what the run took."""
        states, self._states = self._states, {}
        writes: list[Write] = [partial(hold, states=states.values())]
        now = asyncio.get_running_loop().time()
        if now >= self._totals_due:
            self._totals_due = now + _TOTALS
            run = self._totals()
            writes.append(partial(update_run, key=self._run, run=run, before=self._before))
        return writes

    # -- fates -----------------------------------------------------------------------------

    def count(self, entry: Entry) -> None:
        self.counts.add(entry)

    def retain(self, entry: Entry) -> None:
        """Do nothing: `read` and `replace` have kept them."""

    def results(self, outcome: Outcome) -> Results:
        if not self._opened:
            return Results(list)
        upto, reader = self._entries - len(self._unwritten), self._reader
        fresh = [*self._unwritten, *self._left]
        if not self.keep_created and outcome is Outcome.CREATED:
            fresh = []
        mine = [entry for entry in fresh if entry.outcome is outcome]
        return Results(lambda: [*reader.results(outcome, upto), *mine])

    # -- what is on record -----------------------------------------------------------------

    async def room(self) -> None:
        if len(self._unwritten) > _WAITING:
            await self._writer.flush()
        self._writer.check()

    async def flush(self) -> None:
        await self._writer.flush()

    async def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        start = 0
        while found := await asyncio.to_thread(self._reader.chunks, start, _CHUNKS):
            for chunk in found:
                yield chunk
            start = found[-1][0] + 1

    async def answered(self, wanted: set[int]) -> tuple[set[int], Counter[str]]:
        await self._writer.flush()
        self._writer.check()
        return await asyncio.to_thread(self._reader.answered, wanted, sys.maxsize)
