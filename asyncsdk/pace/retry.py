"""How often and how patiently a request is made again: the law for batches and reads. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.errors import ApiError

if TYPE_CHECKING:
    from random import Random

    from asyncsdk.config import RetryPolicy

__all__ = ["Budget", "backoff", "outage_pause", "pause_for", "pause_reason"]


_LEAST_OUTAGE, _LONGEST_OUTAGE = 0.1, 5.0
"""Seconds."""


def backoff(policy: RetryPolicy, failures: int, random: Random) -> float:
    """Seconds to pause after so many failures: full jitter below a bound that doubles.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    bound = min(policy.cap, policy.base * 2.0 ** min(max(failures - 1, 0), 63))
    return random.uniform(0.0, bound)


def outage_pause(
    policy: RetryPolicy, *, streak: int, waited: float, random: Random
) -> float | None:
    """Seconds until the next probe in an outage; arguments and result as for `pause_for`.

    A probe costs a connection that is refused, so there is a pause even where the policy has none;
    and it costs no more than that, so that the end of the outage is soon found.
    """
    pause = pause_for(policy, asked=None, streak=streak, waited=waited, random=random)
    if pause is None:
        return None
    left = max(policy.max_wait - waited, _LEAST_OUTAGE)
    return min(max(pause, _LEAST_OUTAGE), _LONGEST_OUTAGE, left)


def pause_for(
    policy: RetryPolicy, *, asked: float | None, streak: int, waited: float, random: Random
) -> float | None:
    """Seconds for which everybody pauses after a refusal for now, or in an outage.

    Args:
        policy: How patient to be.
        asked: Seconds that the server asked for: a minimum, to which jitter is added.
        streak: How many such pauses in a row this makes.
        waited: Seconds waited since the last success.
        random: For the jitter.

    Returns:
        None where that is longer than the policy allows.
    """
    least = asked or 0.0
    if least > policy.max_wait or waited > policy.max_wait:
        return None
    return least + backoff(policy, streak, random)


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

    def take(self, now: float, tokens: int = 1) -> float:
        """Take tokens; returns the seconds to wait until they are there."""
        self._fill(now)
        self._tokens -= tokens
        return max(0.0, -self._tokens * self.interval)

    def give(self, now: float) -> None:
        """A request succeeded."""
        if self._tokens < self.capacity:
            self._fill(now)
            self._tokens = min(self.capacity, self._tokens + 1.0)
        self._filled = now

    def _fill(self, now: float) -> None:
        if self.interval > 0:
            gained = (now - self._filled) / self.interval
            self._tokens = min(self.capacity, self._tokens + gained)
        self._filled = now


def pause_reason(error: Exception) -> str:
    """Why everybody pauses, in short."""
    return f"HTTP {error.status}" if isinstance(error, ApiError) else str(error)
