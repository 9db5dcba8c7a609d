"""The requests of one upload among all those of its account."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asyncsdk.pace.rate import Limiter

if TYPE_CHECKING:
    from asyncsdk.config import Rate
    from asyncsdk.http.exchange import Attempt
    from asyncsdk.pace.pace import Pace

__all__ = ["Lane"]


class Lane:
    """Requests that stand in the account's queue one at a time, however many there are.

    So others come in between: a request that somebody waits for, and those of other uploads. A rate
    of their own is waited for before, and holds nothing of the account meanwhile.

    Args:
        rate: Requests of this lane in any window of time at most; None for no limit.
    """

    def __init__(self, rate: Rate | None) -> None:
        self._limiter = None if rate is None else Limiter(rate)
        self._queue = asyncio.Lock()

    async def acquire(self, attempt: Attempt, pace: Pace) -> None:
        """Return when this lane's rate and the account's pace let a request leave.

        `release` is to follow in any case, also where this is cancelled.
        """
        if self._limiter is not None:
            await self._limiter.acquire(attempt)
        await self._queue.acquire()
        try:
            await pace.acquire(attempt)
        finally:
            self._queue.release()

    def release(self, attempt: Attempt) -> None:
        """Note that a request is over, or has to wait again; a second time does nothing."""
        if self._limiter is not None:
            self._limiter.release(attempt)
