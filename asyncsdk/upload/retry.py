"""What a failure means for the phones in it, and how long to wait. Pure: no clock, no network.

The rule is certainty. What was certainly not processed may be sent again; what may have been
processed is never sent again silently (RFC 9110 §9.2.2: a POST is not idempotent).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.errors import NotSentError, OutcomeUnknownError
from asyncsdk.http.exchange import CertificateError

if TYPE_CHECKING:
    from random import Random

    from asyncsdk.config import RetryPolicy

__all__ = ["Budget", "Verdict", "backoff", "verdict_of_error", "verdict_of_status"]


class Verdict(Enum):
    """What a failure, or the status of one phone, means."""

    ANSWERED = auto()
    """2xx: the reply says what became of each phone."""
    AGAIN = auto()
    """It certainly did not reach the server: send it again."""
    PAUSE = auto()
    """The server refused it unprocessed for now: everybody pauses, then send it again."""
    HALVE = auto()
    """The request is too large: send it in halves."""
    BLAME = auto()
    """Some phone in it is at fault, and nothing of it was stored."""
    DOUBT = auto()
    """It may have been processed: `on_unknown` decides."""
    STOP = auto()
    """No request of this upload can succeed."""


_BY_STATUS = {
    400: Verdict.BLAME,  # the provider uses 400 and 422 alike
    408: Verdict.PAUSE,  # the server did not get the whole request (RFC 9110 §15.5.9)
    409: Verdict.BLAME,
    413: Verdict.HALVE,
    422: Verdict.BLAME,
    429: Verdict.PAUSE,  # refused before processing (RFC 6585 §4)
    503: Verdict.PAUSE,  # refused before processing (RFC 9110 §15.6.4)
}


def verdict_of_status(status: int) -> Verdict:
    """What the status of a whole reply means."""
    if 200 <= status < 300:  # noqa: PLR2004 - the class 2xx
        return Verdict.ANSWERED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    # A 5xx may come from a proxy whose server went on; any other 4xx will be said of every batch.
    return Verdict.DOUBT if status >= 500 else Verdict.STOP  # noqa: PLR2004 - the class 5xx


def verdict_of_item(status: int | None) -> Verdict:
    """What the status of one phone within a 2xx reply means."""
    if status is None:
        return Verdict.DOUBT
    if 200 <= status < 300:  # noqa: PLR2004 - the class 2xx
        return Verdict.ANSWERED
    if status in {429, 503}:
        return Verdict.AGAIN
    if 400 <= status < 500:  # noqa: PLR2004 - the class 4xx
        return Verdict.BLAME
    return Verdict.DOUBT


def verdict_of_error(error: Exception) -> Verdict:
    """What a failed exchange means."""
    if isinstance(error, CertificateError):
        return Verdict.STOP  # the next connection would show the same certificate
    if isinstance(error, NotSentError):
        return Verdict.AGAIN
    if isinstance(error, OutcomeUnknownError):
        return Verdict.DOUBT
    return Verdict.STOP  # refused credentials, a redirect, a closed client


def backoff(policy: RetryPolicy, failures: int, random: Random) -> float:
    """Seconds to pause after so many failures: full jitter below a bound that doubles.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    bound = min(policy.cap, policy.base * 2.0 ** min(max(failures - 1, 0), 63))
    return random.uniform(0.0, bound)


@define
class Budget:
    """A token bucket that keeps retries from outnumbering successes on a failing server.

    A retry of a request that left takes a token, and waits for one where none is left; a success
    gives one back. A retry of what never left costs nothing.

    Args:
        interval: Seconds after which a token comes back by itself.
        capacity: Tokens at most, and at the start.
    """

    interval: float
    capacity: float = 10.0
    _tokens: float = field(init=False)
    _filled: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self.capacity

    def take(self, now: float) -> float:
        """Take a token; returns the seconds to wait until it is there."""
        self._fill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens * self.interval)

    def give(self, now: float) -> None:
        """A request succeeded."""
        self._fill(now)
        self._tokens = min(self.capacity, self._tokens + 1.0)

    def _fill(self, now: float) -> None:
        if self.interval > 0:
            gained = (now - self._filled) / self.interval
            self._tokens = min(self.capacity, self._tokens + gained)
        self._filled = now
