"""What callers may give in the place of our own values, for type checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from asyncsdk.models import Phone

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Frame", "PhoneLike"]


class Keyed(Protocol):
    """A row of a database: it gives its values by their names."""

    def keys(self) -> Iterable[Any]:
        """The names."""

    def __getitem__(self, key: str, /) -> Any:
        """The value of this name."""


class Frame(Protocol):
    """A data frame of pandas, polars, pyarrow or duckdb."""

    @property
    def columns(self) -> Any:
        """Its columns."""


PhoneLike = Phone | Mapping[str, Any] | Keyed | str
"""What stands for one phone: a `Phone`, anything with its field names as keys, or the bare number.

Objects of classes with such fields (dataclasses, attrs, pydantic) are taken as well.
"""
