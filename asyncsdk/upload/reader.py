"""The one task that owns the source, from its first row to its closing."""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from asyncsdk.condition import Condition
from asyncsdk.errors import JournalError, SourceError
from asyncsdk.ledger.interface import Resumed
from asyncsdk.results import StoppedBy
from asyncsdk.upload.intake.source import RowSource
from asyncsdk.upload.linger import Linger
from asyncsdk.upload.recovery.resume import recognise
from asyncsdk.upload.sharing import Steps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncsdk.upload.books import Books
    from asyncsdk.upload.ending import Ending
    from asyncsdk.upload.flights import Flight
    from asyncsdk.upload.intake.batches import Batches
    from asyncsdk.upload.intake.source import Rows
    from asyncsdk.upload.queue import Queue
    from asyncsdk.upload.sharing import LoopShare
    from asyncsdk.upload.totals import Totals
    from asyncsdk.upload.worker import Post

__all__ = ["Reader"]

logger: logging.Logger = logging.getLogger("asyncsdk")


_SHORT = 64
"""Rows of a list that are read in one go."""


class Reader:
    """Draws rows when a worker wants some, and hands them on as batches.

    The source is foreign code. It may raise, cancel its own task, go on when it is told to end, or
    never return: whatever it does, it does to this task alone.

    Args:
        rows: The source; None where an earlier run read all of it.
        batches: Makes batches of its rows.
        books: Where rows are entered.
        queue: Where workers take the batches from.
        totals: Counts them.
        ending: Why the upload ends.
        share: The share of the event loop that this takes.
        linger: Seconds that a batch which has begun waits for more rows of an async source.
        post: Permits requests for which rows are drawn as late as possible; None where they are
            drawn when a worker wants some.
    """

    def __init__(
        self,
        rows: Rows | None,
        batches: Batches,
        *,
        books: Books,
        queue: Queue,
        totals: Totals,
        ending: Ending,
        share: LoopShare,
        linger: float | None = None,
        post: Post | None = None,
    ) -> None:
        self._rows = rows
        self._batches = batches
        self._books = books
        self._queue = queue
        self._totals = totals
        self._ending = ending
        self._share = share
        self._post = post
        self._linger: Linger | None = None
        if linger is not None and isinstance(rows, RowSource):
            self._linger = Linger(linger, queue.demand)
            rows.arrived = self._linger.began
        self._stopped = False
        self._task: asyncio.Task[Any] | None = None
        self._recognised = False
        """Whether the source is known to be that of the earlier run, if there was one."""
        self._going = False
        """Whether it may read on."""
        self._changed = Condition()
        """Notified when one of these is true."""

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task, once it is started."""
        return self._task

    @property
    def repeats(self) -> bool:
        """Whether the rows are those of a list, which an earlier run may have begun to read."""
        return self._rows is None or self._rows.repeats

    @property
    def total(self) -> int | None:
        """Rows that the source has, if that is known."""
        return self._batches.read if self._rows is None else self._rows.total

    @property
    def ended(self) -> bool:
        """Whether nothing of the source runs any more."""
        return self._task is None or self._task.done()

    def start(self, resumed: Resumed) -> None:
        """Begin by reading again what an earlier run read."""
        self._task = asyncio.create_task(self._run(resumed))

    async def wait_recognised(self) -> None:
        """Return when the source is known to be that of the earlier run, or has ended."""
        while not self._recognised:
            await self._changed.wait()

    async def wait_going(self) -> None:
        """Return when it reads."""
        while not self._going:
            await self._changed.wait()

    def go(self) -> None:
        """Read on, or begin where nothing was read before, when somebody wants rows."""
        self._going = True
        self._changed.notify_all()
        if self._task is None and not self._read_at_once():
            self.start(Resumed())

    def _read_at_once(self) -> bool:
        """Read a short list, for which no foreign code runs; returns whether it is one."""
        if not isinstance(self._rows, RowSource) or not self._rows.take_all(
            self._batches.piece, min(_SHORT, self._batches.size)
        ):
            return False
        try:
            self._queue.put(self.hand_over())
        except SourceError as error:
            self._ending.begin(StoppedBy.ERROR, error)
        self._queue.exhaust()
        return True

    def stop(self) -> None:
        """Read no more: what the source gives from here on is in no account."""
        if self._linger is not None:
            self._linger.stop()
        if not self._stopped:
            self._stopped = True
            if self._rows is not None:
                self._rows.stopped = True
            if self._task is not None:
                self._task.cancel()

    @cached_property
    def _steps(self) -> Steps:
        return Steps(asyncio.get_running_loop().time)

    async def _run(self, resumed: Resumed) -> None:
        self._task = asyncio.current_task()  # one that starts at once may be stopped at once
        try:
            await self._recognise(resumed)
            self._know_source()
            await self._wait(self.wait_going)
            if self._linger is not None:
                self._linger.start(self._leave_as_it_is)
            await self._read()
        except BaseException as error:
            if not self._stopped:  # a cancellation is an error like any other unless we asked
                self._stopped = True
                self._ending.begin(StoppedBy.ERROR, error)
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            self._know_source()
            if self._linger is not None:
                self._linger.stop()
            self._queue.exhaust()
            await self._close()

    def _know_source(self) -> None:
        self._recognised = True
        self._changed.notify_all()

    async def _recognise(self, resumed: Resumed) -> None:
        if self._rows is not None and not self._rows.repeats:
            self._rows.begin(resumed.read)
            self._books.exhausted()  # whatever was read: without its callers there is no more
        elif resumed.begun:
            await recognise(
                resumed,
                rows=self._rows,
                batches=self._batches,
                chunks=self._books.chunks(),
                steps=self._steps,
                breathe=partial(self._wait, self._breathe),
            )
        if self._rows is None and not resumed.exhausted:
            msg = "the source of this journal was not read to its end: give it once more"
            raise JournalError(msg)

    async def _read(self) -> None:
        """Draw what is wanted until there is no more."""
        while self._rows is not None and not self._rows.exhausted:
            await self._wait(self._queue.demand)
            await self._rows.wait()
            for _ in range(await self._share_of_wanted()):
                if self._rows.ready and not await self._draw_permitted():
                    await self._wait(self._breathe)

    async def _share_of_wanted(self) -> int:
        """Wait for a share of the event loop; returns for how many batches it is."""
        size = self._batches.size
        batches = max(1, min(self._queue.wanted, self._share.room // size))
        await self._wait(lambda: self._share.acquire(batches * size))
        return batches

    async def _draw_permitted(self) -> bool:
        """As `_draw`; the first of these requests has its permit already where that is wanted."""
        if self._post is None or (self._rows is not None and self._rows.drained):
            return bool(await self._draw())
        attempt = await self._post.permit()
        flights: list[Flight] = []
        try:
            if self._queue.wanted > 0:  # whoever wanted rows may be gone
                flights = await self._draw()
        finally:
            if flights and self._queue.wanted + len(flights) > 0:  # else others came back meanwhile
                flights[0].attempt = attempt
            else:
                self._post.release(attempt)
        return bool(flights)

    async def _draw(self) -> list[Flight]:
        """Draw and check a batch of rows, piece by piece; returns those that may be sent.

        It goes on beyond a batch while nothing that was drawn is a row at all, and while few of
        the rows are to be sent.
        """
        rows, batches = self._rows, self._batches
        assert rows is not None  # or there is nothing to read
        end = batches.read + batches.size
        while not (rows.exhausted or rows.stopped) and (left := batches.missing(end)):
            await rows.draw(batches.piece, min(left, self._steps.begin()))
            batches.check()
            if self._steps.end():
                await self._wait(self._breathe)
            if rows.drained:
                break
        return self._hand_on(exhausted=rows.exhausted)

    def _hand_on(self, *, exhausted: bool) -> list[Flight]:
        """Give what was drawn to the workers, unless the upload has ended meanwhile."""
        if self._stopped:
            raise asyncio.CancelledError
        flights = self.hand_over()
        if exhausted:
            self._books.exhausted()
        self._queue.put(flights)
        return flights

    def _leave_as_it_is(self) -> None:
        """Hand on a batch that has begun, while the source keeps the reader waiting."""
        try:
            self._batches.check()
            if not (self._stopped or self._batches.undecided):
                self._queue.put(self.hand_over())
        except SourceError as error:
            self._ending.begin(StoppedBy.ERROR, error)

    def give_up(self) -> None:
        """Enter everything that was drawn, and what was to be: none of it will be sent."""
        if self._rows is not None:
            self._rows.take_rest(self._batches.piece)
        self.hand_over()

    def hand_over(self) -> list[Flight]:
        """Enter everything that was drawn and not handed on; returns what of it may be sent."""
        chunk = self._batches.cut()
        flights = [] if chunk is None else self._books.read(chunk)
        if self._linger is not None:
            self._linger.left()
        for flight in flights:
            self._totals.batch(len(flight.batch.body))
        return flights

    async def _breathe(self) -> None:
        """Let others run, and wait for a slow disk or consumer."""
        await asyncio.sleep(0)
        await self._books.room()

    async def _wait(self, ours: Callable[[], Awaitable[object]]) -> None:
        """Wait for something of ours, while the source stands still.

        A cancellation that nobody here asked for is then one of the source's own: of a timeout or a
        task group that it has around its rows. It is for the source to make an error of it.
        """
        while True:
            try:
                await ours()
            except asyncio.CancelledError as error:
                if self._stopped or self._rows is None:
                    raise
                await self._rows.deliver(error, self._batches.piece)
            else:
                return

    async def _close(self) -> None:
        try:
            if self._rows is not None:
                await self._rows.close()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the source is foreign code
            logger.warning("closing the source of an upload failed: %s", type(error).__name__)
