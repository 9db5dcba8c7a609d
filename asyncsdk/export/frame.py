"""Results as a data frame: of polars where that is installed, else of pandas."""

from __future__ import annotations

from importlib import import_module
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from asyncsdk.export.rows import COLUMNS, NUMBERS, rows, unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.ledger.account import Only, UploadAccount

    Cells = list[tuple[object, ...]]

__all__ = ["frame_of"]

_CHUNK = 10_000
"""Rows that are objects at once."""


def frame_of(account: UploadAccount, only: Only = None) -> Any:
    """One row per result under `COLUMNS`; whole numbers and texts, all of which may be missing.

    Raises:
        ImportError: Neither polars nor pandas is installed.
    """
    name, library = _library()
    make = _of_polars if name == "polars" else _of_pandas
    frames = [make(library, chunk) for chunk in _chunks(account, only)]
    return library.concat(frames, **({"ignore_index": True} if name == "pandas" else {}))


def _library() -> tuple[str, Any]:
    for name in ("polars", "pandas"):
        try:
            return name, import_module(name)
        except ImportError:
            continue
    msg = "a data frame needs polars or pandas: pip install 'asyncsdk[files]' brings polars"
    raise ImportError(msg)


def _chunks(account: UploadAccount, only: Only) -> Iterator[Cells]:
    """The rows in parts; of no rows one part that is empty."""
    last = unread(account, only)
    whole = chain(rows(account, only), [] if last is None else [tuple(map(last.get, COLUMNS))])
    chunk = list(islice(whole, _CHUNK))
    while True:
        yield chunk
        chunk = list(islice(whole, _CHUNK))
        if not chunk:
            return


def _of_polars(pl: Any, cells: Cells) -> Any:
    schema = {name: pl.Int64 if name in NUMBERS else pl.String for name in COLUMNS}
    return pl.DataFrame(cells, schema=schema, orient="row")


def _of_pandas(pd: Any, cells: Cells) -> Any:
    columns = zip(*cells, strict=True) if cells else ([] for _ in COLUMNS)
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="Int64" if name in NUMBERS else "string")
            for name, column in zip(COLUMNS, columns, strict=True)
        }
    )
