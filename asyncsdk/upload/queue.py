"""What a worker does next: what came back first, then what the reader brings."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.upload.flights import Flight

__all__ = ["Queue"]


class Queue:
    """Hands out batches until the source is exhausted and nothing can come back any more.

    It holds next to nothing itself: the reader brings more when somebody waits for it.

    Args:
        endless: Whether the source may go on for as long as the program: what has to wait until no
            more work is under way then interrupts it.
    """

    def __init__(self, *, endless: bool = False) -> None:
        self.endless: bool = endless
        self._interrupted = False
        self._returned: deque[Flight] = deque()
        self._ready: deque[Flight] = deque()
        self._handed_out = 0
        self._waiting = 0
        """Workers that found nothing; those that are woken count until they have come."""
        self._exhausted = False
        self._more = Condition()
        self._demand = Condition()

    @property
    def more(self) -> bool:
        """Whether there may be work for one more who asks."""
        return bool(self._returned or self._ready) or not self._exhausted

    async def get(self) -> Flight | None:
        """The next batch, to be followed by `done`; None when there is no more work for now."""
        while not self._interrupted:
            queue = self._returned or self._ready
            if queue:
                self._handed_out += 1
                return queue.popleft()
            if self._exhausted and not self._handed_out:
                return None
            self._waiting += 1
            self._demand.notify_all()
            try:
                await self._more.wait()
            finally:
                self._waiting -= 1
        return None

    def interrupt(self) -> None:
        """Hand out nothing before `resume`, if the source is endless."""
        self._interrupted = self.endless
        if self._interrupted:
            self._more.notify_all()

    def resume(self) -> None:
        """Hand out what there is again."""
        self._interrupted = False

    def put_back(self, flights: Sequence[Flight]) -> None:
        """Give batches back: they go out again before anything new."""
        if not flights:
            return
        self._returned.extend(flights)
        self._more.notify(len(flights))

    def done(self) -> None:
        """A batch that was handed out is settled, or was given back."""
        self._handed_out -= 1
        if self._exhausted and not self._handed_out:
            self._more.notify_all()

    # -- for the reader --------------------------------------------------------------------

    @property
    def wanted(self) -> int:
        """Batches that are waited for, beyond those that are there."""
        return self._waiting - len(self._ready) - len(self._returned)

    async def demand(self) -> None:
        """Return when some are."""
        while self.wanted <= 0:
            await self._demand.wait()

    def put(self, flights: Sequence[Flight]) -> None:
        """Bring new batches."""
        self._ready.extend(flights)
        self._more.notify(len(flights))

    def exhaust(self) -> None:
        """Nothing new will come."""
        self._exhausted = True
        self._more.notify_all()
