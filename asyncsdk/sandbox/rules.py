"""What the provider accepts: bodies become rows and fields, or the rules that they break."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from asyncsdk.models import COLUMNS, Violation

__all__ = [
    "BadBodyError",
    "Row",
    "count_rows",
    "group_violations",
    "phone_violations",
    "read_object",
    "read_rows",
]

MAX_PHONE = 30
MAX_COLUMN = 1530
MAX_CALLBACK = 36
MAX_NAME = 50
MAX_DESCRIPTION = 255

# Symfony's own codes of its constraints: the provider runs on it, and sends them.
_TOO_LONG = "d94b19cc-114f-4f44-9cc4-4138e80a87b9"
_BLANK = "c1051bb4-d103-4f74-8988-acbcafc7fdc3"
_TYPE = "ba785a8c-82cb-4283-967c-3cf342181b40"
_PATTERN = "de1e3db3-5ed4-4941-aae4-59f3667cc3a3"

_Column = Annotated[str, Meta(max_length=MAX_COLUMN)] | None


class Row(Struct, gc=False, frozen=True):
    """A phone that breaks no rule."""

    phone: Annotated[str, Meta(min_length=1, max_length=MAX_PHONE, pattern="[0-9]")]
    a: _Column = None
    b: _Column = None
    c: _Column = None
    d: _Column = None
    e: _Column = None
    callback_data: Annotated[str, Meta(max_length=MAX_CALLBACK)] | None = None


class BadBodyError(Exception):
    """The body is not the JSON that the operation takes."""


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)  # msgspec does not wrap the latter

_ROWS = msgspec.json.Decoder(list[Row])
_RAW = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()


def read_rows(body: bytes) -> list[Row | list[Violation]]:
    """A batch as rows, with the broken rules in the place of each bad one.

    Raises:
        BadBodyError: The body is not JSON, or not an array.
    """
    try:
        return list(_ROWS.decode(body))
    except _UNREADABLE:  # some row is bad, or everything is
        rows = _decode(body)
    if not isinstance(rows, list):
        msg = "The input data must be an array of phones."
        raise BadBodyError(msg)
    return [_read_row(row) for row in rows]


def count_rows(body: bytes) -> int | None:
    """How many phones a batch holds, good or bad; None if it is no batch."""
    try:
        return len(_RAW.decode(body))
    except _UNREADABLE:
        return None


def read_object(body: bytes) -> dict[str, Any]:
    """The body of an operation on a single resource.

    Raises:
        BadBodyError: The body is not JSON, or not an object.
    """
    value = _decode(body)
    if not isinstance(value, dict):
        msg = "The input data must be an object."
        raise BadBodyError(msg)
    return value


def phone_violations(row: object) -> list[Violation]:
    """Every rule of the provider's page that this phone breaks."""
    if not isinstance(row, dict):
        return [Violation("", "This value should be of type object.", _TYPE)]
    found = _phone_number(row.get("phone"))
    for name in COLUMNS:
        found += _text(name, row.get(name), MAX_COLUMN)
    found += _text("callback_data", row.get("callback_data"), MAX_CALLBACK)
    return found


def group_violations(fields: dict[str, Any]) -> list[Violation]:
    """Every rule that these fields of a group break; the name is required."""
    name = fields.get("name")
    found = [_blank("name")] if name in (None, "") else _text("name", name, MAX_NAME)
    found += _text("description", fields.get("description"), MAX_DESCRIPTION)
    for column in COLUMNS:
        found += _text(f"name_{column}", fields.get(f"name_{column}"), MAX_NAME)
    return found


def _decode(body: bytes) -> object:
    try:
        return _ANY.decode(body)
    except _UNREADABLE:
        msg = "Syntax error"
        raise BadBodyError(msg) from None


def _read_row(row: object) -> Row | list[Violation]:
    try:
        return msgspec.convert(row, Row)
    except msgspec.ValidationError:
        return phone_violations(row)


def _phone_number(value: object) -> list[Violation]:
    if value is None or value == "":
        return [_blank("phone")]
    found = _text("phone", value, MAX_PHONE)
    if isinstance(value, str) and not re.search("[0-9]", value):
        found.append(Violation("phone", "This value is not valid.", _PATTERN))
    return found


def _text(path: str, value: object, limit: int) -> list[Violation]:
    if value is None:
        return []
    if not isinstance(value, str):
        return [Violation(path, "This value should be of type string.", _TYPE)]
    if len(value) > limit:
        told = f"This value is too long. It should have {limit} characters or less."
        return [Violation(path, told, _TOO_LONG)]
    return []


def _blank(path: str) -> Violation:
    return Violation(path, "This value should not be blank.", _BLANK)
