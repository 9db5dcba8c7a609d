"""What happened when in an upload, in a fixed amount of memory however long it takes.

Time is cut into slots of equal length. When they are used up, pairs of them merge and each becomes
twice as long, so that noting something takes the same time at the end as at the start.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, zip_longest
from operator import add

import msgspec

__all__ = ["History", "Slot", "Timeline"]

_SLOTS = 240
_WIDTH = 0.05
"""Seconds of a slot at the start."""
_MOST = 1e15
"""Of anything: what is not a number is not below it."""
_STEP = 2**0.25
"""How much longer each class of latencies is than the one before."""
_LATENCIES = tuple(0.0005 * _STEP**at for at in range(84))
"""The upper ends of the classes, in seconds: half a millisecond to a quarter of an hour."""


class Slot(msgspec.Struct, frozen=True):
    """What happened in a stretch of time."""

    settled: int = 0
    """Phones whose fate was known."""
    requests: int = 0
    """Requests that ended."""
    retries: int = 0
    """Those of them that carried phones for a second time or more."""
    paused: float = 0.0
    """Seconds of it in which the server had asked to wait."""


class History(msgspec.Struct, frozen=True):
    """The course of an upload."""

    width: float
    """Seconds of a slot."""
    slots: tuple[Slot, ...]
    latencies: tuple[int, ...]
    """Requests in each class of latency."""

    def check(self) -> None:
        """Do nothing if this can have happened.

        Raises:
            ValueError: It cannot: a file that says so was not written here.
        """
        amounts = (amount for slot in self.slots for amount in msgspec.structs.astuple(slot))
        ok = (
            0 < self.width < _MOST
            and len(self.slots) <= _SLOTS
            and len(self.latencies) <= len(_LATENCIES) + 1
            and all(0 <= amount < _MOST for amount in (*amounts, *self.latencies))
        )
        if not ok:
            msg = "the course of a run makes no sense"
            raise ValueError(msg)

    def latency(self, share: float) -> float | None:
        """Seconds within which this share of the requests ended, to a fifth; None if none did.

        Args:
            share: 0 to 1, such as 0.5 for the median.
        """
        total = sum(self.latencies)
        if not total:
            return None
        at = bisect_left(list(accumulate(self.latencies)), share * total)
        return _LATENCIES[min(at, len(_LATENCIES) - 1)]

    def classes(self) -> list[tuple[float, int]]:
        """The classes of latency from the first to the last that has any: upper end and count."""
        used = [at for at, count in enumerate(self.latencies) if count]
        if not used:
            return []
        span = range(used[0], used[-1] + 1)
        return [(_LATENCIES[min(at, len(_LATENCIES) - 1)], self.latencies[at]) for at in span]


_Amounts = list[float]
"""What is noted of one slot: phones, requests, retries, and seconds of pause."""
_NOTHING = (0, 0, 0, 0.0)


class Timeline:
    """Notes what happens, at a cost that does not grow.

    Args:
        began: The time at which the first slot begins, by the clock of all the others.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._width = _WIDTH
        self._slots: list[_Amounts] = [[*_NOTHING]]
        """Up to the last moment of which something was noted."""
        self._paused_until = began
        self._latencies = [0] * (len(_LATENCIES) + 1)

    def settled(self, now: float, phones: int) -> None:
        """The fate of so many phones is known."""
        self._slot(now)[0] += phones

    def request(self, now: float, seconds: float, *, again: bool) -> None:
        """A request ended after so many seconds; `again` if it carried phones sent before."""
        slot = self._slot(now)
        slot[1] += 1
        if again:
            slot[2] += 1
        self._latencies[bisect_left(_LATENCIES, seconds)] += 1

    def paused(self, now: float, until: float) -> None:
        """Everybody waits until then; what was noted of that before is not counted again."""
        start = max(now, self._paused_until)
        if until <= start:
            return
        self._paused_until = until
        self._slot(until)  # from here on the slots are as long as they will be
        for at in range(self._place(start), self._place(until) + 1):
            begins = self._began + at * self._width
            part = min(until, begins + self._width) - max(start, begins)
            self._slots[at][3] += max(0.0, part)

    def history(self, elapsed: float) -> History:
        """The course up to now.

        Args:
            elapsed: Seconds since the beginning.
        """
        self._slot(self._began + elapsed)
        used = self._slots[: self._place(self._began + elapsed) + 1]
        slots = tuple([Slot(int(a), int(b), int(c), paused) for a, b, c, paused in used])
        return History(self._width, slots, tuple(self._latencies))

    def _slot(self, when: float) -> _Amounts:
        """The slot of a moment, of which there may have to be more first."""
        at = self._place(when)
        if at >= len(self._slots):
            at = self._grown(when)
        return self._slots[at]

    def _place(self, when: float) -> int:
        """Which slot a moment would be in, whether there are so many or not."""
        at = int((when - self._began) / self._width)
        return max(0, at)

    def _grown(self, when: float) -> int:
        """Slots merge, and new ones come, until a moment has one; returns its place."""
        while (at := self._place(when)) >= _SLOTS:
            pairs = zip_longest(self._slots[::2], self._slots[1::2], fillvalue=_NOTHING)
            self._slots = [list(map(add, *pair)) for pair in pairs]
            self._width *= 2
        self._slots += [[*_NOTHING] for _ in range(at + 1 - len(self._slots))]
        return at
