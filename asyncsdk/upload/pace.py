"""When a request may leave: a rate limit, a gate that pauses everybody, and moving slots."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import deque
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter

if TYPE_CHECKING:
    from asyncsdk.config import Rate
    from asyncsdk.http.exchange import Attempt
    from asyncsdk.pace.knee import Knee

__all__ = ["Departures", "Gate", "Limiter", "Slots"]

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
        """Those that had their turn and have not left: they may have to connect first."""

    def add(self, attempt: Attempt) -> None:
        """Enter a request whose turn is now."""
        self._pending.add(attempt)

    def end(self, attempt: Attempt) -> None:
        """Note that a request has left, or never will."""
        if attempt in self._pending:
            self._pending.remove(attempt)
            if attempt.left:
                insort(self._times, attempt.left_at)
                del self._times[: -self._size]

    def room(self, now: float) -> float:
        """When the next request may have its turn; it may be later, if others leave meanwhile."""
        for attempt in [attempt for attempt in self._pending if attempt.left]:
            self.end(attempt)
        free = self._size - len(self._pending)
        if free <= 0:
            return now + _GRAIN
        return self._times[-free] + self._window if len(self._times) >= free else now


class Limiter:
    """No more than the rate in any window, wherever the window begins.

    Two means: a leaky bucket of the smallest useful size spaces the requests evenly, and a log of
    the last departures holds the window itself.
    """

    def __init__(self, rate: Rate) -> None:
        interval = rate.per / rate.requests
        grain = max(1, min(rate.requests, round(_GRAIN / interval)))
        self._even = AsyncLimiter(grain, grain * interval * _HASTE)
        self._departures = Departures(rate.requests, rate.per * _MARGIN)
        self._turn = asyncio.Lock()

    async def turn(self, attempt: Attempt) -> None:
        """Return when a request may leave: now, or as soon as it can. `end` is to follow."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            await self._even.acquire()
            while (when := self._departures.room(loop.time())) > loop.time():
                await sleep_until(when)
            self._departures.add(attempt)

    def end(self, attempt: Attempt) -> None:
        """Note that a request which had its turn is over, or will not use it."""
        self._departures.end(attempt)


class Gate:
    """Pauses every worker at once when the server asks for it."""

    def __init__(self) -> None:
        self._opens = 0.0
        self._throttled = 0.0
        self._since_success = 0.0
        self._streak = 0
        self.epoch = 0
        """Rises with each pause: a request begun in an earlier epoch says nothing new."""
        self.reason = ""
        """Why it was closed last."""

    @property
    def opens(self) -> float:
        """When it opens, or did."""
        return self._opens

    @property
    def waited(self) -> float:
        """Seconds of pause since the last success."""
        return self._since_success

    def throttled(self, now: float) -> float:
        """Seconds the gate has been closed in all."""
        return self._throttled - max(0.0, self._opens - now)

    def passed(self, epoch: int) -> None:
        """A request begun in this epoch got through.

        If others of its epoch were refused, the server takes some: no reason to wait ever longer.
        """
        if epoch >= self.epoch - 1:
            self._streak = min(self._streak, self.epoch - epoch)
            self._since_success = 0.0

    def refused(self, epoch: int) -> int:
        """A request begun in this epoch was refused; returns how many epochs in a row were."""
        if epoch == self.epoch:
            self.epoch += 1
            self._streak += 1
        return self._streak

    def close(self, seconds: float, now: float, reason: str = "") -> None:
        """Stay closed for so long from now at least."""
        self.reason = reason
        opens = max(self._opens, now + seconds)
        more = opens - max(self._opens, now)
        self._throttled += more
        self._since_success += more
        self._opens = opens

    def closed(self, now: float) -> bool:
        """Whether requests have to wait."""
        return self._opens > now

    async def wait(self) -> None:
        """Return once the gate is open."""
        while self.closed(asyncio.get_running_loop().time()):
            await sleep_until(self._opens)


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
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was let in and cannot come
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._taken < self._knee.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
