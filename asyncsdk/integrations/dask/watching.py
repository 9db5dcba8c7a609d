"""How far an upload in partitions is, told by the accounts of all of them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from asyncsdk.progress import Phase, Progress
from asyncsdk.report import UploadReport
from asyncsdk.upload.callback import ProgressCallback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from asyncsdk.fleet import Manifest

__all__ = ["watched"]

_OFTEN = 1.0
"""Seconds between two looks."""


@asynccontextmanager
async def watched(
    state: str, manifest: Manifest, call: Callable[[Progress], object] | None
) -> AsyncIterator[None]:
    """Call a function with the progress of the whole, again and again, and at the end."""
    if call is None:
        yield
        return
    watch = _Watch(state, sum(part.rows for part in manifest.partitions))
    callback = ProgressCallback(call, lambda: watch.progress)
    callback.start()
    looking = asyncio.create_task(_look(watch, callback))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await watch.look(Phase.ENDED)
        callback.end()
        if callback.task is not None:
            await callback.task


async def _look(watch: _Watch, callback: ProgressCallback) -> None:
    while True:
        await asyncio.sleep(_OFTEN)
        await watch.look(Phase.UPLOADING)
        callback.changed()


class _Watch:
    """The progress as it was when somebody looked last.

    Args:
        state: The folder of the upload.
        total: Rows of all partitions.
    """

    def __init__(self, state: str, total: int) -> None:
        self._state = state
        self._began = asyncio.get_running_loop().time()
        self.progress = Progress(total=total)

    async def look(self, phase: Phase) -> None:
        """Read the accounts."""
        report = await asyncio.to_thread(UploadReport.open_all, self._state)
        self.progress = Progress(
            read=report.submitted,
            total=self.progress.total,
            created=report.created_count,
            invalid=report.invalid_count,
            failed=report.failed_count,
            skipped=report.skipped_count,
            unknown=report.unknown_count,
            requests=report.requests,
            retries=report.retries,
            throttled=report.throttled,
            elapsed=asyncio.get_running_loop().time() - self._began,
            phase=phase,
        )
