"""Data frames, Parquet and Arrow files as phones, by narwhals and polars (the extra `files`)."""

from __future__ import annotations

import io
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.cells import texts_of
from asyncsdk.sources.columns import choose_columns
from asyncsdk.sources.foreign import foreign_faults
from asyncsdk.sources.opening import FileInput, open_input
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asyncsdk.sources.columns import ColumnChoice
    from asyncsdk.sources.opening import Input, Place

__all__ = ["FrameSource", "is_frame", "read_arrow", "read_frame", "read_parquet"]

_BATCH = 10_000
"""Rows of a frame that are turned into texts at a time."""
_SAMPLE_ROWS = 1000
_ARROW_FILE = b"ARROW1"


class FrameSource(Table):
    """The phones of a table whose cells have types. A row's line is its number, from 1."""

    reopenable = True

    def __init__(
        self,
        path: str | None,
        batches: Callable[[], Iterator[Any]],
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
    ) -> None:
        super().__init__(path, columns, mapping)
        self._batches = batches

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        return zip(count(1), _rows(self._batches, self.path), strict=False)


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
    columns: Mapping[str, str | int] | None = None,
    names: Mapping[str, str] | None = None,
) -> FrameSource:
    """A contact list in a data frame, ready to be uploaded.

    Args:
        frame: Of pandas, polars (lazy ones too), pyarrow or duckdb, or anything that speaks the
            Arrow PyCapsule interface.
        columns: Fields of `Phone` to column names or 1-based numbers.
        names: What the group calls its columns, to be used as fields in `columns`.

    Raises:
        SourceError: It is no data frame, or no column looks like phones.
        ImportError: narwhals is not installed.
    """
    narwhals = _narwhals()
    with foreign_faults(None, lambda: None, "cannot be read as a data frame"):
        known = narwhals.from_native(frame, pass_through=True)
        if isinstance(known, narwhals.LazyFrame) and hasattr(frame, "collect_batches"):
            return _source(None, lambda: _streamed(frame), columns, names)
        if isinstance(known, narwhals.LazyFrame):
            known = known.collect(backend="polars")
        elif not isinstance(known, narwhals.DataFrame):
            known = narwhals.from_native(_polars("this frame").DataFrame(frame))
    return _source(None, lambda: _slices(known), columns, names)


def read_parquet(
    source: Place,
    *,
    columns: Mapping[str, str | int] | None = None,
    names: Mapping[str, str] | None = None,
) -> FrameSource:
    """A contact list in a Parquet file, ready to be uploaded; arguments as for `read_frame`.

    Raises:
        SourceError: The file cannot be read, or no column looks like phones.
        ImportError: polars is not installed.
    """
    polars = _polars("Parquet")
    opened = open_input(source, 0)
    place = _place(opened)
    return _source(opened.name, lambda: _streamed(polars.scan_parquet(place)), columns, names)


def read_arrow(
    source: Place,
    *,
    columns: Mapping[str, str | int] | None = None,
    names: Mapping[str, str] | None = None,
) -> FrameSource:
    """A contact list in an Arrow (IPC) file or stream, ready to be uploaded; as `read_parquet`."""
    polars = _polars("Arrow")
    opened = open_input(source, len(_ARROW_FILE))
    with opened.peeking() as file:
        streamed = file.read(len(_ARROW_FILE)) != _ARROW_FILE
    place = _place(opened)

    def batches() -> Iterator[Any]:
        if streamed:
            stream = io.BytesIO(place) if isinstance(place, bytes) else place
            return _streamed(polars.read_ipc_stream(stream).lazy())
        return _streamed(polars.scan_ipc(place))

    return _source(opened.name, batches, columns, names)


def _place(source: Input) -> str | bytes:
    """What polars reads from: a path where it may, the bytes where they are packed or streamed."""
    with source.reading() as file:
        if isinstance(source, FileInput) and isinstance(getattr(file, "raw", None), io.FileIO):
            return str(source.path)
        return file.read()


def _source(
    path: str | None,
    batches: Callable[[], Iterator[Any]],
    columns: Mapping[str, str | int] | None,
    names: Mapping[str, str] | None,
) -> FrameSource:
    with foreign_faults(path, lambda: 1):
        first = next(batches(), None)
    found = tuple(map(str, first.columns)) if first is not None else ()
    if first is None or not found:
        msg = "is empty"
        raise SourceError(msg, path=path, line=1)
    sample = list(islice(_rows(lambda: iter([first]), path), _SAMPLE_ROWS))
    chosen = choose_columns(found, sample, columns, path=path, line=1, names=names)
    return FrameSource(path, batches, found, chosen)


def _rows(batches: Callable[[], Iterator[Any]], path: str | None) -> Iterator[list[str]]:
    done = 0
    with foreign_faults(path, lambda: done + 1):
        for batch in batches():
            columns = [texts_of(column.to_list()) for column in batch.iter_columns()]
            for row in zip(*columns, strict=True):
                yield list(row)
            done += len(batch)


def _streamed(lazy: Any) -> Iterator[Any]:
    """A lazy frame of polars, batch after batch; at least one, which may be empty."""
    from_native = _narwhals().from_native
    empty = True
    for batch in lazy.collect_batches(chunk_size=_BATCH, maintain_order=True):
        empty = False
        yield from_native(batch)
    if empty:
        yield from_native(lazy.head(0).collect())


def _slices(frame: Any) -> Iterator[Any]:
    """A frame in memory, piece by piece."""
    for start in range(0, max(1, len(frame)), _BATCH):
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
