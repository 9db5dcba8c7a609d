"""In which country each row says that its phone is; that is read, and not sent. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asyncsdk.models import Located
from asyncsdk.upload.intake.rows import read_safely, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["countries_of", "without_country"]

_NO_TEXT = "?"
"""Stands for a value that is none of a country: no country is called that."""


def countries_of(chunk: Sequence[object], key: str | None) -> list[str | None]:
    """What each row says of its country: empty where it says nothing, None where it lacks the key.

    Args:
        chunk: Texts, dictionaries and phones.
        key: Of dictionaries, the key of their country; None where they do not say.
    """
    return [read_safely(partial(_country, key), row, lambda *_: _NO_TEXT) for row in chunk]


def without_country(chunk: Sequence[object], key: str) -> list[object]:
    """The rows without the key of their country, which is no field of a phone."""
    return [
        {name: value for name, value in row.items() if name != key} if type(row) is dict else row
        for row in chunk
    ]


def _country(key: str | None, row: object) -> str | None:
    if isinstance(row, Located):
        return row.country.strip()
    if key is None:
        return ""
    if type(row) is not dict or key not in row:
        return None
    value = text_of(row[key])
    if value is None:
        return ""
    return str.strip(value) if isinstance(value, str) else _NO_TEXT
