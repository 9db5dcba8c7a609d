"""The caller's rows, drawn one after the other: foreign code, whose every end has a meaning."""

from __future__ import annotations

import asyncio
import inspect
import io
import logging
import sys
from collections.abc import AsyncIterable, Iterable, Sized
from contextlib import aclosing, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast

from attrs import frozen

from asyncsdk.errors import ConfigurationError
from asyncsdk.upload.intake.rows import has_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from asyncsdk.models import Phone
    from asyncsdk.upload.intake.columns import Columns

__all__ = ["FramePhones", "RowSource", "check_source", "framed", "options_noted"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_LISTS = frozenset({list, tuple})
"""What holds rows for certain, and nothing else."""

_FRAMES = {
    "pandas": {"DataFrame"},
    "polars": {"DataFrame", "LazyFrame"},
    "pyarrow": {"RecordBatch", "RecordBatchReader", "Table"},
    "duckdb": {"DuckDBPyRelation"},
    "_duckdb": {"DuckDBPyRelation"},
}
"""Data frames, by the library that has them: iterating one gives its columns, or nothing."""


def framed(source: Any, columns: Columns | None, country: str | None = None) -> Any:
    """What rows are drawn from: the phones in a data frame, and everything else as it is.

    Args:
        source: What a caller gave.
        columns: From which column of a data frame each field is read.
        country: Which column of it says in which country each phone is.
    """
    if type(source) in _LISTS:
        return source
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(source).__mro__}
    known = any(name in _FRAMES.get(library, ()) for library, name in kinds)
    return FramePhones(source, columns, country) if known else source


def options_noted(source: object, given: Mapping[str, object]) -> dict[str, Any]:
    """The options that a rejects file notes, where the caller leaves them out.

    Args:
        source: What a caller gave.
        given: The options that the caller gave with it.

    Raises:
        ConfigurationError: There are several lists, and not all of them note the same.
    """
    table = sys.modules.get("asyncsdk.sources.table")  # it is loaded if this is a list of its
    if table is None or not isinstance(source, table.Source):
        return {}
    from asyncsdk.sources.noted import NORMALIZE, as_noted, as_options

    region = given["normalize"]
    in_part = region is None or isinstance(region, str)  # else it says the rest of it, too
    noted = as_noted(source, {**NORMALIZE, **given} if in_part else given)
    if noted:
        logger.info("as noted in %s: %s", source.parts[0].path, noted)
    return as_options(noted, region)


def check_source(source: object) -> None:
    """Do nothing if phones can be drawn from this.

    Raises:
        ConfigurationError: It is not iterable, a single row, or a file that gives bytes.
    """
    if type(source) in _LISTS:
        return
    if _is_binary(source):
        msg = (
            f"phones must be text, and this {type(source).__name__} gives bytes: give the lines of "
            "a file that is open as text, or what asyncsdk.sources.read makes of any other list"
        )
        raise ConfigurationError(msg)
    single = isinstance(source, (str, bytes, bytearray)) or _is_row(source)
    if single or not isinstance(source, (Iterable, AsyncIterable)):
        msg = (
            "phones must be an iterable or async iterable of Phone, rows with keys or str, "
            f"not {'a single ' if single else ''}{type(source).__name__}; "
            "asyncsdk.sources.read reads files"
        )
        raise ConfigurationError(msg)


def _is_row(source: object) -> bool:
    # A column of pandas has keys as well: those of its values, each of which is a phone.
    return has_keys(source) and not hasattr(source, "iloc")


def _is_binary(source: object) -> bool:
    if isinstance(source, (io.RawIOBase, io.BufferedIOBase)):
        return True
    mode = getattr(source, "mode", None)
    return hasattr(source, "readline") and isinstance(mode, str) and "b" in mode


@frozen(eq=False)
class FramePhones:
    """The phones in a data frame, which is read when they are asked for."""

    frame: Any
    columns: Columns | None
    country: str | None

    @property
    def may_say_country(self) -> bool:
        """Whether a column of it has a name as if it said in which country each phone is."""
        from asyncsdk.sources.names import is_country

        return any(map(is_country, _names_in(self.frame)))

    def __len__(self) -> int:
        return len(self.frame)

    async def __aiter__(self) -> AsyncIterator[Phone]:
        source = await asyncio.to_thread(self._read)
        async with aclosing(aiter(source)) as phones:
            async for phone in phones:
                yield phone

    def _read(self) -> Any:
        from asyncsdk.sources import read

        columns = None if self.columns is None else self.columns.chosen
        return read(self.frame, columns=columns, country=self.country)


def _names_in(frame: Any) -> list[str]:
    """What the columns of a frame of any library are called."""
    if hasattr(frame, "collect_schema"):  # of polars, lazy ones too
        names = frame.collect_schema().names()
    elif hasattr(frame, "schema"):  # of pyarrow
        names = frame.schema.names
    else:
        names = frame.columns
    return list(map(str, names))


def _length(source: object) -> int | None:
    """How many rows there are, where the source has a length; it is foreign code."""
    try:
        return len(source) if type(source) in _LISTS or isinstance(source, Sized) else None  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - whatever it is, the rows may be good
        return None


@frozen(eq=False)
class _Begun:
    """An iterator that is gone on with: asked for an iterator once more, many begin anew."""

    rows: Any

    def __iter__(self) -> Iterator[object]:
        return self.rows  # type: ignore[no-any-return]

    def __aiter__(self) -> AsyncIterator[object]:
        return self.rows  # type: ignore[no-any-return]


class Rows(Protocol):
    """What a reader draws rows from."""

    exhausted: bool
    """Whether there are no more."""
    stopped: bool
    """Whether nobody wants any more."""

    @property
    def total(self) -> int | None:
        """How many there are in all, if that is known."""

    @property
    def repeats(self) -> bool:
        """Whether a later run gives the same rows again from the first one on."""

    @property
    def ready(self) -> bool:
        """Whether it is time to draw a batch."""

    @property
    def drained(self) -> bool:
        """Whether a batch is to leave as it is, for there are no more rows at the moment."""

    async def wait(self) -> None:
        """Return when `ready`."""

    async def draw(self, piece: list[object], size: int) -> None:
        """Add rows to a piece until it has so many, or there are no more."""

    def begin(self, first: int) -> None:
        """Rows were read before: the next one has this index."""

    def take_rest(self, piece: list[object]) -> None:
        """Add to a piece what is to be accounted for although nobody draws it any more."""

    async def deliver(self, cancelled: asyncio.CancelledError, piece: list[object], /) -> None:
        """Let foreign code see a cancellation that nobody else asked for."""

    async def close(self) -> None:
        """Let go of the source."""


class RowSource:
    """The rows of an iterable or an async iterable, as `Rows`.

    All methods are for one task alone: an async generator may hold a timeout, a task group or a
    context variable of the task that it runs in.
    """

    repeats = True
    ready = True
    drained = False

    def __init__(self, source: Iterable[object] | AsyncIterable[object]) -> None:
        self._source = source
        self.total: int | None = _length(source)
        self.arrived: Callable[[], None] | None = None
        """Called when a row has come for which the others may have to be waited for."""
        self._rows: Iterator[object] | None = None
        self._arows: AsyncIterator[object] | None = None
        self.exhausted: bool = False
        self.stopped = False
        """Whether nobody wants any more rows."""

    def take_all(self, piece: list[object], most: int) -> bool:
        """Add all rows to a piece if they are in a list, and so few; returns whether they are."""
        source: Any = self._source
        if type(source) not in _LISTS or len(source) > most:
            return False
        piece.extend(source)
        self.exhausted = True
        return True

    async def draw(self, piece: list[object], size: int) -> None:
        """Add rows to a piece until it has so many, or find the source exhausted.

        Raises:
            BaseException: Whatever the source raises; what it gave before is in the piece.
        """
        if self._rows is None and isinstance(self._source, AsyncIterable):
            if self._arows is None:
                self._arows = aiter(self._source)
            async for row in _Begun(self._arows):
                piece.append(row)
                if self.arrived is not None:
                    self.arrived()
                if len(piece) >= size or self.stopped:
                    return
        else:
            if self._rows is None:
                self._rows = iter(cast("Iterable[object]", self._source))
            piece.extend(islice(_Begun(self._rows), size - len(piece)))
            if len(piece) >= size:
                return
        self.exhausted = True

    async def wait(self) -> None:
        """Do nothing: rows may be drawn at any time."""

    def begin(self, first: int) -> None:
        """Do nothing: what was read before is read again."""

    def take_rest(self, piece: list[object]) -> None:
        """Do nothing: what was not drawn is not read."""

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
        """Let go of the source; close it if it is a generator: others are their owner's to close.

        One that has not come to its end sees a cancellation: a timeout or a task group around its
        rows takes that for the end of its task, and a `GeneratorExit` for an error.
        """
        rows, arows = self._rows, self._arows
        self._source, self._rows, self._arows = (), None, None
        if inspect.isasyncgen(arows):
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                if arows.ag_frame is not None:
                    await arows.athrow(asyncio.CancelledError())
            await arows.aclose()
        elif inspect.isgenerator(rows):
            rows.close()
