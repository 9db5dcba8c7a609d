"""Values that are made for every upload, every request, or every row."""

from __future__ import annotations

from typing import Any, Self

import msgspec

__all__ = ["Value"]


class Value(msgspec.Struct, frozen=True):
    """A value that does not change, made in a fraction of the time of a frozen class of attrs.

    What prints it shows nothing of its contents, which may be a list of phones or a key.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    def changed(self, **fields: Any) -> Self:
        """The same with other values in these fields."""
        return msgspec.structs.replace(self, **fields)
