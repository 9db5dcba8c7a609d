"""The caller's rows, drawn one after the other: foreign code, whose every end has a meaning."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["RowSource", "check_source"]


def check_source(source: object) -> None:
    """Do nothing if phones can be drawn from this.

    Raises:
        ConfigurationError: It is not iterable, or a single text or mapping.
    """
    single = isinstance(source, (str, bytes, Mapping))
    if single or not isinstance(source, (Iterable, AsyncIterable)):
        msg = (
            "phones must be an iterable or async iterable of Phone, mapping or str, "
            f"not {'a single ' if single else ''}{type(source).__name__}"
        )
        raise ConfigurationError(msg)


class RowSource:
    """The rows of an iterable or an async iterable.

    All methods are for one task alone: an async generator may hold a timeout, a task group or a
    context variable of the task that it runs in.
    """

    def __init__(self, source: Iterable[object] | AsyncIterable[object]) -> None:
        self._source = source
        self._rows: Iterator[object] | None = None
        self._arows: AsyncIterator[object] | None = None
        self.exhausted = False
        self.stopped = False
        """Whether nobody wants any more rows."""

    async def draw(self, piece: list[object], size: int) -> None:
        """Add rows to a piece until it has so many, or find the source exhausted.

        Raises:
            BaseException: Whatever the source raises; what it gave before is in the piece.
        """
        if isinstance(self._source, AsyncIterable):
            if self._arows is None:
                self._arows = aiter(self._source)
            async for row in self._arows:
                piece.append(row)
                if len(piece) >= size or self.stopped:
                    return
        else:
            if self._rows is None:
                self._rows = iter(self._source)
            piece.extend(islice(self._rows, size - len(piece)))
            if len(piece) >= size:
                return
        self.exhausted = True

    async def deliver(self, cancelled: asyncio.CancelledError, piece: list[object]) -> None:
        """Let the source see a cancellation of its task that nobody else asked for.

        Its own timeout or task group has made it, while the task was about something else, and
        turns it into the error that it stands for.

        Args:
            cancelled: The cancellation.
            piece: Takes a row that the source goes on with in spite of it.

        Raises:
            BaseException: What the source makes of it; the cancellation itself where the source
                is no generator, and so cannot have made it.
        """
        if not inspect.isasyncgen(self._arows):
            raise cancelled
        try:
            piece.append(await self._arows.athrow(cancelled))
        except StopAsyncIteration:
            self.exhausted = True

    async def close(self) -> None:
        """Close the source if it is a generator; others are for their owner to close.

        One that has not come to its end sees a cancellation: a timeout or a task group around its
        rows takes that for the end of its task, and a `GeneratorExit` for an error.
        """
        if inspect.isasyncgen(self._arows):
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                if self._arows.ag_frame is not None:
                    await self._arows.athrow(asyncio.CancelledError())
            await self._arows.aclose()
        elif inspect.isgenerator(self._rows):
            self._rows.close()
