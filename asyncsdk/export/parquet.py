"""Results as Parquet, by polars (the extra `files`)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from asyncsdk.export.atomic import placing
from asyncsdk.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from asyncsdk.results import PhoneResult

__all__ = ["write_parquet"]

_CHUNK = 10_000
_NUMBERS = ("index", "status", "id", "attempts", "duplicate_of")
COLUMNS = (
    *("index", *FIELDS, "number", "outcome", "status", "id", "reason", "duplicate_of"),
    *("delivery", "attempts", "request_id"),
)


def write_parquet(path: str | PathLike[str], results: Iterable[PhoneResult]) -> int:
    """Write one row per result, a chunk at a time; returns the number of rows.

    Raises:
        ImportError: polars is not installed.
    """
    try:
        import polars as pl  # noqa: PLC0415 - an extra, imported only when used
        from polars.io.plugins import register_io_source  # noqa: PLC0415 - likewise
    except ImportError as error:
        msg = "writing Parquet needs polars: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    schema = {name: pl.Int64 if name in _NUMBERS else pl.String for name in COLUMNS}
    rows = iter(results)
    count = 0

    def chunks(*_: object) -> Iterator[Any]:
        nonlocal count
        while chunk := [_row(result) for result in islice(rows, _CHUNK)]:
            count += len(chunk)
            yield pl.DataFrame(chunk, schema=schema, orient="row")

    with placing(path) as place:
        register_io_source(chunks, schema=schema).sink_parquet(place)
    return count


def _row(result: PhoneResult) -> tuple[object, ...]:
    error = result.error
    return (
        result.index,
        *(getattr(result.phone, name) for name in FIELDS),
        result.number,
        result.outcome.value,
        result.status,
        result.created.id if result.created else None,
        str(error) if error else None,
        error.duplicate_of if error else None,
        result.delivery.value,
        result.attempts,
        result.request_id,
    )
