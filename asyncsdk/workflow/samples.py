"""The first rows of a list as they would be sent: who sees them sees a wrong column."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.models import FIELDS
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.wire.rows import decode_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.config import Normalize
    from asyncsdk.sources import Source

__all__ = ["Sample", "samples"]

_LOOKED_AT = 100
"""Rows among which the samples are found."""


@frozen
class Sample:
    """A row that would be sent."""

    line: int
    """Where it stands in its file, and"""
    place: str
    """how that is said."""
    phone: str
    """The number as it would be sent."""
    submitted: str
    """The number as it stands in the list."""
    fields: dict[str, str]
    """What would be sent with it, by the fields of a phone."""


def samples(part: Source, normalize: Normalize | None, count: int = 3) -> Iterator[Sample]:
    """The first rows of one list that would be sent.

    Args:
        part: The list.
        normalize: How its numbers are read.
        count: How many.
    """
    first = list(islice(part, _LOOKED_AT))
    checked = Checker(normalize=normalizer(normalize)).check(0, first)
    rows = zip(checked.indices, checked.submitted or checked.numbers, strict=True)
    sent = decode_rows(checked.body) if checked.numbers else ()
    places = {row.index: (row.line, str(row.place())) for row in islice(part.rows(), len(first))}
    for (index, submitted), row in islice(zip(rows, sent, strict=True), count):
        fields = {name: value for name in FIELDS[1:] if (value := getattr(row, name))}
        yield Sample(*places[index], row.phone, submitted, fields)
