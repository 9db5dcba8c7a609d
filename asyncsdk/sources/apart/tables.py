"""Parquet and Arrow files by polars, in a child: the names of the columns, then texts by column."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.frames import MAX_FRAME
from asyncsdk.sources.bounds import MAX_COLUMNS
from asyncsdk.sources.cells import texts_of
from asyncsdk.words import is_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read"]

_BATCH = 10_000
"""Rows that are turned into texts at a time."""


def read(file: IO[bytes], options: dict[str, Any]) -> Iterator[Any]:
    """The names of the columns, then lists of the texts in each, batch after batch.

    Args:
        file: A file of its own name, or in memory.
        options: `format`: `parquet`, `arrow` or `arrow-stream`; `first` and `rows`, where not all
            rows are wanted.

    Raises:
        SourceError: It has more columns than a list has.
    """
    lazy = _scanned(file, options["format"])
    names = lazy.collect_schema().names()
    if len(names) > MAX_COLUMNS:
        msg = f"has {len(names):,} columns: that is no contact list"
        raise SourceError(msg, line=1)
    yield names
    done = options.get("first", 0)
    if "rows" in options:
        lazy = lazy.slice(done, options["rows"])
    for frame in lazy.collect_batches(chunk_size=_BATCH, maintain_order=True):
        for start in range(0, frame.height, _BATCH):
            yield from _texts(frame[start : start + _BATCH], done + start)
        done += frame.height


def _scanned(file: IO[bytes], kind: str) -> Any:
    import polars as pl

    name = getattr(file, "name", None)
    place = name if isinstance(name, str) and is_text(name) else file  # it takes no other names
    if kind == "parquet":
        return pl.scan_parquet(place, glob=False)
    if kind == "arrow":
        return pl.scan_ipc(place, glob=False)
    return pl.read_ipc_stream(place).lazy()


def _texts(frame: Any, done: int) -> Iterator[list[list[str]]]:
    """A batch as one message, or as several where it is too large for one.

    The size is looked at before there are texts: a few bytes of a file may stand for any number of
    them, and the library waits for ever for a thread that found no memory.
    """
    size = _size(frame)
    if size <= MAX_FRAME // 4:
        yield [texts_of(each.to_list(), str(each.dtype)) for each in frame.iter_columns()]
    elif frame.height == 1:
        msg = f"the row has more than {MAX_FRAME // 4:,} bytes: that is no contact list"
        raise SourceError(msg, line=done + 1)
    else:
        half = frame.height // 2
        yield from _texts(frame[:half], done)
        yield from _texts(frame[half:], done + half)


def _size(frame: Any) -> int:
    """Bytes of its cells, each counted: the same text may stand in many of them."""
    return sum(map(_weight, frame.iter_columns()))


def _weight(column: Any) -> int:
    import polars as pl

    kind = column.dtype
    if kind in {pl.Categorical, pl.Enum}:
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        return int(column.str.len_bytes().sum())
    if kind == pl.Binary:
        return int(column.bin.size().sum())
    if kind in {pl.List, pl.Array}:
        return _weight(column.explode()) if len(column) else 0
    if kind == pl.Struct:
        return _size(column.struct.unnest())
    return int(column.estimated_size())
