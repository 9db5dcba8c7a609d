"""Group commit: a thread writes to a journal, in one transaction, all that has come together.

So the event loop never waits for the disk, and a commit, which is what costs, serves many writes.
After a transaction that failed nothing is written any more.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Literal, TypeVar

from attrs import define, field

from asyncsdk.errors import JournalError
from asyncsdk.ledger.journal.database import open_to_write, translated_errors
from asyncsdk.ledger.journal.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[sqlite3.Connection], object]
    """Statements of a transaction that is under way."""

__all__ = ["Writer"]

T = TypeVar("T")

_LONGEST = 0.005
"""Seconds that a commit waits for others to join it at most."""
_SOON = 0.02
"""Seconds that what nobody waits for may stay unwritten."""


@define(eq=False)
class Writer:
    """The only one that writes to a journal, from opening it to closing it.

    All methods are for the event loop; what they are given to write is called in the thread.
    """

    path: Path
    durable: Literal["crash", "power"]
    """What a commit survives."""
    latest: Callable[[], list[Write]]
    """Asked, in the event loop, what a transaction ends with: that of which only the latest state
    is worth writing."""
    close_readers: Callable[[], None]
    """Closes, in the thread, whatever else of this process has the file open."""
    error: JournalError | None = field(default=None, init=False)
    """Why nothing can be written any more."""
    _lock: Lock = field(init=False)
    _file: sqlite3.Connection | None = field(default=None, init=False)
    _thread: ThreadPoolExecutor | None = field(default=None, init=False)
    _accepts: bool = field(default=False, init=False)
    """Whether it is open, and can write."""
    _queue: list[Write] = field(factory=list, init=False)
    _callbacks: list[Callable[[], object]] = field(factory=list, init=False)
    """To be called once the queue is on disk."""
    _changes: int = field(default=0, init=False)
    """How much came, how much of that the thread was given, and how much is on disk."""
    _taken: int = field(default=0, init=False)
    _committed: int = field(default=0, init=False)
    _waiting: list[asyncio.Future[None]] = field(factory=list, init=False)
    """Whoever waits for the end of a transaction."""
    _writing: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    """Until the next transaction begins."""
    _delay: float = field(default=0.0, init=False)
    """Seconds that a commit waits for others to join it: as long as the last one took."""
    _failed: bool = field(default=False, init=False)
    """Whether a transaction failed, which the thread knows before the event loop does."""

    def __attrs_post_init__(self) -> None:
        self._lock = Lock(self.path)

    # -- opening and closing ---------------------------------------------------------------

    async def open(self, begin: Callable[[sqlite3.Connection], T]) -> T:
        """Lock the file and open it. Returns what `begin` makes of it, in the thread.

        Raises:
            JournalError: It is in use, is no journal, or cannot be written.
        """
        self._thread = ThreadPoolExecutor(1, "asyncsdk-journal")
        self._accepts = True
        try:
            return await self._in_thread(partial(self._open, begin))
        except BaseException:
            await self._end(self._release)
            raise

    def _open(self, begin: Callable[[sqlite3.Connection], T]) -> T:
        self._lock.acquire()
        self._file = open_to_write(self.path, self.durable)
        return begin(self._file)

    async def close(self, last: Write, *, one_file: bool) -> None:
        """Write what is left and `last`, and give the file back; nothing if it is not open.

        Args:
            last: What the last transaction ends with.
            one_file: Whether to leave everything in the one file, without a log beside it, so that
                it can be moved and read anywhere.

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
            writes, _ = self._take()
            await self._end(partial(self._close, [*writes, last], one_file=one_file))
        self.check()

    async def _end(self, call: Callable[[], None]) -> None:
        """The last call in the thread: a cancellation, too, waits until the file is let go."""
        assert self._thread is not None  # noqa: S101 - it is ended once
        ending = self._in_thread(call)
        self._thread.shutdown(wait=False)
        self._thread = None
        self._accepts = False
        cancelled = None
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as error:
                cancelled = error
        ending.result()
        if cancelled is not None:
            raise cancelled

    def _close(self, writes: list[Write], *, one_file: bool) -> None:
        """Write what a cancelled flush left, and let go."""
        self.close_readers()
        try:
            if not self._failed:
                self._write(writes)
                if one_file:
                    self._merge_log()
        except JournalError as error:
            self.error = error
        finally:
            self._release()

    def _merge_log(self) -> None:
        """Bring everything into the one file, unless somebody reads it just now."""
        assert self._file is not None  # noqa: S101 - it was written just now
        with suppress(sqlite3.Error):
            self._file.execute("PRAGMA busy_timeout=0")
            self._file.execute("PRAGMA journal_mode=DELETE")

    def _release(self) -> None:
        self.close_readers()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._lock.release()

    # -- what is to be written -------------------------------------------------------------

    def put(self, write: Write, then: Callable[[], object] | None = None) -> None:
        """Have this written in the next transaction, and `then` called once it is on disk."""
        if self._accepts:
            self._queue.append(write)
            if then is not None:
                self._callbacks.append(then)
            self.touch()

    def touch(self) -> None:
        """Have `latest` asked: there is something new."""
        if self._accepts:
            self._changes += 1
            if self._timer is None and not self._writing:
                self._write_within(_SOON)

    async def flush(self) -> None:
        """Return once all that came is on disk, or it is clear that it never will be."""
        until = self._changes
        while self._committed < until and self._accepts:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            self._write_within(self._delay)
            await waiting

    def check(self) -> None:
        """Raise what keeps the writer from writing.

        Raises:
            JournalError: It can no longer write.
        """
        if self.error is not None:
            raise self.error

    # -- transactions ----------------------------------------------------------------------

    def _write_within(self, seconds: float) -> None:
        """Have the thread write what came, together with what comes until then."""
        if self._writing or self._taken == self._changes or not self._accepts:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is None or due < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(due, self._begin_writing)

    def _begin_writing(self) -> None:
        self._timer = None
        writes, callbacks = self._take()
        self._writing = True
        future = self._in_thread(partial(self._write, writes))
        future.add_done_callback(partial(self._wrote, self._taken, callbacks))

    def _take(self) -> tuple[list[Write], list[Callable[[], object]]]:
        """What came and was not given to the thread, and whom to tell."""
        writes, self._queue = self._queue, []
        writes += self.latest()
        callbacks, self._callbacks = self._callbacks, []
        self._taken = self._changes
        return writes, callbacks

    def _write(self, writes: list[Write]) -> float:
        """One transaction, in the thread. Returns how long it took."""
        began = perf_counter()
        file = self._file
        assert file is not None  # noqa: S101 - open() made it
        with translated_errors(self.path):
            try:
                file.execute("BEGIN")
                for write in writes:
                    write(file)
                file.execute("COMMIT")
            except BaseException:
                self._failed = True
                if file.in_transaction:
                    file.execute("ROLLBACK")
                raise
        return perf_counter() - began

    def _wrote(
        self, upto: int, callbacks: list[Callable[[], object]], future: asyncio.Future[float]
    ) -> None:
        """The thread came to the end of a transaction."""
        self._writing = False
        if future.cancelled() or (error := future.exception()) is not None:
            self._break(None if future.cancelled() else error)
        else:
            self._delay = min(future.result(), _LONGEST)
            self._committed = upto
            for call in callbacks:
                call()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._write_within(_SOON)

    def _break(self, error: BaseException | None) -> None:
        """Nothing can be written any more: what is not on disk never will be."""
        if not isinstance(error, JournalError):
            msg = f"the journal {self.path} can no longer be written"
            error, cause = JournalError(msg), error
            error.__cause__ = cause
        self.error = error
        self._accepts = False
        self._failed = True
        self._queue.clear()
        self._callbacks.clear()

    def _in_thread(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)
