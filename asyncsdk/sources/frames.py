"""Data frames, Parquet and Arrow files as phones, by narwhals and polars (the extra `files`)."""

from __future__ import annotations

import os
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.places import ROW
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.cells import texts_of
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.foreign import foreign_faults
from asyncsdk.sources.opening import kept, open_input
from asyncsdk.sources.rejects import first_note
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["FrameSource", "is_frame", "read_arrow", "read_frame", "read_parquet", "read_rows"]

_BATCH = 10_000
"""Rows of a frame that are turned into texts at a time."""
_SAMPLE_ROWS = 1000
_PATIENCE = 60.0
"""Seconds that a batch of a file may take."""
_ARROW_FILE = b"ARROW1"

Batch = list[list[str]]
"""Some rows, as the texts of each column."""


class FrameSource(Table):
    """The phones of a table whose cells have types. A row's line is its number, from 1.

    A file is read by a process of its own, at each iteration anew.
    """

    reopenable = True
    unit = ROW

    def __init__(
        self,
        path: str | None,
        batches: Callable[[], Iterator[Batch]],
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
        *,
        first_line: int = 1,
    ) -> None:
        super().__init__(path, columns, mapping)
        self._batches = batches
        self._first_line = first_line

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        return zip(count(self._first_line), _rows(self._batches()), strict=False)


def is_frame(source: object) -> bool:
    """Whether this is a data frame of some library, rather than a file."""
    if hasattr(source, "read") or hasattr(source, "__fspath__"):
        return False
    return any(
        hasattr(source, name)
        for name in ("__arrow_c_stream__", "__dataframe__", "__narwhals_dataframe__", "collect")
    )


def read_frame(
    frame: Any,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
) -> FrameSource:
    """A contact list in a data frame, ready to be uploaded.

    Args:
        frame: Of pandas, polars (lazy ones too), pyarrow or duckdb, or anything that speaks the
            Arrow PyCapsule interface.
        columns: Fields of `Phone` to column names or 1-based numbers.
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The column that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).

    Raises:
        SourceError: It is no data frame, or no column looks like phones.
        ImportError: narwhals is not installed.
    """
    wanted = Wanted(columns, names, country, ask)
    narwhals = _narwhals()
    with foreign_faults(None, lambda: None, "cannot be read as a data frame"):
        known = narwhals.from_native(frame, pass_through=True)
        if isinstance(known, narwhals.LazyFrame) and hasattr(frame, "collect_batches"):
            found = frame.collect_schema().names()
            return _source(None, found, lambda: _texts(_streamed(frame)), wanted)
        if isinstance(known, narwhals.LazyFrame):
            known = known.collect(backend="polars")
        elif not isinstance(known, narwhals.DataFrame):
            known = narwhals.from_native(_polars("this frame").DataFrame(frame))
    return _source(None, known.columns, lambda: _texts(_slices(known)), wanted)


def read_parquet(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    max_bytes: int | None = None,
) -> FrameSource:
    """A contact list in a Parquet file, ready to be uploaded; arguments as for `read_frame`.

    Args:
        source: A path, or a file object; it stays open.
        columns: As for `read_frame`.
        names: As for `read_frame`.
        country: As for `read_frame`.
        ask: As for `read_frame`.
        max_bytes: Bytes that the file may unpack to, and of memory that reading it may take beyond
            its size; None for 2 GiB.

    Raises:
        SourceError: The file cannot be read, asks for more than that, or no column looks like
            phones.
        ImportError: polars is not installed.
    """
    return _file(
        kept(open_input(source, 0, max_bytes)), "parquet", Wanted(columns, names, country, ask)
    )


def read_rows(
    source: Input,
    first: int,
    rows: int,
    columns: tuple[str, ...],
    mapping: dict[str, ColumnChoice],
) -> FrameSource:
    """Some rows of a Parquet file, of which it is known what is in which column.

    Args:
        source: The file.
        first: The first of them, from 0.
        rows: How many.
        columns: The names of the columns.
        mapping: The column of each field.
    """
    options = {"format": "parquet", "first": first, "rows": rows}
    batches = partial(_batches, source, options)
    return FrameSource(source.name, batches, columns, mapping, first_line=first + 1)


def read_arrow(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    max_bytes: int | None = None,
) -> FrameSource:
    """A contact list in an Arrow (IPC) file or stream, ready to be uploaded; as `read_parquet`."""
    opened = kept(open_input(source, len(_ARROW_FILE), max_bytes))
    with opened.peeking() as file:
        whole = file.read(len(_ARROW_FILE)) == _ARROW_FILE
    wanted = Wanted(columns, names, country, ask)
    return _file(opened, "arrow" if whole else "arrow-stream", wanted)


def _file(
    source: Input,
    kind: str,
    wanted: Wanted,
) -> FrameSource:
    """What a child reads: first the names of the columns, then batch after batch."""
    with _tables(source, {"format": kind}) as messages:
        found = next(messages)
        sample = list(islice(messages, 1))
    batches = partial(_batches, source, {"format": kind})
    return _chosen(source.name, found, sample, batches, wanted)


def _batches(source: Input, options: Mapping[str, object]) -> Iterator[Batch]:
    with _tables(source, options) as messages:
        next(messages)
        yield from messages


def _tables(source: Input, options: Mapping[str, object]) -> AbstractContextManager[Iterator[Any]]:
    bounds = Bounds(max_bytes=source.max_bytes, base=_base(), patience=_PATIENCE)
    return apart("tables", "polars", source, options, bounds)


def _base() -> int:
    """What polars reserves: for itself, and for each processor."""
    return (1 << 31) + (os.cpu_count() or 1) * (1 << 26)


def _source(
    path: str | None,
    found: Sequence[object],
    batches: Callable[[], Iterator[Batch]],
    wanted: Wanted,
) -> FrameSource:
    return _chosen(path, found, list(islice(batches(), 1)), batches, wanted)


def _chosen(
    path: str | None,
    found: Sequence[object],
    sample: list[Batch],
    batches: Callable[[], Iterator[Batch]],
    wanted: Wanted,
) -> FrameSource:
    if not found:
        msg = "is empty"
        raise SourceError(msg, path=path, line=1, unit=ROW)
    rows = list(islice(_rows(iter(sample)), _SAMPLE_ROWS))
    named = tuple(map(str, found))
    chosen = choose_columns(named, rows, wanted, path=path)
    made = FrameSource(path, batches, named, chosen)
    made.noted = first_note(named, rows)
    return made


def _rows(batches: Iterator[Batch]) -> Iterator[list[str]]:
    for batch in batches:
        yield from map(list, zip(*batch, strict=True))


def _texts(frames: Iterator[Any]) -> Iterator[Batch]:
    """The texts of a frame in memory; what its library says is an error of ours."""
    done = 0
    with foreign_faults(None, lambda: done + 1):
        for frame in frames:
            yield [texts_of(each.to_list(), str(each.dtype)) for each in frame.iter_columns()]
            done += len(frame)


def _streamed(lazy: Any) -> Iterator[Any]:
    """A lazy frame of polars, batch after batch."""
    from_native = _narwhals().from_native
    for batch in lazy.collect_batches(chunk_size=_BATCH, maintain_order=True):
        yield from_native(batch)


def _slices(frame: Any) -> Iterator[Any]:
    """A frame in memory, piece by piece."""
    for start in range(0, len(frame), _BATCH):
        yield frame[start : start + _BATCH]


def _narwhals() -> Any:
    try:
        import narwhals
    except ImportError as error:
        msg = "reading data frames needs narwhals: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    return narwhals


def _polars(what: str) -> Any:
    try:
        import polars as pl
    except ImportError as error:
        msg = f"reading {what} needs polars: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    return pl
