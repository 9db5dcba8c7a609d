"""What the caller holds of an upload: awaitable, iterable, stoppable."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from attrs import evolve

from asyncsdk.errors import ConfigurationError, UploadStopped
from asyncsdk.ledger.interface import DurableLedger
from asyncsdk.progress import Progress
from asyncsdk.report import Run, UploadReport
from asyncsdk.upload.channel import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from types import TracebackType

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.results import PhoneResult
    from asyncsdk.upload.pipeline import Pipeline

__all__ = ["Upload"]

_AHEAD = 2
"""Settled requests that may wait for the consumer of an `async for`."""


class Upload:
    """An upload, of which nothing is sent before it is awaited, iterated or started.

    - `await upload` gives the `UploadReport`;
    - `async for result in upload` gives each `PhoneResult` as it lands and keeps none (with a
      journal, each that this run settles, and all are in the report);
    - `upload.start()` runs it in the background, to be awaited later;
    - `async with upload:` stops it for certain when the block is left.

    However it ends, `upload.report` is the whole account. One that is let go of before any of these
    warns, as a coroutine does; `cancel()` says that this is meant.
    """

    _forgotten = False
    """Whether nobody has done anything with it."""

    def __init__(
        self,
        make: Callable[[Channel | None], Pipeline],
        ledger: Ledger,
        *,
        running: set[Upload],
        group_id: int | None = None,
    ) -> None:
        self._group_id = group_id
        self._ledger = ledger
        self._make = make
        self._running = running
        self._channel: Channel | None = None
        self._pipeline: Pipeline | None = None
        self._task: asyncio.Task[None] | None = None
        self._forgotten = True

    def __repr__(self) -> str:
        state = "new" if self._task is None else "ended" if self._task.done() else "running"
        return f"<Upload {state}: {self._ledger.counts.settled:,} phones settled>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if self._forgotten:
            _warn(f"{self!r} was never awaited: nothing was sent", RuntimeWarning, source=self)

    @property
    def progress(self) -> Progress:
        """How far it is, at any time."""
        return Progress() if self._pipeline is None else self._pipeline.progress()

    @property
    def report(self) -> UploadReport:
        """The account so far; the whole one after the end, a cancellation or an error."""
        if self._pipeline is None:
            none = Run(self._ledger.counts, complete=False, group_id=self._group_id)
            return UploadReport(none, self._ledger.results)
        totals = evolve(self._pipeline.totals(), group_id=self._group_id)
        return UploadReport(totals, self._ledger.results)

    def start(self) -> Upload:
        """Run it in the background; await the upload for its report, or stop it.

        Raises:
            ConfigurationError: It was started before.
        """
        if self._task is not None:
            msg = "this upload was started before; each upload runs once"
            raise ConfigurationError(msg)
        self._run()
        return self

    async def stop(self) -> UploadReport:
        """Begin nothing new, wait for what is in flight, and give the account."""
        if self._pipeline is None or self._task is None:
            self._run().halt("stop")
        else:
            self._pipeline.halt("stop")
        return await self._end()

    def cancel(self) -> None:
        """End it at once: what is in flight is `failed` with delivery UNKNOWN.

        The account is whole when this returns; the connections are closed soon after.
        """
        self._forgotten = False
        if self._pipeline is not None and self._task is not None and not self._task.done():
            self._pipeline.abandon()
            self._task.cancel()
        if self._channel is not None:
            for entry in self._channel.leftover():
                self._ledger.retain(entry)

    def __await__(self) -> Generator[object, None, UploadReport]:
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

    async def _wait(self) -> UploadReport:
        """The report, once the upload has run to its end."""
        if self._task is None:
            self._run()
        return await self._end()

    async def _end(self) -> UploadReport:
        """Wait for the end; a cancellation of whoever waits cancels the upload."""
        task, pipeline = self._task, self._pipeline
        assert task is not None  # noqa: S101 - it was started
        assert pipeline is not None  # noqa: S101 - likewise
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([task])
            raise
        if not task.cancelled():
            task.result()  # a fault of our own is not to be swallowed
        if pipeline.cause is not None:
            raise UploadStopped(self.report, pipeline.cause) from pipeline.cause
        return self.report

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs any more."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _next_entry(self) -> Entry:
        """What was settled next.

        Raises:
            StopAsyncIteration: There is no more.
            UploadStopped: The upload could not go on.
        """
        if self._channel is None:
            self._channel = Channel(_AHEAD)
            self._run(self._channel)
        entry = await self._channel.get()
        if isinstance(self._ledger, DurableLedger):
            await self._ledger.flush()
        if entry is None:
            await self._end()
            raise StopAsyncIteration
        return entry

    def _run(self, channel: Channel | None = None) -> Pipeline:
        self._forgotten = False
        self._pipeline = self._make(channel)
        self._task = asyncio.create_task(self._pipeline.run())
        self._running.add(self)
        self._task.add_done_callback(lambda _: self._running.discard(self))
        return self._pipeline


class _Results:
    """The results of an upload that runs while it is iterated.

    When its consumer lets go of it, the upload ends at once; what was settled and not consumed is
    then kept for the report.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._entry: Entry | None = None
        self._results: Iterator[PhoneResult] = iter(())
        self._given = 0

    def __aiter__(self) -> AsyncIterator[PhoneResult]:
        return self

    async def __anext__(self) -> PhoneResult:
        while True:
            for result in self._results:
                self._given += 1
                return result
            self._entry = None
            try:
                self._entry = await self._upload._next_entry()  # noqa: SLF001 - two halves of one thing
            except asyncio.CancelledError:
                self._let_go()  # the error's traceback would hold on to this for a while
                raise
            self._results, self._given = iter(self._entry.results()), 0

    async def aclose(self) -> None:
        """End the upload unless it has ended."""
        self._let_go()
        await self._upload.wait_closed()

    def _let_go(self) -> None:
        self._upload.cancel()
        if self._entry is not None and self._given < len(self._entry):
            self._upload._ledger.retain(self._entry.after(self._given))  # noqa: SLF001 - likewise
        self._entry = None

    def __del__(self) -> None:
        with suppress(RuntimeError):  # the event loop is gone, and the tasks with it
            self._let_go()
