"""A list to begin with: the columns that make sense, and rows that show how they are filled."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from asyncsdk.export.sheet import write_sheet

__all__ = ["TEMPLATES", "template"]

TEMPLATES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The media type of each kind."""

_HEADER = ("phone", "a", "b", "c", "d", "e")
_ROWS = (
    ("+49 151 12345678", "Ms", "Ada", "Example", "", ""),
    ("+43 664 1234567", "Mr", "Ben", "Example", "", ""),
)


async def template(kind: Literal["csv", "xlsx"]) -> bytes:
    """The file."""
    return await asyncio.to_thread(_template, kind)


@cache
def _template(kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"template.{kind}"
        write_sheet(path, _HEADER, _ROWS)
        return path.read_bytes()
