"""Results as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from asyncsdk.export.atomic import replacing
from asyncsdk.models import FIELDS
from asyncsdk.sources.inert import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.results import PhoneResult

__all__ = ["COLUMNS", "write_csv"]

FATE = (
    "number",
    "outcome",
    "status",
    "id",
    "reason",
    "duplicate_of",
    "delivery",
    "attempts",
    "request_id",
)

COLUMNS = ("index", *FIELDS, *FATE)
"""The header: the phone as submitted, then what became of it."""


def write_csv(path: str | PathLike[str], results: Iterable[PhoneResult]) -> int:
    """Write one row per result with a header; returns the number of rows."""
    count = 0
    with replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for count, result in enumerate(results, 1):  # noqa: B007 - used after the loop
            writer.writerow(_row(result))
    return count


def _row(result: PhoneResult) -> list[object]:
    fields = [escape(getattr(result.phone, name) or "") for name in FIELDS]
    return [
        result.index,
        *fields,
        escape(result.number or ""),
        result.outcome.value,
        result.status,
        result.created.id if result.created else None,
        escape(str(result.error)) if result.error else None,
        result.error.duplicate_of if result.error else None,
        result.delivery.value,
        result.attempts,
        escape(result.request_id or ""),
    ]
