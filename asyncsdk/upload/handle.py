"""What the caller holds of an upload: awaitable, iterable, stoppable."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from asyncsdk.completion import ended
from asyncsdk.condition import Condition
from asyncsdk.errors import ConfigurationError
from asyncsdk.ledger.interface import DurableLedger
from asyncsdk.ledger.run import Run
from asyncsdk.progress import Progress
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.results import StoppedBy
from asyncsdk.telemetry.interface import UNSEEN
from asyncsdk.upload.channel import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from types import TracebackType

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.results import PhoneResult
    from asyncsdk.telemetry.interface import Instrument
    from asyncsdk.upload.run import UploadRun

__all__ = ["Upload"]

_AHEAD = 2
"""Settled requests that may wait for the consumer of an `async for`."""


class Upload(Coroutine[Any, Any, UploadReport]):
    """An upload, of which nothing is sent before it is awaited, iterated or started.

    - `await upload` gives the `UploadReport`; so do `asyncio.create_task(upload)`, task groups and
      whatever else takes a coroutine;
    - `async for result in upload` gives each `PhoneResult` as it lands and keeps none (with a
      journal, each that this run settles, and all are in the report);
    - `upload.start()` runs it in the background, to be awaited later;
    - `async with upload:` stops it for certain when the block is left.

    However it ends, `upload.report` is the whole account. One that is let go of before any of these
    warns, as a coroutine does; `cancel()` says that this is meant. One that was started, failed,
    and was never awaited says so in the log.
    """

    _forgotten = False
    """Whether nobody has done anything with it."""
    _unheard = False
    """Whether nobody has heard yet how it ended."""

    def __init__(
        self,
        make: Callable[[Channel | None], UploadRun],
        ledger: Ledger,
        *,
        running: set[Upload],
        instrument: Instrument,
        group_id: int | None = None,
    ) -> None:
        self._group_id = group_id
        self._ledger = ledger
        self._make: Callable[[Channel | None], UploadRun] | None = make
        """Makes its run, of which there is one."""
        self._running = running
        self._instrument = instrument
        self._channel: Channel | None = None
        self._run: UploadRun | None = None
        self._task: asyncio.Task[None] | None = None
        self._coroutine: Coroutine[Any, Any, UploadReport] | None = None
        self._declined = False
        """Whether it was cancelled before it began: then it never sends anything."""
        self._forgotten = True
        self._ended = Condition()
        """Notified in the step in which its task comes to its end."""

    def __repr__(self) -> str:
        state = "new" if self._task is None else "ended" if self._task.done() else "running"
        return f"<Upload {state}: {self._ledger.counts.settled:,} phones settled>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if self._forgotten:
            _warn(f"{self!r} was never awaited: nothing was sent", RuntimeWarning, source=self)
        elif self._unheard and self._task is not None and self.error is not None:
            loop = self._task.get_loop()
            loop.call_exception_handler(
                {"message": f"{self!r} failed, and nobody awaited it", "exception": self.error}
            )

    # -- how it goes -----------------------------------------------------------------------

    @property
    def progress(self) -> Progress:
        """How far it is, at any time."""
        return Progress() if self._run is None else self._run.progress()

    @property
    def report(self) -> UploadReport:
        """The account so far; the whole one after the end, a cancellation or an error."""
        if self._run is None:
            totals = Run(self._ledger.counts.copy(), complete=False, group_id=self._group_id)
        else:
            totals = self._run.run_totals()
        return UploadReport(totals, self._ledger.results)

    @property
    def done(self) -> bool:
        """Whether it has ended, however, or was cancelled before it began."""
        return self._declined if self._task is None else self._task.done()

    @property
    def error(self) -> BaseException | None:
        """The error that ended it; None while it runs, and where none did."""
        if self._run is None or self._task is None or not self._task.done():
            return None
        return self._run.ending.cause or (
            None if self._task.cancelled() else self._task.exception()
        )

    # -- running ---------------------------------------------------------------------------

    def start(self) -> Upload:
        """Run it in the background; await the upload for its report, or stop it.

        Raises:
            ConfigurationError: It was started before.
        """
        if self._task is not None:
            msg = "this upload was started before; each upload runs once"
            raise ConfigurationError(msg)
        self._begin()
        self._unheard = True
        return self

    async def stop(self) -> UploadReport:
        """Begin nothing new, wait for what is in flight, and give the account.

        From its own source or `on_progress` it gives the account so far, for its end waits for
        these.
        """
        run = self._run or self._begin()
        run.ending.begin(StoppedBy.STOP)
        if run.runs_in(asyncio.current_task()):
            return self.report
        return await self._end()

    def cancel(self) -> None:
        """End it at once: what is in flight is `failed` with delivery UNKNOWN.

        The account is whole when this returns; the connections are closed soon after. One that
        has not begun never will: awaited, it gives an empty report.
        """
        self._forgotten = False
        self._declined = self._run is None
        if self._run is not None:
            task = self._task or self._run.jobs.owner
            if task is not None and not task.done():
                self._run.abandon()
                task.cancel()
        if self._channel is not None:
            for entry in self._channel.leftover():
                self._ledger.retain(entry)

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs any more, whatever cancels that."""
        if self._task is not None:
            await ended(self._task)

    async def wait_ready(self) -> None:
        """Once it was started: wait until its rows are read, or it has ended before that."""
        assert self._run is not None  # it was started
        assert self._task is not None  # likewise
        reading = asyncio.create_task(self._run.reader.wait_going())
        try:
            await asyncio.wait([self._task, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()

    async def on_record(self) -> None:
        """Return once all results so far are on record, where there is one."""
        if isinstance(self._ledger, DurableLedger):
            await self._ledger.flush()

    def __await__(self) -> Generator[Any, Any, UploadReport]:
        return self._wait().__await__()

    def __aiter__(self) -> AsyncIterator[PhoneResult]:
        if self._task is not None:
            msg = "this upload was started before: await it, or iterate instead of starting it"
            raise ConfigurationError(msg)
        return _Results(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()
        await self.wait_closed()

    # A coroutine, so that `asyncio.create_task` and the like take it.

    def send(self, value: Any) -> Any:
        """Go on, as a coroutine does."""
        if self._coroutine is None:
            self._coroutine = self._wait()
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where it waits, as a coroutine does."""
        self._forgotten = False
        if self._coroutine is None:
            self._coroutine = self._wait()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Let go of it: what runs is ended, and what does not never will be."""
        self.cancel()
        if self._coroutine is not None:
            self._coroutine.close()

    # -- inside ----------------------------------------------------------------------------

    async def _wait(self) -> UploadReport:
        """The report, once the upload has run to its end."""
        run = self._run
        if run is None:
            run = self._begin()
        elif run.runs_in(asyncio.current_task()):
            msg = "an upload cannot be awaited by its own source or on_progress: use stop()"
            raise ConfigurationError(msg)
        if self._channel is not None:
            self._channel.lift_limit()  # its consumer waits here, and cannot take anything
        return await self._end()

    async def _run_to_end(self, run: UploadRun) -> None:
        run.jobs.owner = task = asyncio.current_task()
        assert task is not None  # it runs in one
        task.remove_done_callback(self._let_go)  # it is heard in the step in which it ends
        span = self._instrument.upload(self._group_id)
        fault: BaseException | None = None
        try:
            await run.run()
        except Exception as error:
            fault = error
            raise
        finally:
            if span is not UNSEEN:
                span.end(run.sums(), run.ending.cause or fault)
            self._let_go()

    def _let_go(self, _: asyncio.Task[None] | None = None) -> None:
        """It has ended, perhaps before it began."""
        self._running.discard(self)
        self._ended.notify_all()

    async def _end(self) -> UploadReport:
        """Wait for the end; a cancellation of whoever waits cancels the upload."""
        task, run = self._task, self._run
        assert task is not None  # it was started
        assert run is not None  # likewise
        self._unheard = False
        try:
            while not task.done():
                await self._ended.wait()
        except asyncio.CancelledError:
            self.cancel()
            with suppress(asyncio.CancelledError):
                await ended(task)
            raise
        if not task.cancelled():
            task.result()  # a fault of our own is not to be swallowed
        if run.ending.cause is not None:
            raise UploadStopped(self.report, run.ending.cause) from run.ending.cause
        return self.report

    async def _next_entry(self) -> Entry:
        """What was settled next.

        Raises:
            StopAsyncIteration: There is no more.
            UploadStopped: The upload could not go on.
        """
        if self._run is None:
            self._channel = Channel(_AHEAD)
            self._begin(self._channel)
        if self._channel is None:
            msg = "this upload was awaited before it was iterated: the results are in its report"
            raise ConfigurationError(msg)
        entry = await self._channel.get()
        await self.on_record()
        if entry is None:
            await self._end()
            raise StopAsyncIteration
        return entry

    def _begin(self, channel: Channel | None = None) -> UploadRun:
        self._forgotten = False
        assert self._make is not None  # it was not begun before
        self._run = self._make(channel)
        self._make = None  # it would keep the source for as long as somebody looks at the report
        if self._declined:
            self._run.ending.begin(StoppedBy.CANCELLED)
        self._running.add(self)
        self._task = asyncio.create_task(self._run_to_end(self._run))
        self._task.add_done_callback(self._let_go)
        return self._run


class _Results:
    """The results of an upload that runs while it is iterated.

    When its consumer lets go of it, the upload ends at once; what was settled and not consumed is
    then kept for the report. Several may consume it: each result goes to one of them.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._entry: Entry | None = None
        self._results: Iterator[PhoneResult] = iter(())
        self._given = 0
        self._fetching = asyncio.Lock()

    def __aiter__(self) -> AsyncIterator[PhoneResult]:
        return self

    async def __anext__(self) -> PhoneResult:
        while True:
            for result in self._results:
                self._given += 1
                return result
            try:
                async with self._fetching:
                    if not self._left:  # another consumer may have fetched some
                        await self._fetch()
            except asyncio.CancelledError:
                self._let_go()  # the error's traceback would hold on to this for a while
                raise

    async def aclose(self) -> None:
        """End the upload unless it has ended."""
        self._let_go()
        await self._upload.wait_closed()

    @property
    def _left(self) -> int:
        """Results that were fetched and not consumed."""
        return 0 if self._entry is None else len(self._entry) - self._given

    async def _fetch(self) -> None:
        self._entry = None
        self._entry = await self._upload._next_entry()
        self._results, self._given = iter(self._entry.results()), 0

    def _let_go(self) -> None:
        self._upload.cancel()
        if self._entry is not None and self._left:
            self._upload._ledger.retain(self._entry.after(self._given))
        self._entry, self._results = None, iter(())

    def __del__(self) -> None:
        with suppress(RuntimeError):  # the event loop is gone, and the tasks with it
            self._let_go()
