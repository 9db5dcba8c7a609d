"""How much a list may hold before it is called no list: what a few bytes unpack to has no end."""

from __future__ import annotations

__all__ = ["MAX_BYTES", "MAX_COLUMNS", "MAX_ROW", "too_large"]

MAX_BYTES = 1 << 31
"""Bytes that a file may unpack to, unless the caller says otherwise."""
MAX_ROW = 1 << 20
"""Characters of one row: beyond that it is no contact list."""
MAX_COLUMNS = 1 << 14
"""Columns of one row, as in a spreadsheet."""


def too_large(max_bytes: int) -> str:
    """What to do about a file that unpacks to more than that."""
    return (
        f"unpacks to more than {max_bytes:,} bytes: if it is to be trusted, give a larger "
        "max_bytes (--max-bytes)"
    )
