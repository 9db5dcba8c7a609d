"""What a worker does next: what came back first, then the source."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.upload.intake.batches import Batch, Batches

__all__ = ["Work"]


class Work:
    """Hands out batches until the source is exhausted and nothing can come back any more.

    One worker at a time draws from the source; the others take what came back, or wait.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._returned: deque[Batch] = deque()
        self._held = 0
        self._drawing = False
        self._exhausted = False
        self._waiting: list[asyncio.Future[None]] = []

    async def next(self) -> Batch | None:
        """The next batch, to be followed by `done`; None when there is no more work.

        Raises:
            Exception: Whatever the source raises.
        """
        while True:
            if self._returned:
                self._held += 1
                return self._returned.popleft()
            if not self._drawing and not self._exhausted:
                batch = await self._draw()
                if batch is not None:
                    return batch
            elif self._exhausted and not self._held:
                return None
            else:
                await self._change()

    def put(self, batch: Batch) -> None:
        """Give rows back: they go out again before anything new."""
        self._returned.append(batch)
        self._wake()

    def done(self) -> None:
        """A batch that was handed out is settled, or was given back."""
        self._held -= 1
        self._wake()

    def rest(self) -> Iterator[Batch]:
        """Everything that is in no worker's hands."""
        while self._returned:
            yield self._returned.popleft()
        yield from self._batches.rest()

    async def _draw(self) -> Batch | None:
        self._drawing = True
        try:
            batch = await self._batches.next()
            if batch is None:
                self._exhausted = True
            else:
                self._held += 1
            return batch
        finally:
            self._drawing = False
            self._wake()

    async def _change(self) -> None:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(changed)
        await changed

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for changed in waiting:
            if not changed.done():
                changed.set_result(None)
