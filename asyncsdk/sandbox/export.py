"""A group as CSV: id, phone, the five columns, callback data."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING

from asyncsdk.models import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.sandbox.store import GroupRecord, StoredPhone

__all__ = ["csv_chunks"]

_CHUNK = 1000  # rows; a few milliseconds


def csv_chunks(record: GroupRecord) -> Iterator[bytes]:
    """The file in pieces, the header first; what comes into the group meanwhile is not in it."""
    group = record.group
    names = (getattr(group, f"name_{column}") or column for column in COLUMNS)
    yield _lines([("id", "phone", *names, "callback_data")])
    phones = iter(list(record.phones.values()))
    while chunk := list(islice(phones, _CHUNK)):
        yield _lines([_row(phone) for phone in chunk])


def _row(p: StoredPhone) -> tuple[object, ...]:
    return (p.id, p.phone, p.a, p.b, p.c, p.d, p.e, p.callback_data)


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
