"""A batch that has begun leaves as it is where no more rows come in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition
from asyncsdk.pace.rate import sleep_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Linger"]


class Linger:
    """Waits beside a reader that may be held by its source.

    Args:
        seconds: How long the first row of a batch waits for others.
        demand: Returns when somebody wants a batch: before that, there is no haste.
    """

    def __init__(self, seconds: float, demand: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._demand = demand
        self._since: float | None = None
        """When the first row of the present batch came."""
        self._changed = Condition()
        self._task: asyncio.Task[None] | None = None

    def began(self) -> None:
        """A row was drawn."""
        if self._since is None:
            self._since = asyncio.get_running_loop().time()
            self._changed.notify_all()

    def left(self) -> None:
        """All that was drawn was handed on."""
        self._since = None

    def start(self, leave: Callable[[], None]) -> None:
        """Begin to watch.

        Args:
            leave: Hands on what was drawn.
        """
        self._task = asyncio.create_task(self._watch(leave))

    def stop(self) -> None:
        """Watch no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def _watch(self, leave: Callable[[], None]) -> None:
        while True:
            since = self._since
            if since is None:
                await self._changed.wait()
                continue
            await sleep_until(since + self._seconds)
            await self._demand()
            if self._since == since:
                leave()
                self.left()
