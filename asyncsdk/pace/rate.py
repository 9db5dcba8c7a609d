"""No more requests than a rate in any window of time, wherever the window begins."""

from __future__ import annotations

import asyncio
from bisect import insort
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter

if TYPE_CHECKING:
    from asyncsdk.config import Rate
    from asyncsdk.http.exchange import Attempt

__all__ = ["Departures", "Limiter", "sleep_until"]

_MARGIN = 1.01
"""A window is taken for this much longer, so that jitter on the way to the server does not let
one request too many arrive within it."""

_HASTE = 0.96
"""Requests are spaced by this much of their even share: timers fire a millisecond late, which is
never made up for. It is the window that keeps the rate."""

_GRAIN = 0.01
"""Seconds below which a timer is too coarse to space single requests."""


async def sleep_until(when: float) -> None:
    """Return when the event loop's clock shows this time, never before."""
    loop = asyncio.get_running_loop()
    # A timer may fire a little early, and there is no event to wait for.
    while (left := when - loop.time()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(left)


class Departures:
    """When the last requests left, and which may leave at any moment.

    Args:
        size: How many may leave in a window.
        window: Its length in seconds.
    """

    def __init__(self, size: int, window: float) -> None:
        self._size = size
        self._window = window
        self._times: list[float] = []
        """When the last ones left, ascending."""
        self._pending: set[Attempt] = set()
        """Those that have a permit and have not left: they may have to connect first."""

    def add(self, attempt: Attempt) -> None:
        """Enter a request that may leave from now on."""
        self._pending.add(attempt)

    def end(self, attempt: Attempt) -> None:
        """Note that a request has left, or never will."""
        if attempt in self._pending:
            self._pending.remove(attempt)
            if attempt.left:
                insort(self._times, attempt.left_at)
                del self._times[: -self._size]

    def room(self, now: float) -> float:
        """When the next request may leave; it may be later, if others leave meanwhile."""
        for attempt in [attempt for attempt in self._pending if attempt.left]:
            self.end(attempt)
        free = self._size - len(self._pending)
        if free <= 0:
            return now + _GRAIN
        return self._times[-free] + self._window if len(self._times) >= free else now


class Limiter:
    """Permits of a rate, first come first served.

    Two means: a leaky bucket of the smallest useful size spaces the requests evenly, and a log of
    the last departures holds the window itself.
    """

    def __init__(self, rate: Rate) -> None:
        interval = rate.per / rate.requests
        grain = max(1, min(rate.requests, round(_GRAIN / interval)))
        self._even = AsyncLimiter(grain, grain * interval * _HASTE)
        self._departures = Departures(rate.requests, rate.per * _MARGIN)
        self._queue = asyncio.Lock()

    async def acquire(self, attempt: Attempt) -> None:
        """Return when a request may leave: now, or as soon as it can. `release` is to follow."""
        loop = asyncio.get_running_loop()
        async with self._queue:
            await self._even.acquire()
            while (when := self._departures.room(loop.time())) > loop.time():
                await sleep_until(when)
            self._departures.add(attempt)

    def release(self, attempt: Attempt) -> None:
        """Note that a request which had a permit is over, or will not use it."""
        self._departures.end(attempt)
