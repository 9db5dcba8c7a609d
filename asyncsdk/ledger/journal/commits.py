"""Group commit: what has come together is written in one transaction, in a thread.

So the event loop never waits for the disk, and a commit, which is what costs, serves many writes.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from asyncsdk.completion import completed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from asyncsdk.ledger.journal.file import JournalFile, Write
    from asyncsdk.ledger.journal.pending import Transaction

__all__ = ["GroupCommit"]

T = TypeVar("T")

_LONGEST = 0.005
"""Seconds that a commit waits for others to join it at most."""
_SOON = 0.02
"""Seconds that what nobody waits for may stay unwritten."""


@define(eq=False)
class _Alarm:
    """Calls a function once, at the earliest of the times that were asked for."""

    call: Callable[[], None]
    _handle: asyncio.TimerHandle | None = field(default=None, init=False)
    _due: float = field(default=inf, init=False)
    """When; not every event loop's handles tell."""

    def within(self, seconds: float) -> None:
        """Call it after so many seconds, unless it will be called before that."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if due < self._due:
            self.cancel()
            self._due = due
            self._handle = loop.call_at(due, self._ring)

    def cancel(self) -> None:
        """Do not call it."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._due = None, inf

    def _ring(self) -> None:
        self._handle, self._due = None, inf
        self.call()


@define(eq=False)
class GroupCommit:
    """Decides when a journal is written, and who hears of it; for the event loop."""

    file: JournalFile
    take: Callable[[], Transaction]
    """Gives what came since it was asked last."""
    _thread: ThreadPoolExecutor | None = field(default=None, init=False)
    _came: int = field(default=0, init=False)
    """How much came, how much of that the thread was given, and how much is on disk."""
    _taken: int = field(default=0, init=False)
    _committed: int = field(default=0, init=False)
    _waiting: list[asyncio.Future[None]] = field(factory=list, init=False)
    """Whoever waits for the end of a transaction."""
    _writing: bool = field(default=False, init=False)
    _alarm: _Alarm = field(init=False)
    """Rings when the next transaction begins."""
    _delay: float = field(default=0.0, init=False)
    """Seconds that a commit waits for others to join it: as long as the last one took."""

    def __attrs_post_init__(self) -> None:
        self._alarm = _Alarm(self._begin_writing)

    @property
    def accepts(self) -> bool:
        """Whether what comes will be written: it is open, and can write."""
        return self._thread is not None and self.file.failure is None

    async def open(self, begin: Callable[[sqlite3.Connection], T]) -> T:
        """Open the file. Returns what `begin` makes of it, in the thread.

        Raises:
            JournalError: As `JournalFile.open`.
        """
        self._thread = ThreadPoolExecutor(1, "asyncsdk-journal")
        try:
            return await self._in_thread(partial(self.file.open, begin))
        except BaseException:
            await self._end(self.file.release)
            raise

    async def close(self, last: Write) -> None:
        """Write what is left and `last`, and give the file back; nothing if it is not open.

        Raises:
            JournalError: Not everything could be written.
        """
        if self._thread is None:
            return
        try:
            await self.flush()
        finally:
            self._alarm.cancel()
            writes = [*self.take().writes, last]
            await self._end(partial(self.file.close, writes))
        self.check()

    def touch(self) -> None:
        """Have `take` asked soon: there is something new."""
        self._came += 1
        if not self._writing:
            self._write_within(_SOON)

    async def flush(self) -> None:
        """Return once all that came is on disk, or it is clear that it never will be."""
        until = self._came
        while self._committed < until and self.accepts:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            self._write_within(self._delay)
            await waiting

    def check(self) -> None:
        """Raise what keeps the journal from being written.

        Raises:
            JournalError: It can no longer be written.
        """
        if self.file.failure is not None:
            raise self.file.failure

    def _write_within(self, seconds: float) -> None:
        """Have the thread write what came, together with what comes until then."""
        if self.accepts and not self._writing and self._taken < self._came:
            self._alarm.within(seconds)

    def _begin_writing(self) -> None:
        transaction = self.take()
        self._taken = self._came
        self._writing = True
        future = self._in_thread(partial(self.file.write, transaction.writes))
        future.add_done_callback(partial(self._wrote, self._taken, transaction))

    def _wrote(self, upto: int, transaction: Transaction, future: asyncio.Future[float]) -> None:
        """The thread came to the end of a transaction."""
        self._writing = False
        if not future.cancelled() and future.exception() is None:  # else the file knows
            self._delay = min(future.result(), _LONGEST)
            self._committed = upto
            transaction.confirm()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._write_within(_SOON)

    async def _end(self, call: Callable[[], None]) -> None:
        """The last call in the thread: a cancellation, too, waits until the file is let go."""
        assert self._thread is not None  # it is ended once
        ending = self._in_thread(call)
        self._thread.shutdown(wait=False)
        self._thread = None
        await completed(ending)

    def _in_thread(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)
