"""Where a row of a list stands, in the words of whoever has the list before them.

Lines are counted as an editor shows them, and rows as a spreadsheet does: from 1, with all that
stands above them. Every text that names one is made here.
"""

from __future__ import annotations

from pathlib import PurePath

from attrs import frozen

__all__ = ["LINE", "ROW", "Place", "list_name", "place_of"]

LINE, ROW = "line", "row"
"""What is counted: lines of a text, or rows where there are no lines."""


def place_of(
    line: int, *, path: str | None = None, sheet: str | None = None, unit: str = LINE
) -> str:
    """`line 7`, `contacts.csv, line 7`, `sheet 'May', row 7`, `book.xlsx, sheet 'May', row 7`.

    Args:
        line: Its number, from 1.
        path: The file, where it must be said.
        sheet: The sheet of a workbook.
        unit: What is counted.
    """
    name = [list_name(path, sheet)] if path or sheet else []
    return ", ".join([*name, f"{ROW if sheet else unit} {line}"])


def list_name(path: str | None, sheet: str | None = None) -> str:
    """`contacts.csv`, or `book.xlsx, sheet 'May'`."""
    sheets = [f"sheet {sheet!r}"] if sheet else []
    return ", ".join([*([path] if path else []), *sheets])


@frozen
class Place:
    """Where a row stands."""

    index: int
    """Its position in the source, from 0."""
    line: int | None = None
    """1-based in the file; None if the file lost the row since."""
    path: str | None = None
    """The file."""
    sheet: str | None = None
    """The sheet of a workbook."""
    several: bool = False
    """Whether there are several files."""
    sheets: bool = False
    """Whether there are several sheets."""
    unit: str = LINE
    """What is counted."""

    @property
    def alone(self) -> bool:
        """Whether a number says all."""
        ambiguous = (self.path and self.several) or (self.sheet and self.sheets)
        return self.line is not None and not ambiguous

    @property
    def label(self) -> str:
        """It below a heading that says what is counted: `17`, or all where that is not enough."""
        return str(self.line) if self.alone else str(self)

    def __str__(self) -> str:
        if self.line is None:
            return place_of(self.index + 1, unit=ROW)
        file = PurePath(self.path).name if self.path and self.several else None
        return place_of(self.line, path=file, sheet=self.sheet, unit=self.unit)
