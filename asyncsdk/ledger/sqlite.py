"""The accounts in a journal: one SQLite file that survives the process.

What the pipeline enters is collected, and a thread writes all that has come together in one
transaction, so that the event loop never waits for the disk and a commit serves many batches.
Before a request leaves, `sending` waits for the commit that says so.

The file tells of a batch: rows that were read (`batch`), how far they came (`held`), and in the
end their fate (`entry`). What is entered and not written yet is looked up in memory.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from array import array
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, TypeVar

import msgspec
from attrs import define, evolve, field

from asyncsdk.errors import JournalError
from asyncsdk.ledger.database import damaged, open_to_write, telling
from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.held import State
from asyncsdk.ledger.interface import Ledger, Resumed
from asyncsdk.ledger.lock import Lock
from asyncsdk.ledger.run import Counts, Run
from asyncsdk.ledger.statements import (
    hold,
    insert_batch,
    insert_chunk,
    insert_entry,
    release,
    set_meta,
)
from asyncsdk.ledger.stored import Stored, encode_problem
from asyncsdk.results import Delivery, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from asyncsdk.config import Journal
    from asyncsdk.ledger.held import Rows

    Write = Callable[[sqlite3.Connection], object]
    States = dict[int, tuple[object, ...]]

__all__ = ["SqliteLedger"]

T = TypeVar("T")

_LONGEST = 0.005
"""Seconds that a commit waits for others to join it at most."""
_TOTALS = 0.1
"""Seconds between two updates of what the run took."""
_SOON = 0.02
"""Seconds that what nobody waits for may stay unwritten."""
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
    _stored: Stored = field(init=False)
    _lock: Lock = field(init=False)
    _file: sqlite3.Connection | None = field(default=None, init=False)
    _thread: ThreadPoolExecutor | None = field(default=None, init=False)
    _totals: Callable[[], Run] = field(default=Run, init=False)
    _before: Run = field(factory=Run, init=False)
    """What earlier runs took."""
    _opened: bool = field(default=False, init=False)
    """Whether what the file holds is in the totals."""
    _run: int = field(default=0, init=False)
    _batches: int = field(default=0, init=False)
    """The number of the last batch."""
    _entries: int = field(default=0, init=False)
    """The number of the last entry."""
    _written: int = field(default=0, init=False)
    """The number of the last entry on disk."""
    _unwritten: deque[tuple[int, Entry]] = field(factory=deque, init=False)
    _left: list[Entry] = field(factory=list, init=False)
    """What this run left behind: the file knows it as held."""
    _queue: list[Write] = field(factory=list, init=False)
    _states: States = field(factory=dict, init=False)
    """What is to be written of batches that are held, by their numbers."""
    _entered: int = field(default=0, init=False)
    """How much was entered, how much of that the thread was given, and how much is on disk."""
    _taken: int = field(default=0, init=False)
    _done: int = field(default=0, init=False)
    _waiting: list[asyncio.Future[None]] = field(factory=list, init=False)
    _writing: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _pause: float = field(default=0.0, init=False)
    """Seconds that a commit waits for others to join it: as long as the last one took."""
    _totals_due: float = field(default=0.0, init=False)
    _failed: bool = field(default=False, init=False)
    """Whether the thread could not write, so that nothing after that may be written either."""
    _broken: JournalError | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._stored = Stored(self.journal.path)
        self._lock = Lock(self.journal.path)

    # -- opening and closing ---------------------------------------------------------------

    async def open(self, totals: Callable[[], Run]) -> Resumed:
        """Begin a journal, or go on with it.

        Raises:
            JournalError: It is in use, belongs to another group, is damaged or cannot be written.
        """
        self._thread = ThreadPoolExecutor(1, "asyncsdk-journal")
        try:
            resumed = await self._in_thread(self._open)
        except BaseException:
            await self._end(self._abandon)
            raise
        self.keep_ids |= resumed.baseline is not None  # a later run may look into the group
        self._opened = True
        self._totals = totals
        self._before = evolve(resumed.run, counts=Counts())
        self.counts = resumed.run.counts
        return resumed

    def _open(self) -> Resumed:
        self._lock.acquire()
        path = self.journal.path
        self._file = open_to_write(path, self.journal.durable)
        with telling(path):
            self._claim(self._file)
        stored = self._stored
        baseline = stored.meta("baseline")
        self._batches, self._entries = stored.last_ids()
        self._written = self._entries
        read, held, run = stored.read(), stored.held(), stored.run()
        if read != run.counts.settled + sum(len(batch.indices) for batch in held):
            raise damaged(path)
        return Resumed(
            begun=self._run > 1,
            read=read,
            exhausted=bool(stored.meta("exhausted")),
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
        """Write what is left, and give the journal back.

        Raises:
            JournalError: Not everything could be written.
        """
        if self._thread is None:
            return
        try:
            await self.flush()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._end(partial(self._close, *self._take(), run))
        if self._broken is not None:
            raise self._broken

    async def _end(self, call: Callable[[], None]) -> None:
        """The last call in the thread: a cancellation, too, waits until the file is let go."""
        assert self._thread is not None  # noqa: S101 - it is ended once
        ending = self._in_thread(call)
        self._thread.shutdown(wait=False)
        self._thread = None
        cancelled = None
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as error:
                cancelled = error
        ending.result()
        if cancelled is not None:
            raise cancelled

    def _close(self, writes: list[Write], states: States, run: Run) -> None:
        """Write what a cancelled flush left, and how the run ended."""
        self._stored.close()
        try:
            if not self._failed:
                self._write([*writes, partial(self._write_ending, run=run)], states, run)
                if run.complete:  # one file that can be moved and read anywhere
                    self._leave_log()
        except JournalError as error:
            self._broken = error
        finally:
            self._abandon()

    def _write_ending(self, file: sqlite3.Connection, *, run: Run) -> None:
        history = msgspec.json.encode(run.history[-1]).decode() if run.history else None
        file.execute(
            "UPDATE run SET complete = ?, stopped_by = ?, history = ? WHERE id = ?",
            (run.complete, run.stopped_by, history, self._run),
        )

    def _leave_log(self) -> None:
        """Bring everything into the one file, unless somebody reads it just now."""
        assert self._file is not None  # noqa: S101 - it was written just now
        with suppress(sqlite3.Error):
            self._file.execute("PRAGMA busy_timeout=0")
            self._file.execute("PRAGMA journal_mode=DELETE")

    def _abandon(self) -> None:
        self._stored.close()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._lock.release()

    # -- entering --------------------------------------------------------------------------

    def count(self, entry: Entry) -> None:
        """Enter these rows in the totals."""
        self.counts.add(entry)

    def retain(self, entry: Entry) -> None:
        """Nothing: `replace` and `read` keep them."""

    def read(
        self, first: int, source: bytes, batches: Sequence[Rows], rejected: Sequence[Entry]
    ) -> None:
        """Enter rows that were read from the source, and what was made of them.

        Args:
            first: The index of the first.
            source: All of them as they were read, encoded.
            batches: Those that may be sent.
            rejected: Those that may not.
        """
        rows = sum(map(len, batches)) + sum(map(len, rejected))
        self._enter(partial(insert_chunk, first=first, rows=rows, source=source))
        for batch in batches:
            self._hold(batch, State.WAITING)
        for entry in rejected:
            self._settle(entry)

    def exhausted(self) -> None:
        """Enter that the source has no more."""
        self._enter(partial(set_meta, key="exhausted", value=1))

    def baseline(self, ids: array[int]) -> None:
        """Enter what was in the group before."""
        self._enter(partial(set_meta, key="baseline", value=ids.tobytes()))

    async def sending(self, batch: Rows) -> None:
        """Return once it is on disk that a request with this batch may leave.

        Raises:
            JournalError: That cannot be written.
        """
        self._hold(batch, State.SENDING, attempts=batch.attempts + 1)
        await self.flush()
        if self._broken is not None:
            raise self._broken

    def replace(
        self,
        old: Sequence[Rows],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[Rows] = (),
        doubt: Sequence[Rows] = (),
    ) -> None:
        """Put the fates and the new batches of some rows in the place of their old batches."""
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
                self._enter(partial(release, key=batch.key, whole=batch.key not in used))

    def leave(self, batch: Rows, entry: Entry) -> None:
        """Enter that the upload leaves a batch behind, and what is said of it.

        A later run takes it up again.
        """
        self._left.append(entry)
        doubt = entry.delivery is Delivery.UNKNOWN
        self._hold(batch, State.DOUBTFUL if doubt else State.WAITING, delivery=entry.delivery)

    async def room(self) -> None:
        """Return once no more waits to be written than memory should hold.

        Raises:
            JournalError: It cannot be written.
        """
        if len(self._unwritten) > _WAITING:
            await self.flush()
        if self._broken is not None:
            raise self._broken

    async def flush(self) -> None:
        """Return once all that was entered is on disk, or it is clear that it never will be."""
        until = self._entered
        while self._done < until and self._broken is None and self._thread is not None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            self._write_within(self._pause)
            await waiting

    def _hold(
        self,
        batch: Rows,
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
            self._enter(
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
        self._enter(None)

    def _settle(self, entry: Entry, batch: int | None = None) -> bool:
        """Enter a fate. Returns whether the phones of that batch are needed for it."""
        self._entries += 1
        kept = self.keep_created or entry.outcome is not Outcome.CREATED
        self._unwritten.append((self._entries, entry))
        self._enter(
            partial(
                insert_entry,
                key=self._entries,
                entry=entry,
                batch=batch,
                kept=kept,
                keep_ids=self.keep_ids,
            )
        )
        return batch is not None and (kept or self.keep_ids)

    def _enter(self, write: Write | None) -> None:
        """Have this written in the next transaction; None: only a state."""
        if self._broken is None and self._thread is not None:
            if write is not None:
                self._queue.append(write)
            self._entered += 1
            if self._timer is None:
                self._write_within(_SOON)

    # -- writing ---------------------------------------------------------------------------

    def _write_within(self, seconds: float) -> None:
        """Have the thread write what was entered, together with what comes until then."""
        if self._writing or self._taken == self._entered or self._thread is None:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is None or due < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(due, self._begin_writing)

    def _begin_writing(self) -> None:
        self._timer = None
        writes, states = self._take()
        self._writing = True
        run, now = None, asyncio.get_running_loop().time()
        if now >= self._totals_due:
            run, self._totals_due = self._totals(), now + _TOTALS
        future = self._in_thread(partial(self._write, writes, states, run))
        future.add_done_callback(partial(self._wrote, self._taken, self._entries))

    def _take(self) -> tuple[list[Write], States]:
        """What was entered and not given to the thread."""
        writes, self._queue = self._queue, []
        states, self._states = self._states, {}
        self._taken = self._entered
        return writes, states

    def _write(self, writes: list[Write], states: States, run: Run | None) -> float:
        """One transaction, in the thread. Returns how long it took."""
        began = perf_counter()
        file = self._file
        assert file is not None  # noqa: S101 - open() made it
        with telling(self.journal.path):
            try:
                file.execute("BEGIN")
                for write in writes:
                    write(file)
                hold(file, states.values())
                if run is not None:
                    self._write_totals(file, run)
                file.execute("COMMIT")
            except BaseException:
                self._failed = True
                if file.in_transaction:
                    file.execute("ROLLBACK")
                raise
        return perf_counter() - began

    def _write_totals(self, file: sqlite3.Connection, run: Run) -> None:
        before = self._before
        file.execute(
            "UPDATE run SET elapsed = ?, requests = ?, retries = ?, throttled = ?, batches = ?, "
            "bytes = ? WHERE id = ?",
            (
                run.elapsed - before.elapsed,
                run.requests - before.requests,
                run.retries - before.retries,
                run.throttled - before.throttled,
                run.batches - before.batches,
                run.bytes - before.bytes,
                self._run,
            ),
        )

    def _wrote(self, done: int, last: int, future: asyncio.Future[float]) -> None:
        """The thread came to the end of a transaction."""
        self._writing = False
        if future.cancelled() or (error := future.exception()) is not None:
            self._break(None if future.cancelled() else error)
        else:
            self._pause = min(future.result(), _LONGEST)
            self._done = done
            self._written = last
            while self._unwritten and self._unwritten[0][0] <= last:
                self._unwritten.popleft()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._write_within(_SOON)

    def _break(self, error: BaseException | None) -> None:
        """Nothing can be written any more: what is not on disk stays in memory."""
        if not isinstance(error, JournalError):
            msg = f"the journal {self.journal.path} can no longer be written"
            error, cause = JournalError(msg), error
            error.__cause__ = cause
        self._broken = error
        self._queue.clear()
        self._states.clear()

    def _in_thread(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    # -- looking up ------------------------------------------------------------------------

    def results(self, outcome: Outcome) -> Results:
        """The rows kept so far, in source order."""
        if not self._opened:
            return Results(list)
        upto, stored = self._written, self._stored
        fresh = [entry for _, entry in self._unwritten] + self._left
        if not self.keep_created and outcome is Outcome.CREATED:
            fresh = []
        mine = [entry for entry in fresh if entry.outcome is outcome]
        return Results(lambda: [*stored.results(outcome, upto), *mine])

    async def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        """What earlier runs read, in order: first row, how many, digest."""
        start = 0
        while found := await asyncio.to_thread(self._stored.chunks, start, _CHUNKS):
            for chunk in found:
                yield chunk
            start = found[-1][0] + 1

    async def answered(self, wanted: set[int]) -> tuple[set[int], Counter[str]]:
        """Of these ids those that the server answered, and the numbers created without an id.

        Raises:
            JournalError: Not all that was answered is on disk.
        """
        await self.flush()
        if self._broken is not None:
            raise self._broken
        return await asyncio.to_thread(self._stored.answered, wanted, sys.maxsize)
