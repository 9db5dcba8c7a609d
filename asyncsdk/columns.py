"""`columns={"phone": "Mobil", "a": "Anrede"}`: from which column each field is read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from asyncsdk.errors import ConfigurationError
from asyncsdk.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_direction", "needs_names", "resolve"]

Column = TypeVar("Column")


def needs_names(columns: Mapping[str, Column]) -> bool:
    """Whether the group must be asked what it calls its columns."""
    return not set(columns) <= set(FIELDS)


def check_direction(columns: Mapping[str, Column]) -> None:
    """Do nothing unless the columns stand where the fields should be.

    Raises:
        ConfigurationError: They do: only a field can be called `phone`.
    """
    if "phone" in columns.values() and needs_names(columns) and "phone" not in columns:
        msg = f"columns goes from fields to columns: did you mean {_turned(columns)}?"
        raise ConfigurationError(msg)


def resolve(columns: Mapping[str, Column], names: Mapping[str, str]) -> dict[str, Column]:
    """The same with fields only.

    Args:
        columns: Fields, or what the group calls them, to columns.
        names: What the group calls its columns: their names to the fields `a` to `e`.

    Raises:
        ConfigurationError: A name is neither, or two of them mean the same field.
    """
    found: dict[str, Column] = {}
    meant: dict[str, str] = {}
    for name, column in columns.items():
        field = _field(name, names)
        if field is None:
            raise ConfigurationError(_no_field(name, columns, names))
        if field in found:
            msg = f"columns: {meant[field]!r} and {name!r} mean the same field"
            raise ConfigurationError(msg)
        found[field], meant[field] = column, name
    return found


def _field(name: str, names: Mapping[str, str]) -> str | None:
    """The field behind its own name, or behind what the group calls it."""
    if name in FIELDS:
        return name
    called = {alias.strip().casefold(): field for alias, field in names.items()}
    return called.get(name.strip().casefold())


def _no_field(name: str, columns: Mapping[str, Column], names: Mapping[str, str]) -> str:
    own = f"; the group's own names are {', '.join(map(repr, names))}" if names else ""
    turned = ""
    if columns[name] in FIELDS:
        turned = f". Fields come first: did you mean {_turned(columns)}?"
    return f"columns: a phone has no field {name!r}; it has {', '.join(FIELDS)}{own}{turned}"


def _turned(columns: Mapping[str, Column]) -> str:
    """The same the other way round, where that makes it right."""
    return str(
        {
            column if column in FIELDS else name: name if column in FIELDS else column
            for name, column in columns.items()
        }
    )
