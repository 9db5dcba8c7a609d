"""A limit on requests, as the provider may have one without saying so."""

from __future__ import annotations

import math
from collections import deque
from email.utils import formatdate
from typing import Literal

from attrs import frozen

__all__ = ["RequestLimit", "SlidingWindow"]


@frozen
class RequestLimit:
    """So many requests in any window of `per` seconds; more are refused, and do not count."""

    requests: int
    """How many pass."""
    per: float = 1.0
    """Seconds."""
    status: int = 429
    """What the refused are answered: 429 or 503."""
    retry_after: float | Literal["date"] | None = None
    """The `Retry-After` of a refusal: seconds, the HTTP date of a free window, or none."""


class SlidingWindow:
    """The requests of the last `per` seconds."""

    def __init__(self, limit: RequestLimit) -> None:
        self.limit = limit
        self._taken: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Whether a request may pass at this time, which then counts."""
        while self._taken and now - self._taken[0] >= self.limit.per:
            self._taken.popleft()
        if len(self._taken) >= self.limit.requests:
            return False
        self._taken.append(now)
        return True

    def headers(self, now: float, wall: float) -> dict[str, str]:
        """What a refusal says about when to come again.

        Args:
            now: Seconds by the clock that `take` was asked with.
            wall: The same moment in unix seconds, for a date.
        """
        wait = self.limit.retry_after
        if wait is None:
            return {}
        if wait == "date":
            free_in = self._taken[0] + self.limit.per - now if self._taken else 0.0
            return {"Retry-After": formatdate(math.ceil(wall + free_in), usegmt=True)}
        return {"Retry-After": str(math.ceil(wait))}
