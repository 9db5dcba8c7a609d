"""`on_progress`: foreign code, called by a task of its own between two states of the account."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.progress import Progress

__all__ = ["ProgressCallback"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_INTERVAL = 1 / 9
"""Seconds between two calls at least; the last one does not wait, and makes ten in a second."""


class ProgressCallback:
    """Calls a function with the progress when that changes, at most ten times a second.

    A function that returns an awaitable is awaited, and not called again before. Its errors are
    its own.

    Args:
        call: The function.
    """

    def __init__(self, call: Callable[[Progress], object]) -> None:
        self._call = call
        self._changed = Condition()
        self._due = False
        self._over = False
        self.task: asyncio.Task[None] | None = None

    def start(self, progress: Callable[[], Progress]) -> None:
        """Begin to call it, in a task of its own.

        Args:
            progress: Gives the progress.
        """
        self.task = asyncio.create_task(self._run(progress))

    def changed(self) -> None:
        """Have it called soon."""
        self._due = True
        self._changed.notify_all()

    def end(self) -> None:
        """Have it called for the last time."""
        self._over = True
        self._changed.notify_all()

    async def _run(self, progress: Callable[[], Progress]) -> None:
        """Call it until the end."""
        while not self._over:
            if self._due:
                self._due = False
                await self._once(progress)
                await self._rest()
            else:
                await self._changed.wait()
        await self._once(progress)

    async def _once(self, progress: Callable[[], Progress]) -> None:
        try:
            result = self._call(progress())
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it is this task that is cancelled, not something in the function
            logger.exception("on_progress raised; the upload goes on")

    async def _rest(self) -> None:
        """Wait for the interval, or the end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _INTERVAL
        timer = loop.call_at(until, self._changed.notify_all)
        try:
            while not self._over and loop.time() < until:
                await self._changed.wait()
        finally:
            timer.cancel()
