"""The event loop is shared: so much work between two of its rounds, and no more."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LoopShare", "Steps", "Stride"]

_HOLD = 0.002
"""Seconds for which one step may hold the event loop."""
_SHORTEST, _LONGEST = 8, 500
"""Rows in a step. The longest is shorter than what sets off the garbage collector, which does so at
700 new objects (see `gc.get_threshold`): the rows are gone before."""


class LoopShare:
    """Lets those work who come, in their order, as far as one round of the event loop has room.

    Replies that came together would otherwise hold it for as many batches as there are. Who finds
    room works at once; the others are let in by the next round, and work in the one after.

    `_let_in` runs somewhere within a round, so two intervals between its calls share one: what is
    done at once in both has to have room in a single round.

    Args:
        room: What may be done in a round, in any unit; a job larger than that gets one to itself.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._at_once = 0
        """Done at once since the last call."""
        self._before = 0
        """What is done in its round, or before."""
        self._let_in_last = 0
        """What it let in, which is done in the next round, by those who came before all others."""
        self._due = False
        """Whether there will be another call."""

    async def acquire(self, work: int) -> None:
        """Return when so much may be done: now, where there is room."""
        used = self._before + self._at_once
        if not self._waiting and not self._let_in_last and (not used or used + work <= self.room):
            self._at_once += work
            if not self._due:
                self._let_in_next_round()
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, admitted))
        await admitted

    def _let_in_next_round(self) -> None:
        self._due = True
        asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        used = 0
        while self._waiting and (not used or used + self._waiting[0][0] <= self.room):
            work, admitted = self._waiting.popleft()
            if not admitted.done():
                used += work
                admitted.set_result(None)
        self._before, self._at_once = self._at_once + self._let_in_last, 0
        self._let_in_last = used
        self._due = False
        if used or self._before:
            self._let_in_next_round()


@define
class Stride:
    """How many rows are drawn and checked in one step: fewer where that takes long.

    The time that an async source takes counts as well: small steps do no harm there.
    """

    rows: int = field(default=64, init=False)
    _held: float = field(default=0.0, init=False)
    """Seconds since others were let in."""

    def took(self, seconds: float) -> bool:
        """Learn how long a step took; returns whether it is time to let others in."""
        if seconds > _HOLD:
            self.rows = max(_SHORTEST, self.rows // 2)
        elif seconds < _HOLD / 4:
            self.rows = min(_LONGEST, self.rows * 2)
        self._held += seconds
        if self._held <= _HOLD / 2:
            return False
        self._held = 0.0
        return True


class Steps:
    """Cuts long work into steps, and says when others are to be let in.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stride = Stride()
        self._began = 0.0

    def begin(self) -> int:
        """Begin a step; returns how many rows it may have."""
        self._began = self._clock()
        return self._stride.rows

    def end(self) -> bool:
        """A step is done; returns whether it is time to let others in."""
        return self._stride.took(self._clock() - self._began)
