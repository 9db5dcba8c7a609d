"""Results as Parquet, by polars (the extra `files`)."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from asyncsdk.export.counting import Counting
from asyncsdk.export.rows import COLUMNS, NUMBERS, rows, unread
from asyncsdk.files import placing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from asyncsdk.ledger.account import Only, UploadAccount

__all__ = ["write_parquet"]

_CHUNK = 10_000


def write_parquet(path: str | PathLike[str], account: UploadAccount, only: Only = None) -> int:
    """Write one row per result, a chunk at a time; returns the number of results.

    Raises:
        ImportError: polars is not installed.
    """
    try:
        import polars as pl
        from polars.io.plugins import register_io_source
    except ImportError as error:
        msg = "writing Parquet needs polars: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    schema = {name: pl.Int64 if name in NUMBERS else pl.String for name in COLUMNS}
    last = unread(account, only)
    more = [] if last is None else [tuple(map(last.get, COLUMNS))]
    written = Counting(rows(account, only))
    whole = chain(written, more)

    def chunks(*_: object) -> Iterator[Any]:
        while chunk := list(islice(whole, _CHUNK)):
            yield pl.DataFrame(chunk, schema=schema, orient="row")

    with placing(path) as place:
        register_io_source(chunks, schema=schema).sink_parquet(place)
    return written.count
