"""One upload from start to end on a terminal: progress, Ctrl-C, and how it ended."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.cli.shown import Exit
from asyncsdk.cli.signals import handled
from asyncsdk.cli.wording import lookup_result
from asyncsdk.errors import AccountInactiveError, AuthenticationError
from asyncsdk.report import UploadStopped

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from asyncsdk.cli.live import View
    from asyncsdk.report import UploadReport
    from asyncsdk.upload.handle import Upload

__all__ = ["Ending", "follow"]

_REFRESH = 0.1  # seconds
_STOPPING = "Stopping: waiting for what is in flight. Ctrl-C again gives that up."


@frozen
class Ending:
    """How an upload ended."""

    report: UploadReport
    cause: BaseException | None = None
    """The error that stopped it."""
    interrupted: bool = False
    lookup: str = ""
    """What was found in the group of phones without an answer, in words."""

    @property
    def code(self) -> Exit:
        """The exit code that says so."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if isinstance(self.cause, (AuthenticationError, AccountInactiveError)):
            return Exit.CREDENTIALS
        if self.cause is not None or not self.report.complete:
            return Exit.STOPPED
        return Exit.ALL_CREATED if self.report.ok else Exit.SOME_NOT_CREATED


async def follow(upload: Upload, view: View) -> Ending:
    """Run an upload and show how far it is; Ctrl-C stops it, a second one at once.

    Args:
        upload: Not yet started.
        view: Where its progress is shown.
    """
    upload.start()
    task = asyncio.create_task(_ended(upload))
    with view, _interruptible(upload, task, view) as interrupts:
        while not task.done():
            await asyncio.wait({task}, timeout=_REFRESH if view.live else None)
            view.show(upload.progress)
    try:
        report, cause = task.result()
    except asyncio.CancelledError:
        report, cause = upload.report, None
    lookup = lookup_result(upload.progress.lookup)
    return Ending(report, cause, interrupted=bool(interrupts), lookup=lookup)


async def _ended(upload: Upload) -> tuple[UploadReport, BaseException | None]:
    try:
        return await upload, None
    except UploadStopped as error:
        return error.report, error.cause


@contextmanager
def _interruptible(
    upload: Upload, task: asyncio.Task[object], view: View
) -> Iterator[list[asyncio.Task[None]]]:
    """Ctrl-C stops the upload; a second one cancels it; a third one ends the process."""
    stops: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if stops:
            leave()
            task.cancel()
            return
        stops.append(asyncio.create_task(_quietly(upload.stop())))
        view.note(_STOPPING)

    with handled(interrupt, signal.SIGINT) as leave:
        yield stops


async def _quietly(stop: Coroutine[object, object, object]) -> None:
    """What ends the upload is for the upload itself to say."""
    with suppress(UploadStopped, asyncio.CancelledError):
        await stop
