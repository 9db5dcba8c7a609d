"""The faults that the sandbox can inject, by name, and the schedules that say when."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FAULTS", "Fault", "Faults"]

OK = "ok"


@frozen
class Fault:
    """One way for a request to go wrong."""

    name: str
    """As `Faults` takes it."""
    processed: bool
    """Whether the request takes effect all the same. Of the `item-` faults: whether the phones
    that are hit are stored; all the others of the batch are."""
    what: str
    """What the client sees."""


_ALL = (
    # the connection
    Fault("reset-head", processed=False, what="reset when the head has arrived, the body unread"),
    Fault("reset-before", processed=False, what="reset when the whole request has arrived"),
    Fault("reset-after", processed=True, what="reset instead of a reply"),
    Fault("timeout-before", processed=False, what="no reply ever; the client has to leave"),
    Fault("timeout-after", processed=True, what="no reply ever; the client has to leave"),
    Fault("slow", processed=True, what="the reply comes `Faults.delay` seconds late"),
    Fault("late", processed=True, what="stored and answered `delay` seconds late, heard or not"),
    Fault("close", processed=True, what="a good reply, then the connection is closed unannounced"),
    # replies that make no sense
    Fault("truncate", processed=True, what="the body ends before its Content-Length"),
    Fault("truncate-nolength", processed=True, what="no Content-Length, and half of the body"),
    Fault("bad-gzip", processed=True, what="Content-Encoding: gzip over something else"),
    Fault("not-json", processed=True, what="the right status with an HTML page"),
    Fault("empty", processed=True, what="the right status with no body"),
    Fault("garbage", processed=True, what="a status line that is none"),
    # members that do not fit the rows; requests other than a batch are answered well
    Fault("few", processed=True, what="some members are missing"),
    Fault("many", processed=True, what="members for numbers that were never sent are added"),
    Fault("alien", processed=True, what="some members are of numbers that were never sent"),
    Fault("reorder", processed=True, what="the members come in another order"),
    Fault("no-echo", processed=True, what="the members have a status and no body"),
    # members that failed; requests other than a batch are answered well
    Fault("item-429", processed=False, what="some members say 429"),
    Fault("item-503", processed=False, what="some members say 503"),
    Fault("item-500", processed=False, what="some members say 500"),
    Fault("item-500-after", processed=True, what="some members say 500"),
    # statuses
    Fault("408", processed=False, what="408"),
    Fault("429", processed=False, what="429 without Retry-After"),
    Fault("429-after", processed=False, what="429 with Retry-After in seconds"),
    Fault("429-date", processed=False, what="429 with Retry-After as an HTTP date"),
    Fault("503", processed=False, what="503 without Retry-After"),
    Fault("503-after", processed=False, what="503 with Retry-After in seconds"),
    Fault("500", processed=False, what="500"),
    Fault("502", processed=False, what="502, an HTML page of a proxy"),
    Fault("504", processed=False, what="504, an HTML page of a proxy"),
    Fault("500-after", processed=True, what="500"),
    Fault("502-after", processed=True, what="502, an HTML page of a proxy"),
    Fault("504-after", processed=True, what="504, an HTML page of a proxy"),
    Fault("413", processed=False, what="413, an HTML page of a proxy"),
    Fault("400-whole", processed=False, what="400 for the whole batch, naming no row"),
    Fault("422-whole", processed=False, what="422 for the whole batch, naming no row"),
    Fault("401", processed=False, what="401, which does not count towards the lock-out"),
    Fault("402", processed=False, what="402"),
    Fault("403", processed=False, what="403"),
    Fault("404", processed=False, what="404"),
    Fault("301", processed=False, what="a redirect to another host"),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
"""Every fault by its name."""


class Faults:
    """A schedule of faults: with a seed, the same requests meet the same faults.

    A schedule is used up as requests come: give each sandbox its own.

    Args:
        shares: How likely each fault is to meet a request, by its name; together at most 1.
        seed: Seed of all that is left to chance.
        limit: How many faults are injected before they pass for good; None: they never do.
        routes: "batch" for the batch upload alone, or "all" requests with good credentials.
        delay: Seconds that "slow" and "late" take.
        retry_after: Seconds that the `-after` and `-date` refusals ask the client to wait.

    Raises:
        ValueError: A name or a share that makes no sense.
    """

    def __init__(
        self,
        shares: Mapping[str, float] | None = None,
        *,
        seed: int = 0,
        limit: int | None = None,
        routes: Literal["batch", "all"] = "batch",
        delay: float = 5.0,
        retry_after: float = 1.0,
    ) -> None:
        self.shares: dict[str, float] = _checked(shares or {})
        self.limit = limit
        self.routes = routes
        self.delay = delay
        self.retry_after = retry_after
        self.injected: int = 0
        """How many faults there were so far."""
        self.chance: random.Random = random.Random(seed)
        """Picks the members that are hit. It is not what the faults are drawn with: concurrent
        requests come to their members in any order, and the schedule must not depend on it."""
        self._draws = random.Random(seed)
        self._script: list[str] = []

    @classmethod
    def script(
        cls,
        names: Iterable[str],
        *,
        seed: int = 0,
        routes: Literal["batch", "all"] = "batch",
        delay: float = 5.0,
        retry_after: float = 1.0,
    ) -> Faults:
        """Exactly these faults, one a request ("ok" for none); then none."""
        faults = cls(seed=seed, routes=routes, delay=delay, retry_after=retry_after)
        faults._script = [name if name == OK else _known(name) for name in names][::-1]
        return faults

    @classmethod
    def parse(cls, text: str, *, seed: int = 0, limit: int | None = None) -> Faults:
        """The schedule that a line such as "reset-after:0.05,503:0.1" describes."""
        shares = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, share = part.partition(":")
            try:
                shares[name.strip()] = float(share)
            except ValueError:
                msg = f"{part!r} is no fault: write name:share, as in reset-after:0.05"
                raise ValueError(msg) from None
        return cls(shares, seed=seed, limit=limit)

    def __repr__(self) -> str:
        return f"Faults({self.shares!r}, limit={self.limit}, injected={self.injected})"

    def next(self) -> str | None:
        """The name of the fault that meets the next request, or None."""
        name = self._script.pop() if self._script else self._drawn()
        if name == OK or name is None:
            return None
        self.injected += 1
        return name

    def _drawn(self) -> str | None:
        if not self.shares:
            return None
        point = self._draws.random()  # drawn even past the limit: it shifts no later draw
        if self.limit is not None and self.injected >= self.limit:
            return None
        for name, share in self.shares.items():
            point -= share
            if point < 0:
                return name
        return None


def _known(name: str) -> str:
    if name not in FAULTS:
        msg = f"no fault is called {name!r}: choose from {', '.join(FAULTS)}"
        raise ValueError(msg)
    return name


def _checked(shares: Mapping[str, float]) -> dict[str, float]:
    for name, share in shares.items():
        _known(name)
        if not 0 <= share <= 1:
            msg = f"the share of {name} must be from 0 to 1, not {share!r}"
            raise ValueError(msg)
    if math.fsum(shares.values()) > 1 + 1e-9:
        msg = "the shares of all faults together must be at most 1"
        raise ValueError(msg)
    return dict(shares)
