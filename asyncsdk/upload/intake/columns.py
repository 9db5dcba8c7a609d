"""Rows with the names of somebody's table become rows with the fields of a phone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from attrs import define

from asyncsdk.columns import check_direction, needs_names, resolve
from asyncsdk.errors import ConfigurationError
from asyncsdk.models import FIELDS
from asyncsdk.upload.intake.rows import read_safely, text_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

__all__ = ["Columns"]

_BETWEEN = frozenset(",+")
"""What is between the names of several keys."""


@define
class Columns:
    """Which key of a row each field is read from."""

    chosen: dict[str, str]
    """Fields to keys; what the group calls its columns stands for fields until it is resolved."""

    @classmethod
    def of(cls, columns: object) -> Columns:
        """As a caller gives them.

        Raises:
            ConfigurationError: It is no mapping of names to names, or cannot mean fields.
        """
        if not isinstance(columns, Mapping) or not all(
            isinstance(name, str) for pair in columns.items() for name in pair
        ):
            msg = (
                "columns must map fields of a phone, or the group's own column names, to the keys "
                'of your rows, such as {"phone": "Mobil", "a": "Anrede"}'
            )
            raise ConfigurationError(msg)
        check_direction(columns)
        made = cls(dict(columns))
        if not made.unresolved:
            made.resolve({})
        return made

    @property
    def unresolved(self) -> bool:
        """Whether the group must be asked what it calls its columns."""
        return needs_names(self.chosen)

    @property
    def keys(self) -> AbstractSet[str]:
        """The keys that rows may have for them."""
        pieces = (piece for key in self.chosen.values() for piece in re.split(r"[,+]", key))
        return {*self.chosen.values(), *pieces}

    def resolve(self, names: Mapping[str, str]) -> None:
        """Put fields in the place of what the group calls its columns.

        Args:
            names: Those names, to the fields `a` to `e`.

        Raises:
            ConfigurationError: A name is neither, or two of them mean the same field.
        """
        self.chosen = resolve(self.chosen, names)

    def rename(self, chunk: Sequence[object]) -> list[object]:
        """The rows with fields for keys; keys that are neither chosen nor fields are left out.

        A key that is chosen for one field is not another one too, whatever it is called.
        """
        taken = set(self.chosen.values())
        sources = {name: name for name in FIELDS if name not in taken} | self.chosen
        rename = partial(_renamed, sources)
        return [read_safely(rename, row, unreadable) if type(row) is dict else row for row in chunk]


def _renamed(sources: Mapping[str, str], row: dict[object, object]) -> dict[str, object]:
    found = {field: row[key] for field, key in sources.items() if key in row}
    for field, key in sources.items():
        if field not in found and not _BETWEEN.isdisjoint(key):
            found[field] = _of_several(row, field, key)
    return found


def _of_several(row: dict[object, object], field: str, wanted: str) -> object:
    """What `Mobil,Telefon` or `Vorwahl+Rufnummer` is in a row; half a number is none."""
    pick = _picker(tuple(map(str, row)), field, wanted)
    if pick is None:
        return None
    picked = pick([str(text_of(value) or "") for value in row.values()])
    return picked if isinstance(picked, str) else None


@lru_cache(64)
def _picker(
    names: tuple[str, ...], field: str, wanted: str
) -> Callable[[Sequence[str]], object] | None:
    """What picks a field's value from the values under these names."""
    from asyncsdk.sources.picking import NoColumnError, find_column, picker

    try:
        return picker(find_column(names, field, wanted))
    except NoColumnError:
        return None
