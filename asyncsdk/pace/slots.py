"""As many at work as an adaptive limit says now."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncsdk.pace.knee import Knee

__all__ = ["Slots"]


class Slots:
    """Lets as many in at once as an adaptive limit says now. Those who wait come in by turns."""

    def __init__(self, knee: Knee) -> None:
        self._knee = knee
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may be in."""
        return self._knee.limit

    def finished(
        self, *, phones: int, latency: float, in_flight: int, refused: bool = False
    ) -> None:
        """Learn from a request; arguments as for `Knee.finished`."""
        self._knee.finished(phones=phones, latency=latency, in_flight=in_flight, refused=refused)
        self._let_in()

    async def __aenter__(self) -> None:
        if self._taken < self._knee.limit and not self._waiting:
            self._taken += 1
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(admitted)
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():  # it was let in and cannot come
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._taken < self._knee.limit:
            admitted = self._waiting.popleft()
            if not admitted.done():
                self._taken += 1
                admitted.set_result(None)
