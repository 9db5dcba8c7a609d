"""What a typed cell (of a spreadsheet, a data frame, JSON) is as a text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from asyncsdk.scalars import EXACT, missing, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["text_of", "texts_of"]


def text_of(value: object, exact: float = EXACT) -> str:
    """A cell as a text: nothing is empty, and a whole number has no decimals.

    Args:
        value: The cell.
        exact: Up to where floats are known to hold every whole number.
    """
    if type(value) is str:  # by far the most frequent
        return value
    if missing(value):
        return ""
    number = whole(value, exact)
    if number is not None:
        return number
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    rounded = isinstance(value, float) and exact < abs(value) <= EXACT
    return f"{value:.6E}" if rounded else str(value)


def texts_of(values: Iterable[object], kind: str = "") -> list[str]:
    """A row or column of such cells.

    Args:
        values: The cells.
        kind: The name of their type, if it is known: numbers that were kept in 32 bits have lost
            their last digits, and do not look like it.
    """
    exact = _EXACT.get(kind, EXACT)
    return [value if type(value) is str else text_of(value, exact) for value in values]


_EXACT = {"Float32": 2.0**24, "Float16": 2.0**11}
"""Up to where floats of shorter types hold every whole number, by what narwhals and polars call
them."""
_TEXTS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (datetime, lambda value: value.isoformat(" ")),
    (bytes, lambda value: value.decode("utf-8", "replace")),
    ((list, dict), lambda value: msgspec.json.encode(value, enc_hook=str).decode()),
)
