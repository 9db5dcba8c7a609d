"""Results as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from asyncsdk.export.atomic import replacing
from asyncsdk.export.besides import UNREAD
from asyncsdk.models import FIELDS
from asyncsdk.results import Delivery
from asyncsdk.sources.inert import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.export.besides import Besides
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
    "group",
)

COLUMNS = ("index", *FIELDS, *FATE)
"""The header: the phone as submitted, then what became of it."""


def write_csv(path: str | PathLike[str], results: Iterable[PhoneResult], besides: Besides) -> int:
    """Write one row per result with a header; returns the number of results."""
    count = 0
    with replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for count, result in enumerate(results, 1):  # noqa: B007 - used after the loop
            writer.writerow([*_row(result), besides.group_id])
        if besides.unread_from is not None:
            writer.writerow(_unread(besides))
    return count


def _unread(besides: Besides) -> list[object]:
    told = {
        "index": besides.unread_from,
        "outcome": UNREAD,
        "reason": besides.reason,
        "delivery": Delivery.NOT_SENT.value,
        "attempts": 0,
        "group": besides.group_id,
    }
    return [told.get(name, "") for name in COLUMNS]


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
