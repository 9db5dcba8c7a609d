"""What a typed cell (of a spreadsheet, a data frame, JSON) is as a text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from asyncsdk.scalars import missing, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["text_of", "texts_of"]


def text_of(value: object) -> str:
    """A cell as a text: nothing is empty, and a whole number has no decimals."""
    if missing(value):
        return ""
    number = whole(value)
    if number is not None:
        return number
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    return str(value)


def texts_of(values: Iterable[object]) -> list[str]:
    """A row or column of such cells."""
    return [value if type(value) is str else text_of(value) for value in values]


_TEXTS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (datetime, lambda value: value.isoformat(" ")),
    (bytes, lambda value: value.decode("utf-8", "replace")),
    ((list, dict), lambda value: msgspec.json.encode(value, enc_hook=str).decode()),
)
