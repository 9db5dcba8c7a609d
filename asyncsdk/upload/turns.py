"""The event loop is shared: so much work between two of its rounds, and no more."""

from __future__ import annotations

import asyncio
from collections import deque

from attrs import define, field

__all__ = ["Stride", "Turns"]

_HOLD = 0.002
"""Seconds for which one step may hold the event loop."""
_SHORTEST, _LONGEST = 8, 500
"""Rows in a step. The longest is shorter than what sets off the garbage collector, which does so at
700 new objects (see `gc.get_threshold`): the rows are gone before."""


class Turns:
    """Lets those work who come, in their order, as far as one round of the event loop has room.

    Replies that came together would otherwise hold it for as many batches as there are.

    Args:
        room: What may be done in a round, in any unit; a job larger than that gets one to itself.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        """Of this round."""
        self._promised = 0
        """Of the next, to those who were let in for it."""
        self._counting = False
        """Whether the next round will be noticed."""
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, work: int) -> None:
        """Return when so much may be done at once, in a later round than this."""
        await asyncio.sleep(0)
        self._count()
        if not self._waiting and self._fits(self._used, work):
            self._used += work
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, turn))
        await turn

    def _fits(self, used: int, work: int) -> bool:
        return not used or used + work <= self._room

    def _count(self) -> None:
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        self._counting = False
        self._used, self._promised = self._promised, 0
        while self._waiting and self._fits(self._promised, self._waiting[0][0]):
            work, turn = self._waiting.popleft()
            if not turn.done():
                self._promised += work
                turn.set_result(None)
        if self._promised:
            self._count()


@define
class Stride:
    """How many rows are drawn and checked in one step: fewer where that takes long."""

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
