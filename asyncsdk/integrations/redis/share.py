"""What a client takes for itself while nobody tells it when it may go."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from asyncsdk.config import Rate
from asyncsdk.pace.pace import LocalPace

if TYPE_CHECKING:
    from asyncsdk.http.exchange import Attempt

__all__ = ["Share"]


class Share:
    """One of so many equal parts of a rate.

    All of them together are within the rate in any window, where there are no more of them than
    requests in one; beyond that, over as long as each has one request.

    Args:
        rate: The rate of all.
        workers: How many share it; None where that is not known: then there is no such share.
    """

    def __init__(self, rate: Rate, workers: int | None) -> None:
        self._workers = workers
        self.rate: Rate = rate
        """That of all, as far as is known."""
        self._pace = LocalPace(self._part)
        self._last = -inf

    @property
    def exists(self) -> bool:
        """Whether it is known what a share is."""
        return self._workers is not None

    @property
    def _part(self) -> Rate:
        rate, workers = self.rate, self._workers or 1
        if workers <= rate.requests:
            return Rate(rate.requests // workers, rate.per)
        return Rate(1, rate.per * workers / rate.requests)

    def follow(self, rate: Rate) -> None:
        """The rate of all is this one now."""
        if rate != self.rate:
            self.rate = rate
            self._pace = LocalPace(self._part)

    async def acquire(self, attempt: Attempt) -> None:
        """Return when a request may leave; `release` is to follow."""
        await self._pace.acquire(attempt)
        self._last = asyncio.get_running_loop().time()

    def release(self, attempt: Attempt) -> None:
        """Note that a request is over."""
        self._pace.release(attempt)

    def used_within(self, margin: float, now: float) -> bool:
        """Whether something left in the last window, of which nobody else knows."""
        return now - self._last < self.rate.per + margin
