"""Blocking reads off the event loop: a thread reads one chunk ahead of what is consumed."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

__all__ = ["CHUNK", "read_ahead"]

T = TypeVar("T")

CHUNK = 1000
"""Items that are read at a time: those of one batch."""


async def read_ahead(items: Iterator[T], size: int = CHUNK) -> AsyncGenerator[T, None]:
    """The items of a blocking iterator, which is advanced in a thread, `size` at a time.

    No more than two chunks are held. When the consumer lets go while the thread reads, the iterator
    is closed as soon as that read returns.
    """
    reading = _begin(items, size)
    try:
        while True:
            chunk, error = await asyncio.shield(reading)
            # An iterator that raised, or gave less than it was asked for, is at its end.
            last = error is not None or len(chunk) < size
            if not last:
                reading = _begin(items, size)
            for item in chunk:
                yield item
            if error is not None:
                raise error
            if last:
                return
    finally:
        reading.add_done_callback(lambda _: _close(items))


def _begin(items: Iterator[T], size: int) -> asyncio.Future[tuple[list[T], Exception | None]]:
    return asyncio.get_running_loop().run_in_executor(None, _take, items, size)


def _take(items: Iterator[T], size: int) -> tuple[list[T], Exception | None]:
    """The next items; an error comes after those that were read before it."""
    chunk: list[T] = []
    try:
        chunk.extend(islice(items, size))
    except Exception as error:  # it is raised where the items are consumed
        return chunk, error
    return chunk, None


def _close(items: object) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
