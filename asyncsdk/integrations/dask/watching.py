"""How far an upload in partitions is, told by the accounts of all of them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.fleet import progress
from asyncsdk.progress import Progress
from asyncsdk.upload.callback import ProgressCallback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["watched"]

_OFTEN = 1.0
"""Seconds between two looks."""


@asynccontextmanager
async def watched(state: str, call: Callable[[Progress], object] | None) -> AsyncIterator[None]:
    """Call a function with the progress of the whole, again and again, and at the end."""
    if call is None:
        yield
        return
    watch = _Watch(state)
    callback = ProgressCallback(call)
    callback.start(lambda: watch.progress)
    looking = asyncio.create_task(_look(watch, callback))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await watch.look()
        callback.end()
        if callback.task is not None:
            await callback.task


async def _look(watch: _Watch, callback: ProgressCallback) -> None:
    while True:
        await asyncio.sleep(_OFTEN)
        await watch.look()
        callback.changed()


class _Watch:
    """The progress as it was when somebody looked last.

    Args:
        state: The folder of the upload.
    """

    def __init__(self, state: str) -> None:
        self._state = state
        self._began = asyncio.get_running_loop().time()
        self.progress = Progress()

    async def look(self) -> None:
        """Read the accounts."""
        found = await asyncio.to_thread(progress, self._state)
        self.progress = evolve(found, elapsed=asyncio.get_running_loop().time() - self._began)
