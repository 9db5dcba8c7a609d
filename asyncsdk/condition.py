"""Waiting for a change of state that another task of the same event loop makes."""

from __future__ import annotations

import asyncio

__all__ = ["Condition"]


class Condition:
    """A condition variable without a lock: between two awaits nobody else runs.

    Whoever waits looks at the state again when it is woken, for others may have been before it:

        while not ready():
            await changed.wait()
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] | None = None
        """In the order in which they came; for most of these nobody ever does."""

    def __len__(self) -> int:
        return len(self._waiters or ())

    async def wait(self) -> None:
        """Return when it is notified."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = {}
        self._waiters[waiter] = None
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.notify()  # it was woken, and cannot come: another may
            raise
        finally:
            if self._waiters is not None:
                self._waiters.pop(waiter, None)

    def notify(self, count: int = 1) -> None:
        """Wake so many of those who wait, those first who came first."""
        while count > 0 and self._waiters:
            waiter = next(iter(self._waiters))
            del self._waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    def notify_all(self) -> None:
        """Wake everybody who waits now."""
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
