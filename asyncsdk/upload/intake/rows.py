"""Rows as people have them: of databases, data frames, their own classes. Pure.

A row is foreign code: reading it may run properties and iterators, and any of them may fail.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk.models import FIELDS, Phone
from asyncsdk.scalars import missing, whole, written
from asyncsdk.wire.rows import values_of
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "PLAIN",
    "NoRow",
    "has_keys",
    "kinds_of",
    "plain",
    "preview",
    "read_safely",
    "text_of",
    "unreadable",
    "with_texts",
]

PLAIN = frozenset({str, dict, Phone})
"""Types whose rows need no reading; whatever else there is, is made one of them."""

_PREVIEW = 100

_ADVICE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((bytes, bytearray, memoryview), "decode it: row.decode()"),
    ((list, tuple), "give names to its values: dict(zip(names, row))"),
    ((int, float), "a number is given as text: str(row)"),
)


@frozen
class NoRow:
    """Something that is no row, or one that cannot be read."""

    text: str
    """What stands in its place in the account."""
    reason: str
    alien: bool
    """Whether no value of its kind is a row."""


def kinds_of(rows: Sequence[object]) -> set[type]:
    """The types of rows; that of anything where one of them cannot be compared."""
    found: set[type] = read_safely(lambda rows: set(map(type, rows)), rows, lambda *_: {object})
    return found


def plain(row: object) -> object:
    """A row as a text, a `Phone` or a dictionary; a `NoRow` where it is none of these."""
    return read_safely(_plain, row, unreadable)


def read_safely(
    read: Callable[[Any], object], row: object, otherwise: Callable[[object, str], object]
) -> Any:
    """What foreign code gives; whatever it raises is no reason to lose the rows beside it.

    Args:
        read: Reads the row.
        row: The row.
        otherwise: What to give in its place: it takes the row, and the reason.
    """
    try:
        return read(row)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return otherwise(row, f"the row cannot be read: {type(error).__name__}")


def has_keys(value: object) -> bool:
    """Whether this gives values by their names, as a single row of a table does."""
    return _by_key(type(value)) is not None


def with_texts(row: Any) -> dict[Any, object]:
    """A dictionary or `Phone` as a dictionary with texts for all values that stand for some."""
    pairs = row.items() if type(row) is dict else zip(FIELDS, values_of(row), strict=True)
    return {
        name: value if type(value) is str or value is None else text_of(value)
        for name, value in pairs
    }


def text_of(value: object) -> object:
    """What a value is as a text: None where nothing is; as it is where it stands for no text."""
    if type(value) is int:  # by far the most frequent: an id
        text = written(value)
        return value if text is None else text
    if isinstance(value, str):
        return value
    if missing(value):
        return None
    number = whole(value)
    return value if number is None else number


def preview(value: object) -> str:
    """The beginning of whatever it is, as JSON can carry it."""
    if isinstance(value, int):
        text = brief(value)
    else:
        text = str(value) if isinstance(value, (float, bytes)) else repr(value)
    return text[:_PREVIEW].encode(errors="replace").decode()


def _plain(row: object) -> object:
    if isinstance(row, str):
        return str.__str__(row)
    if isinstance(row, (Phone, NoRow)):
        return row
    kind: Any = type(row)
    read = _reader(kind)
    return NoRow(preview(row), _no_row(row), alien=True) if read is None else read(row)


def unreadable(row: object, reason: str) -> NoRow:
    """What stands for a row that failed."""
    return NoRow(f"<{type(row).__name__}>", reason, alien=False)


@lru_cache(64)
def _reader(kind: Any) -> Callable[[Any], dict[Any, object]] | None:
    """What reads the values of such rows by their names; None if they have no names for them."""
    if (read := _by_key(kind)) is not None:
        return read
    names = _names(kind)
    return None if names is None else lambda row: {name: getattr(row, name) for name in names}


def _by_key(kind: Any) -> Callable[[Any], dict[Any, object]] | None:
    if issubclass(kind, Mapping):
        return lambda row: {key: row[key] for key in row}
    if hasattr(kind, "_mapping"):  # of SQLAlchemy
        return lambda row: dict(row._mapping)  # noqa: SLF001 - its documented name
    if callable(getattr(kind, "keys", None)) and hasattr(kind, "__getitem__"):
        return lambda row: {key: row[key] for key in row.keys()}  # noqa: SIM118 - no mapping
    return None


def _names(kind: Any) -> Sequence[str] | None:
    """The names that a class has given to the values of its objects."""
    if dataclasses.is_dataclass(kind):
        return [each.name for each in dataclasses.fields(kind)]
    if (fields := getattr(kind, "__attrs_attrs__", None)) is not None:
        return [each.name for each in fields]
    for names in ("__pydantic_fields__", "__struct_fields__", "_fields"):  # and named tuples
        if (fields := getattr(kind, names, None)) is not None:
            return list(fields)
    return None


def _no_row(row: object) -> str:
    advice = next((text for kinds, text in _ADVICE if isinstance(row, kinds)), None)
    return (
        "a row is a Phone, a number as text, or something with the names of its fields (a dict, a "
        f"row of a database, a dataclass), not {type(row).__name__}"
        + (f"; {advice}" if advice else "")
    )
