"""From the workers to one `async for`: settled rows, with backpressure."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition

if TYPE_CHECKING:
    from asyncsdk.ledger.entry import Entry

__all__ = ["Channel"]


class Channel:
    """Entries that wait for their consumer.

    Putting never blocks, so nothing that was settled can be lost by a cancellation; a worker then
    waits for `room` before it does more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: deque[Entry] = deque()
        self._changed = Condition()
        self._closed = False

    def put(self, entry: Entry) -> None:
        """Add an entry."""
        self._entries.append(entry)
        self._changed.notify_all()

    async def room(self) -> None:
        """Wait until the consumer has caught up."""
        while len(self._entries) > self._limit:
            await self._changed.wait()

    async def get(self) -> Entry | None:
        """The next entry, or None after the last."""
        while not self._entries:
            if self._closed:
                return None
            await self._changed.wait()
        entry = self._entries.popleft()
        self._changed.notify_all()
        return entry

    def lift_limit(self) -> None:
        """From here on there is always room: no consumer is waited for any more."""
        self._limit = sys.maxsize
        self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will be put."""
        self._closed = True
        self._changed.notify_all()

    def leftover(self) -> list[Entry]:
        """Take out what was not consumed."""
        entries = list(self._entries)
        self._entries.clear()
        return entries
