"""Rows with the names of somebody's table become rows with the fields of a phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError
from asyncsdk.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_columns", "needs_names", "rename", "resolve"]


def check_columns(columns: object) -> dict[str, str]:
    """The mapping as a dictionary of its own.

    Raises:
        ConfigurationError: It is no mapping of names to names.
    """
    if not isinstance(columns, Mapping) or not all(
        isinstance(name, str) for pair in columns.items() for name in pair
    ):
        msg = (
            "columns must map the keys of your rows to fields of a phone or to the group's own "
            'column names, such as {"Mobil": "phone", "Anrede": "a"}'
        )
        raise ConfigurationError(msg)
    return dict(columns)


def needs_names(columns: Mapping[str, str]) -> bool:
    """Whether the group must be asked what it calls its columns."""
    return not set(columns.values()) <= set(FIELDS)


def resolve(columns: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The same with fields only.

    Args:
        columns: Keys of rows to fields, or to the group's own names.
        names: What the group calls its columns: their names to the fields `a` to `e`.

    Raises:
        ConfigurationError: A name is neither, or two keys mean the same field.
    """
    fields = {key: name if name in FIELDS else names.get(name) for key, name in columns.items()}
    for key, field in fields.items():
        if field is None:
            own = f"; this group's own names are {', '.join(map(repr, names))}" if names else ""
            msg = f"columns: {columns[key]!r} is no field of a phone ({', '.join(FIELDS)}){own}"
            if key in FIELDS:
                msg += f". Your names come first: did you mean {{{columns[key]!r}: {key!r}}}?"
            raise ConfigurationError(msg)
    found = {key: field for key, field in fields.items() if field is not None}
    doubled = [key for key, field in found.items() if list(found.values()).count(field) > 1]
    if doubled:
        msg = f"columns: {' and '.join(map(repr, doubled))} mean the same field"
        raise ConfigurationError(msg)
    return found


def rename(chunk: Sequence[object], columns: Mapping[str, str]) -> list[object]:
    """The rows with fields for keys; keys that are neither named nor fields are left out."""
    known: dict[object, str] = {name: name for name in FIELDS if name not in columns.values()}
    known.update(columns)
    return [_renamed(row, known) if isinstance(row, Mapping) else row for row in chunk]


def _renamed(row: Mapping[object, object], known: Mapping[object, str]) -> object:
    try:
        return {known[key]: value for key, value in row.items() if key in known}
    except Exception:  # foreign code; the checker says what is wrong with it
        return row
