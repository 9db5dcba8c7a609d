"""How many requests may be under way at once, found by watching what the server does. Pure.

The controller is TCP Vegas (Brakmo and Peterson, "TCP Vegas: End to End Congestion Avoidance on a
Global Internet", 1995) as Netflix applied it to requests ("Performance Under Load", 2018, and its
library concurrency-limits): latency above its floor is time spent in a queue, and the knee lies
where the queue begins. Three things differ. The floor is a mean, not a minimum, so that noise does
not lower it. If a lower limit makes nothing faster, there is no queue but a slower server, and it
is the floor that rises. And a limit that was refused is not tried again for a while.
"""

from __future__ import annotations

from math import hypot, inf, sqrt
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from asyncsdk.config import Adaptive

__all__ = ["Knee"]

_GROW = 1.1
"""Latency up to this many times its floor is no queue: the limit grows."""
_SHRINK = 1.25
"""Latency above this many times its floor is a queue: the limit shrinks. Between: it stays."""
_WAITING = 0.9
"""Nor does it shrink while it is less than about one request that waits."""
_REFUSED = 0.8
"""What is left of the limit after a refusal."""
_PROBE = 0.6
"""What is left of the limit while the floor is measured anew."""
_PROBE_EVERY = 40
"""Rounds between two such measurements."""
_PROBE_AGAIN = 8
"""The same after one by which the floor rose: it may have been noise."""
_SHUN_SLOW = 5
"""Rounds for which a limit is not tried again that made requests slow."""
_SHUN_REFUSED = 100
"""The same for one at which requests were refused."""
_CERTAIN = 0.05
"""The standard error, as a share of the mean, at which a round has seen enough."""
_DOUBT = 1.5
"""Standard errors by which latency must be above its floor to count as above."""
_LEAST = 6
"""Requests in a round at least."""
_MOST = 4
"""Requests in a round at most, times the limit, or times the square of `_LEAST`."""


@define
class _Round:
    """Latencies per phone of the requests that began under one limit."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    reached: bool = False
    """Whether the limit was what held requests back."""

    @property
    def mean(self) -> float:
        return self.total / self.count

    def add(self, latency: float) -> None:
        self.count += 1
        self.total += latency
        self.squares += latency * latency

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return sqrt(max(0.0, self.squares / self.count - self.mean**2) / self.count)


@define
class Knee:
    """Finds the concurrency at which a server is busy and nothing waits.

    It is told of every finished request, and holds the limit for those to come.
    """

    bounds: Adaptive
    limit: int = field(init=False)
    """Requests that may be under way."""
    _floor: float | None = field(default=None, init=False)
    """Seconds per phone while nothing waits."""
    _floor_error: float = field(default=0.0, init=False)
    _round: _Round = field(factory=_Round, init=False)
    _rounds: int = field(default=0, init=False)
    _probe_at: int = field(default=_PROBE_EVERY, init=False)
    """The round from which on the floor is due to be measured anew."""
    _skip: int = field(default=0, init=False)
    """Requests still to come that began under another limit."""
    _doubling_until: float = field(default=inf, init=False)
    _ceiling: float = field(default=inf, init=False)
    """Above this the limit was too high not long ago."""
    _shunned_until: float = field(default=inf, init=False)
    """The round from which on it is tried again."""
    _lowered: tuple[int, float] | None = field(default=None, init=False)
    """Limit and latency before the limit was lowered, to see what that does."""
    _phones: float = field(default=0.0, init=False)
    """Phones in a usual request."""

    def __attrs_post_init__(self) -> None:
        self.limit = self.bounds.min

    def finished(
        self, *, phones: int, latency: float, in_flight: int, refused: bool = False
    ) -> None:
        """Learn from a request that has come to its end.

        Args:
            phones: How many it carried.
            latency: Seconds from its departure to the end of its reply.
            in_flight: Requests under way when it ended, itself included.
            refused: Whether it was refused with 429 or 503: the server had too much to do.
        """
        if self._skip > 0:
            self._skip -= 1
        elif refused:
            self._refused(in_flight)
        elif self._usual(phones):
            self._round.add(latency / phones)
            self._round.reached |= in_flight >= self.limit
            if self._complete():
                self._judge(self._round, in_flight)

    def _usual(self, phones: int) -> bool:
        """Whether the request is of the usual size: a small one says little about the others."""
        usual = phones * 2 >= self._phones
        self._phones += (phones - self._phones) * (0.1 if self._phones else 1.0)
        return usual

    def _complete(self) -> bool:
        count = self._round.count
        if count < max(_LEAST, self.limit):
            return False
        most = 1 if self._doubling_until == inf else _MOST
        certain = self._round.error <= _CERTAIN * self._round.mean
        return certain or count >= most * max(_LEAST**2, self.limit)

    def _refused(self, in_flight: int) -> None:
        """Go down, and stay below what was too much."""
        self._lowered = None
        self._shun(min(self.limit, in_flight), _SHUN_REFUSED)
        self._set(self.limit * _REFUSED, in_flight)

    def _judge(self, found: _Round, in_flight: int) -> None:
        """A round is over: compare, grow, stay or shrink."""
        self._rounds += 1
        if self._rounds >= self._shunned_until:
            self._ceiling = inf
        latency = found.mean
        if self._lowered is not None:
            self._compare(*self._lowered, found, in_flight)
            return
        floor = self._learn(found)
        noise = _DOUBT * hypot(found.error, self._floor_error)
        ratio = max(1.0, (latency - noise) / floor)
        waiting = self.limit * (1 - 1 / ratio)
        if ratio > _SHRINK and waiting >= _WAITING:
            self._shun(self.limit, _SHUN_SLOW)
            self._lower(max(0.5, _GROW / ratio), latency, in_flight)
        elif found.reached and self._rounds >= self._probe_at:
            self._lower(_PROBE, latency, in_flight)
        elif found.reached and ratio <= _GROW:
            self._set(self._more(), in_flight)
        else:
            self._round = _Round()

    def _learn(self, found: _Round) -> float:
        """The floor, after this round. It falls only as far as noise does not explain it."""
        highest = found.mean + found.error
        if self._floor is None or self.limit == self.bounds.min or highest * _GROW < self._floor:
            self._floor, self._floor_error = found.mean, found.error
        elif highest < self._floor:
            self._floor += (found.mean - self._floor) / 4
        return self._floor

    def _more(self) -> float:
        """The next higher limit: double far from the knee, a step near it."""
        if self.limit < self._doubling_until:
            return min(self.limit * 2, self._doubling_until)
        return self.limit + sqrt(self.limit)

    def _shun(self, limit: int, rounds: int) -> None:
        """Stay below a limit for so many rounds."""
        self._doubling_until = int(limit * _REFUSED)
        self._ceiling = limit - 1
        self._shunned_until = self._rounds + rounds

    def _lower(self, share: float, latency: float, in_flight: int) -> None:
        """Lower the limit, to compare in the next round."""
        self._probe_at = self._rounds + _PROBE_EVERY
        before = self.limit
        self._set(before * share, in_flight)
        if self.limit < before:
            self._lowered = (before, latency)

    def _compare(self, before: int, slow: float, found: _Round, in_flight: int) -> None:
        """What did a lower limit do? If requests became faster, there was a queue."""
        self._lowered = None
        if found.mean > slow * _SHRINK:  # it had only begun to be slow: compare with this
            self._lower(_PROBE, found.mean, in_flight)
        elif found.mean > slow * (1 + self.limit / before) / 2:
            floor = self._floor or found.mean
            if found.mean > floor * _GROW:
                self._probe_at = self._rounds + _PROBE_AGAIN
            rise = found.mean - floor
            self._floor = floor + (rise / 2 if rise > 0 else rise)
            self._floor_error = found.error
            self._set(before, in_flight)
        else:
            share = _GROW * self._learn(found) / slow
            self._set(max(self.limit, before * min(1.0, share)), in_flight)

    def _set(self, limit: float, in_flight: int) -> None:
        """Begin a round with this limit, once what was begun before it is done."""
        before, low, high = self.limit, self.bounds.min, self.bounds.max
        self.limit = int(max(low, min(limit, self._ceiling, high)))
        self._round = _Round()
        # Those that fill a queue wait less than those that find it full.
        self._skip = in_flight - 1 + max(0, self.limit - before)
