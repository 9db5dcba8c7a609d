"""Phones as they are written: rows of the same fields, made of the model."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import NOTHING, fields

from asyncsdk.models import FIELDS, CreatedPhone, Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "Row",
    "content_of",
    "decode_numbers",
    "decode_phones",
    "decode_rows",
    "encode_rows",
    "join_rows",
    "number_rows",
    "numbers_of",
    "renumbered",
    "row_type",
    "rows_of",
    "values_of",
]


def row_type(name: str, text: Callable[[str], Any]) -> type[Row]:
    """A struct with the fields of `Phone`; what may be missing there may be null here.

    Args:
        name: What it is called.
        text: The type of a field's texts, by the field's name.
    """
    spec = [
        (each.name, text(each.name))
        if each.default is NOTHING
        else (each.name, text(each.name) | None, each.default)
        for each in fields(Phone)
    ]
    made: Any = msgspec.defstruct(
        name, spec, module=__name__, omit_defaults=True, forbid_unknown_fields=True, gc=False
    )
    return made  # type: ignore[no-any-return]


if TYPE_CHECKING:

    class Row(Phone):
        """A phone as it is written: fields that are null are left out.

        The provider requires `phone` alone. Without the nulls a body has about a quarter of the
        size, and encoding these is faster than encoding the models.
        """

else:
    Row = row_type("Row", lambda _: str)

encode_rows: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""Rows to the JSON array that is posted.

Raises:
    UnicodeEncodeError: A text holds a lone surrogate, which JSON cannot carry.
"""


decode_numbers: Callable[[bytes], list[str]] = msgspec.json.Decoder(list[str]).decode
"""The numbers in an array that `encode_rows` wrote."""


def number_rows(numbers: bytes) -> bytes:
    """The JSON array of one or more numbers to that of rows that have nothing else."""
    if b"\\" in numbers:
        return encode_rows([Row(number) for number in decode_numbers(numbers)])
    # Without an escape a quote is never part of a text: this stands between two of them alone.
    return b'[{"phone":%b}]' % numbers[1:-1].replace(b'","', b'"},{"phone":"')


decode_phones: Callable[[bytes | str], list[Phone]] = msgspec.json.Decoder(list[Phone]).decode
"""The phones of a body that `encode_rows` wrote."""

decode_rows: Callable[[bytes | str], list[Row]] = msgspec.json.Decoder(list[Row]).decode
"""The rows of a body that `encode_rows` wrote."""

values_of: Callable[[Phone | CreatedPhone], tuple[Any, ...]] = attrgetter(*FIELDS)
"""What is sent of a phone, or of a row, in the order of the fields."""


def join_rows(bodies: Iterable[bytes]) -> bytes:
    """One body of several that are not empty."""
    pieces: list[bytes | memoryview] = []
    for body in bodies:
        pieces += b",", memoryview(body)[1:-1]
    pieces[:1] = [b"["]
    return b"".join([*pieces, b"]"])


def numbers_of(rows: Iterable[Row]) -> list[str]:
    """The numbers in these rows."""
    return [row.phone for row in rows]


def rows_of(phones: Iterable[Phone]) -> list[Row]:
    """The rows that carry these phones."""
    return [Row(*values_of(phone)) for phone in phones]


def renumbered(row: Row, number: str) -> Row:
    """The same row with another number."""
    return Row(number, *values_of(row)[1:])


def content_of(phone: Row | Phone | CreatedPhone) -> tuple[str | None, ...]:
    """All the fields of a row; an empty text is as good as none."""
    number, *texts = values_of(phone)
    return (number, *(text or None for text in texts))
