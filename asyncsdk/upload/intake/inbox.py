"""The rows of a sender: they come one at a time, and leave together."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.condition import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asyncsdk.results import PhoneResult

__all__ = ["Inbox"]


@define(eq=False)
class Inbox:
    """Rows that wait to be drawn, and the callers who wait for their fates.

    It stands in the place of a source (see `Rows`); an earlier run cannot be read again in it.

    Args:
        size: Rows of a full batch.
        linger: Seconds that the first row of a batch waits for others.
    """

    total = None
    repeats = False

    size: int
    linger: float
    exhausted: bool = field(default=False, init=False)
    stopped: bool = field(default=False, init=False)
    _rows: deque[tuple[object, float, asyncio.Future[PhoneResult]]] = field(
        factory=deque, init=False
    )
    """Each with the time of its coming."""
    _callers: dict[int, asyncio.Future[PhoneResult]] = field(factory=dict, init=False)
    """Of the rows that were drawn and have no fate yet, by their indices."""
    _next: int = field(default=0, init=False)
    """The index of the row that is drawn next."""
    _closed: bool = field(default=False, init=False)
    loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop, init=False)
    """The one in which it is used."""
    _changed: Condition = field(factory=Condition, init=False)

    # -- for the callers -------------------------------------------------------------------

    def put(self, row: object) -> asyncio.Future[PhoneResult]:
        """Take a row; returns what gives its result once it has met its fate."""
        caller: asyncio.Future[PhoneResult] = self.loop.create_future()
        self._rows.append((row, self.loop.time(), caller))
        if len(self._rows) in {1, self.size}:
            self._changed.notify_all()
        return caller

    def end(self) -> None:
        """No more rows will come: what waits leaves at once."""
        self._closed = True
        self._changed.notify_all()

    def answer(self, results: Iterable[PhoneResult]) -> int:
        """Give their results to those who wait for them; returns to how many."""
        answered = 0
        for result in results:
            caller = self._callers.pop(result.index, None)
            answered += caller is not None
            if caller is not None and not caller.done():  # it may not wait any more
                caller.set_result(result)
        return answered

    def fail(self, error: Callable[[], Exception]) -> int:
        """Give an error to all who still wait: their rows are in no account.

        Returns:
            How many they are.
        """
        left = [*self._callers.values(), *(caller for _, _, caller in self._rows)]
        for caller in left:
            if not caller.done():
                caller.set_exception(error())
        self._callers.clear()
        self._rows.clear()
        return len(left)

    # -- for the reader, as `Rows` ---------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether a batch is full, its first row has waited long enough, or no more will come."""
        full = self._closed or len(self._rows) >= self.size
        return full or (bool(self._rows) and self.loop.time() >= self._due)

    @property
    def _due(self) -> float:
        return self._rows[0][1] + self.linger

    async def wait(self) -> None:
        """Return when a batch is to leave."""
        while not self.ready:
            timer = self.loop.call_at(self._due, self._changed.notify_all) if self._rows else None
            try:
                await self._changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    async def draw(self, piece: list[object], size: int) -> None:
        """Add to a piece what is there, until it has so many rows."""
        for _ in range(min(size - len(piece), len(self._rows))):
            self._draw_one(piece)
        self.exhausted = self._closed and not self._rows

    @property
    def drained(self) -> bool:
        """Whether none is there at the moment."""
        return not self._rows

    def begin(self, first: int) -> None:
        """Number the rows from this index on."""
        self._next = first

    def take_rest(self, piece: list[object]) -> None:
        """Add all that is left to a piece: it is given up, and accounted for like the others."""
        while self._rows:
            self._draw_one(piece)

    def _draw_one(self, piece: list[object]) -> None:
        row, _, caller = self._rows.popleft()
        piece.append(row)
        self._callers[self._next] = caller
        self._next += 1

    async def deliver(self, cancelled: asyncio.CancelledError, _: list[object]) -> None:
        """Let nobody see a cancellation: there is no foreign code here."""
        raise cancelled

    async def close(self) -> None:
        """Do nothing: it is closed by whoever fills it."""
