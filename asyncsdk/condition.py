"""Waiting for a change of state that another task of the same event loop makes."""

from __future__ import annotations

import asyncio

__all__ = ["Condition"]


class Condition:
    """A condition variable without a lock: between two awaits nobody else runs.

    Whoever waits looks at the state again when it is woken, for others were woken with it:

        while not ready():
            await changed.wait()
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}
        """In the order in which they came."""

    async def wait(self) -> None:
        """Return after the next `notify_all`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)

    def notify_all(self) -> None:
        """Wake everybody who waits now."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
