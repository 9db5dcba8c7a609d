"""As many at work at once as a limit says, which may be adaptive."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncsdk.pace.knee import Knee

__all__ = ["AdaptiveSlots", "Slots"]


class Slots:
    """A semaphore: whoever waits comes in by turns, and nobody overtakes.

    Args:
        limit: How many may be in at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        """How many may be in at this moment."""
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._taken >= self.limit or bool(self._waiting)

    async def acquire(self) -> None:
        """Return when there is room; `release` is to follow."""
        if self._taken < self.limit and not self._waiting:
            self._taken += 1
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(admitted)
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted in self._waiting:
                self._waiting.remove(admitted)
            elif not admitted.cancelled():  # it was let in and cannot come
                self.release()
            raise

    def release(self) -> None:
        """Make room for another."""
        self._taken -= 1
        if self._waiting:
            self._let_in()

    __aenter__ = acquire

    async def __aexit__(self, *_: object) -> None:
        self.release()

    def _let_in(self) -> None:
        while self._waiting and self._taken < self.limit:
            admitted = self._waiting.popleft()
            if not admitted.done():
                self._taken += 1
                admitted.set_result(None)


class AdaptiveSlots(Slots):
    """Those of which there are as many as a server has room for.

    Args:
        knee: Finds that out.
    """

    def __init__(self, knee: Knee) -> None:
        super().__init__(knee.limit)
        self._knee = knee

    def finished(
        self, *, phones: int, latency: float, in_flight: int, refused: bool = False
    ) -> None:
        """Learn from a request; arguments as for `Knee.finished`."""
        self._knee.finished(phones=phones, latency=latency, in_flight=in_flight, refused=refused)
        self.limit = self._knee.limit
        self._let_in()
