"""Results as Parquet, by polars (the extra `files`)."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from asyncsdk.export.atomic import placing
from asyncsdk.export.besides import UNREAD
from asyncsdk.models import FIELDS
from asyncsdk.results import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from asyncsdk.export.besides import Besides
    from asyncsdk.results import PhoneResult

__all__ = ["write_parquet"]

_CHUNK = 10_000
_NUMBERS = ("index", "status", "id", "attempts", "duplicate_of", "group")
COLUMNS = (
    *("index", *FIELDS, "number", "outcome", "status", "id", "reason", "duplicate_of"),
    *("delivery", "attempts", "request_id", "group"),
)


def write_parquet(
    path: str | PathLike[str], results: Iterable[PhoneResult], besides: Besides
) -> int:
    """Write one row per result, a chunk at a time; returns the number of results.

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
    unread = [] if besides.unread_from is None else [_unread(besides)]
    rows = chain(((*_row(result), besides.group_id) for result in results), unread)
    count = -len(unread)

    def chunks(*_: object) -> Iterator[Any]:
        nonlocal count
        while chunk := list(islice(rows, _CHUNK)):
            count += len(chunk)
            yield pl.DataFrame(chunk, schema=schema, orient="row")

    with placing(path) as place:
        register_io_source(chunks, schema=schema).sink_parquet(place)
    return count


def _unread(besides: Besides) -> tuple[object, ...]:
    told = {
        "index": besides.unread_from,
        "phone": "",
        "outcome": UNREAD,
        "reason": besides.reason,
        "delivery": Delivery.NOT_SENT.value,
        "attempts": 0,
        "group": besides.group_id,
    }
    return tuple(told.get(name) for name in COLUMNS)


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
