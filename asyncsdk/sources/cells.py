"""What a typed cell (of a spreadsheet, a data frame, JSON) is as a text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["text_of", "texts_of"]

_EXACT = 2.0**53
"""Up to here a float holds every whole number."""
_MISSING = frozenset({"NAType", "NaTType"})
"""What pandas puts where nothing is; comparing them with anything gives no truth value."""


def text_of(value: object) -> str:
    """A cell as a text: nothing is empty, and a whole number has no decimals.

    Spreadsheets and data frames keep numbers as floats, so 4916012345678.0 is a phone.
    """
    if value is None or type(value).__name__ in _MISSING:
        return ""
    for kind, told in _TOLD:
        if isinstance(value, kind):
            return told(value)
    return str(value)


def texts_of(values: Iterable[object]) -> list[str]:
    """A row or column of such cells."""
    return [value if type(value) is str else text_of(value) for value in values]


def _of_float(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number, which is what pandas has for nothing
        return ""
    return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)


_TOLD: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (float, _of_float),
    (datetime, lambda value: value.isoformat(" ")),
    (bytes, lambda value: value.decode("utf-8", "replace")),
    ((list, dict), lambda value: msgspec.json.encode(value, enc_hook=str).decode()),
)
