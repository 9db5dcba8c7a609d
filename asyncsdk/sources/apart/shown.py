"""What a person sees of a workbook that its cells do not say: hidden rows, and number formats.

A row that is hidden or filtered is not seen; a number whose format is `"+41 "0` is seen with +41.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from asyncsdk.scalars import whole
from asyncsdk.sources.apart.dressing import dressed_number, dressed_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_ROWS", "Shown"]

MAX_ROWS = 1 << 20
"""Rows of a sheet: beyond them nothing is noted."""


@frozen
class Shown:
    """How the cells of one sheet are shown."""

    hidden: set[int] = Factory(set)
    """The numbers of the rows that are not."""
    formats: dict[int, array[int]] = Factory(dict)
    """Of each column the styles of its cells by their row."""
    styles: dict[int, str] = Factory(dict)
    """Of some styles the format, where that adds digits or signs to what is in a cell."""
    raised: dict[str, str] = Factory(dict)
    """Texts in which something is raised, and the same with blanks around that."""

    def note(self, line: int, column: int, style: int) -> None:
        """Remember the style of a cell, if its format adds anything.

        Args:
            line: The row, from 1.
            column: From 0.
            style: Of `styles`, or another one.
        """
        if style in self.styles and line <= MAX_ROWS:
            known = self.formats.setdefault(column, array("L"))
            known.extend([0] * (line + 1 - len(known)))
            known[line] = style

    def dressed(self, line: int, left: int, cells: Sequence[object], texts: list[str]) -> list[str]:
        """The texts of a row as they are shown.

        Args:
            line: The number of the row.
            left: Empty columns before the first cell.
            cells: Their values.
            texts: What these are without a format.
        """
        for at, column in self.formats.items():
            style = column[line] if line < len(column) else 0
            if style and left <= at < left + len(cells):
                texts[at - left] = _dressed(cells[at - left], texts[at - left], self.styles[style])
        return [self.raised.get(text, text) for text in texts] if self.raised else texts


def _dressed(value: object, text: str, form: str) -> str:
    if isinstance(value, str):
        return dressed_text(value, form)
    number = whole(value)
    return text if number is None else dressed_number(number, form)
