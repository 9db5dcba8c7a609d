"""How many requests may be under way at once, found by trying what the server makes of it. Pure.

As in PCC (Dong et al., "PCC: Re-architecting Congestion Control for Consistent High Performance",
2015) another limit is tried beside the present one, and taken if the server makes more of it. More
is generalized power (Kleinrock, "Power and Deterministic Rules of Thumb", 1979): throughput raised
to an exponent, over latency. It is greatest at the knee, where more requests begin to wait rather
than to be served. By Little's law throughput is the limit over latency, so no clock is needed; and
as only limits are compared that were measured side by side, no model of the server, which may slow
down at any time, is needed either. It starts by doubling as TCP does. A refusal lowers the limit
at once, and what was refused is approached again in growing steps.
"""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from asyncsdk.config import Adaptive

__all__ = ["Knee"]

_POWER = 0.75
"""Latency may grow like the limit raised to this: 10 % of throughput are worth 33 % of latency."""
_LEAP = 2.0
"""Between limits compared while they rise or fall again and again, as at the start."""
_STEP = 1.4
"""The same near the knee."""
_REFUSED = 0.8
"""What is left of the limit after a refusal."""
_SHUN = 30
"""Rounds after a refusal for which what was refused is not tried again."""
_PARDON = 3
"""One in so many requests may be refused after a step up: they come in bursts until they spread."""
_CHANGED = 1.25
"""Latency that differs this much from what it was under the same limit has changed."""
_LOWER = 0.9
"""Latency is lower than its floor if it is less than this share of it: more may be chance."""
_CERTAIN = 0.03
"""The standard error, as a share of the mean, at which a round has seen enough."""
_LEAST, _FEW, _MANY = 6, 8, 64
"""Requests in a round: at least, while it starts, and where latency is noisy."""
_PATIENCE = 4
"""Rounds of a trial after which it is decided, however little the noise lets see."""
_REST = 32
"""Rounds without a trial, at most."""
_TICK = 1e-4
"""Seconds that a request takes at least: the clocks of some event loops stand still for longer, and
one that took no time at all would be infinitely faster than the next."""
_REMEMBERED = 256
"""Requests by which the latency under a limit is known."""


@define
class _Sample:
    """Latencies per phone of requests that began under one limit."""

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    reached: bool = False
    """Whether the limit was what held requests back."""

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def variance(self) -> float:
        """As a share of the squared mean."""
        return max(0.0, self.squares / self.count / self.mean**2 - 1) if self.total else 0.0

    def add(self, latency: float) -> None:
        self.count += 1
        self.total += latency
        self.squares += latency * latency

    def merge(self, other: _Sample) -> None:
        """Add another; what is old counts less and less."""
        kept = min(1.0, _REMEMBERED / self.count) if self.count else 0.0
        self.count = self.count * kept + other.count
        self.total = self.total * kept + other.total
        self.squares = self.squares * kept + other.squares

    def slower(self, other: _Sample) -> tuple[float, float]:
        """The logarithm of how much slower this one is than another, and its standard error."""
        error = sqrt(self.variance / self.count + other.variance / other.count)
        return log(self.mean / other.mean), error


@define
class _Round:
    """Latencies of the requests that begin under the present limit, until there are enough."""

    found: _Sample = field(factory=_Sample, init=False)
    spread: float = field(default=0.0, init=False)
    """Standard deviation of latency in the round before, as a share of the mean."""
    _skip: int = field(default=0, init=False)
    """Requests still to come that began under another limit."""
    _pardon: int = field(default=0, init=False)
    """Refusals among them that are let pass."""
    _phones: float = field(default=0.0, init=False)
    """Phones in a usual request."""

    def counts(self, *, refused: bool) -> bool:
        """Whether a request that has ended began under this limit, or is refused too often."""
        self._pardon -= refused
        if self._skip > 0 and not (refused and self._pardon < 0):
            self._skip -= 1
            return False
        return True

    def add(self, phones: int, latency: float, *, reached: bool) -> bool:
        """Add a request; returns whether it is of the usual size: a small one says little."""
        usual = phones * 2 >= self._phones
        self._phones += (phones - self._phones) * (0.1 if self._phones else 1.0)
        if usual:
            self.found.add(latency / phones)
            self.found.reached |= reached
        return usual

    def complete(self, limit: int, most: int) -> bool:
        """Whether there are enough: so many, or fewer that differ little."""
        found = self.found
        if found.count < max(_LEAST, limit):
            return False
        return found.count >= most or found.variance <= found.count * _CERTAIN**2

    def end(self) -> _Sample:
        """What was found; another round begins."""
        found, self.found = self.found, _Sample()
        self.spread = sqrt(found.variance)
        return found

    def restart(self, limit: int, rise: int, in_flight: int) -> None:
        """Begin with another limit, once what was begun before it is done."""
        # Those that fill a queue wait less than those that find it full; and the quick ones of
        # those that begin now end before the slow ones of those that began before.
        self._skip = int((in_flight - 1 + rise) * (1 + self.spread))
        self._pardon = limit // _PARDON if rise else self._skip


@define
class _Ceiling:
    """The limit above which the server refused, which rises again in the end."""

    at: float = field(default=inf, init=False)
    _shunned: int = field(default=0, init=False)
    """Rounds until it rises."""
    _rise: int = field(default=1, init=False)
    """By how much it rises then."""

    def put(self, at: int) -> None:
        """The server refused above this."""
        self.at = at
        self._shunned, self._rise = _SHUN, 1

    def rises(self) -> bool:
        """A round has passed: whether it rises now, by more each time."""
        if not self._shunned:
            return False
        self._shunned -= 1
        if self._shunned:
            return False
        self.at += self._rise
        self._shunned, self._rise = _SHUN, self._rise * 2
        return True


@define
class _Floor:
    """The least latency that is to be expected of a lower limit."""

    latency: float = field(default=inf, init=False)
    at: float = field(default=inf, init=False)
    """The limit under which it was seen."""

    def learn(self, limit: int, latency: float) -> None:
        """Note what was seen under a limit."""
        if latency < self.latency * _LOWER:
            self.latency, self.at = latency, limit

    def forget(self) -> None:
        """The server is another by now."""
        self.latency = self.at = inf


@define
class _Search:
    """Where the next limit is looked for, and when."""

    starting: bool = field(default=True, init=False)
    up: bool = field(default=True, init=False)
    """Whether the next trial is of a higher limit."""
    taken: int = field(default=2, init=False)
    """Trials in a row that found a better limit."""
    rest: int = field(default=0, init=False)
    """Rounds until the next trial."""
    _pause: int = field(default=1, init=False)
    """Rounds to rest after the next trial in vain."""

    @property
    def tired(self) -> bool:
        """Whether it looked in vain for long."""
        return self._pause >= _REST

    def refused(self) -> None:
        """The limit was too high: go on carefully, upwards."""
        self.starting, self.up, self.taken = False, True, 0
        self.rest = self._pause = 1

    def at_once(self, *, up: bool) -> None:
        """Look this way without a rest."""
        self.up, self.rest, self._pause = up, 0, 1

    def found(self) -> None:
        """A trial found a better limit."""
        self.taken, self.rest, self._pause = self.taken + 1, 0, 1

    def in_vain(self) -> None:
        """Rest longer each time, and look the other way next."""
        self.up = not self.up
        self.rest = self._pause
        self._pause = min(_REST, self._pause * 2)

    def missed(self) -> None:
        """A trial found a worse limit."""
        self._pause = 1 if self.taken else self._pause
        self.in_vain()


@define
class Knee:
    """Finds the concurrency at which a server is busy and little waits.

    It is told of every finished request, and holds the limit for those to come.
    """

    bounds: Adaptive
    limit: int = field(init=False)
    """Requests that may be under way."""
    _base: int = field(init=False)
    """The best limit so far; the present one is this, or one on trial."""
    _trial: int = field(init=False)
    _at_base: _Sample = field(factory=_Sample, init=False)
    _at_trial: _Sample = field(factory=_Sample, init=False)
    _rounds: int = field(default=0, init=False)
    """Rounds of this trial."""
    _round: _Round = field(factory=_Round, init=False)
    _search: _Search = field(factory=_Search, init=False)
    _floor: _Floor = field(factory=_Floor, init=False)
    _ceiling: _Ceiling = field(factory=_Ceiling, init=False)

    def __attrs_post_init__(self) -> None:
        self.limit = self._base = self._trial = self.bounds.min

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
        if not self._round.counts(refused=refused):
            return
        if refused:
            self._refused(in_flight)
        elif self._round.add(phones, max(latency, _TICK), reached=in_flight >= self.limit) and (
            self._round.complete(self.limit, self._most)
        ):
            self._judge(in_flight)

    @property
    def _most(self) -> int:
        """Requests that a round has at most."""
        if self._search.starting:
            return _FEW
        many = min(_MANY, 16 * self.limit)
        resting = self._trial == self._base and self._at_base.count
        return many // 2 if resting else many

    def _refused(self, in_flight: int) -> None:
        """Go down, and stay below what was too much."""
        low = self.bounds.min
        self._ceiling.put(max(low, min(self.limit, in_flight) - 1))
        self._search.refused()
        self._settle(max(low, int(self.limit * _REFUSED)), _Sample(), in_flight)

    def _judge(self, in_flight: int) -> None:
        """A round is over: rest, or go on with a trial."""
        found = self._round.end()
        if self._ceiling.rises():
            self._search.rest, self._search.up = 0, True
        if not found.reached:
            return
        if self._trial == self._base:
            self._watch(found)
            self._search.rest -= 1
            if self._search.rest < 0:
                self._try(in_flight)
        elif self.limit == self._base:
            self._at_base.merge(found)
            self._set(self._trial, in_flight)
        else:
            self._at_trial.merge(found)
            self._rounds += 1
            self._decide(in_flight)

    def _watch(self, found: _Sample) -> None:
        """See whether the server has changed: then find out at once what is best now."""
        if self._at_base.count:
            slower, error = found.slower(self._at_base)
            if abs(slower) > log(_CHANGED) + 3 * error:
                self._search.at_once(up=slower < 0)
                self._at_base = _Sample()
                self._floor.forget()
        self._at_base.merge(found)

    def _try(self, in_flight: int) -> None:
        """Begin a trial, unless the limit is at its end or a lower one cannot be better."""
        search, base = self._search, self._base
        low, high = self.bounds.min, min(self.bounds.max, self._ceiling.at)
        search.up = base <= low or (search.up and base < high)
        trial = int(max(low, min(self._next(up=search.up), high)))
        hopeless = (
            self._floor.at <= trial < base
            and self._power(trial, log(self._floor.latency / self._at_base.mean)) < 0
        )
        if trial == base or (hopeless and not search.tired):
            search.in_vain()
            return
        self._trial, self._at_trial, self._rounds = trial, _Sample(), 0
        self._set(trial, in_flight)

    def _next(self, *, up: bool) -> int:
        """The next limit on this side of the base, whatever the bounds are."""
        base = self._base
        step = _LEAP if self._search.taken > 1 else _STEP
        if not up:
            return min(base - 1, round(base / step))
        if self._ceiling.at < inf:
            step = min(step, 1 + 1 / sqrt(base))
        return max(base + 1, round(base * step))

    def _power(self, limit: int, slower: float) -> float:
        """The logarithm of how much more power another limit has, given how much slower it is."""
        return _POWER * log(limit / self._base) - slower

    def _decide(self, in_flight: int) -> None:
        """Take the limit on trial, or go back, or go on if noise does not let see."""
        search = self._search
        slower, error = self._at_trial.slower(self._at_base)
        gain = self._power(self._trial, slower)
        if self._rounds < _PATIENCE and -error * (1 + search.starting) < gain < error:
            if not search.starting:
                self._set(self._base, in_flight)
            return
        if self._trial < self._base:
            self._floor.latency = inf
        self._floor.learn(self._trial, self._at_trial.mean)
        self._floor.learn(self._base, self._at_base.mean)
        if gain > 0:
            if search.starting:
                self._at_trial.merge(self._at_base)
            search.found()
            self._settle(self._trial, self._at_trial, in_flight)
            self._try(in_flight)
        else:
            search.missed()
            known = _Sample() if search.starting else self._at_base
            self._settle(self._base, known, in_flight)
            search.starting, search.taken = False, 0

    def _settle(self, limit: int, known: _Sample, in_flight: int) -> None:
        """Make this the base."""
        self._base = self._trial = limit
        self._at_base = known
        self._set(limit, in_flight)

    def _set(self, limit: int, in_flight: int) -> None:
        """Begin a round with this limit."""
        self._round.found = _Sample()
        if limit != self.limit:
            rise = max(0, limit - self.limit)
            self.limit = limit
            self._round.restart(limit, rise, in_flight)
