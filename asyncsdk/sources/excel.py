"""Spreadsheets (.xlsx, .xls, .ods) as phones, by calamine (the extra `files`)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.apart.sheets import unpacked
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.layout import find_layout
from asyncsdk.sources.opening import open_input
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["ExcelSource", "read_excel"]

_MAX_HELD = 1 << 28
"""Bytes of a sheet that are held, packed."""


class ExcelSource(Table):
    """The phones of one sheet, which is held whole, packed. A row's line is its number in it.

    The file is read once, by a process of its own, and what it may use is bounded. An empty row
    within the list is a row; above and below it there are none.

    Attributes:
        sheet: The sheet's name.
    """

    reopenable = True

    def __init__(
        self,
        path: str | None,
        sheet: str,
        pieces: list[bytes],
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
        above: int,
    ) -> None:
        super().__init__(path, columns, mapping)
        self.sheet = sheet
        self._pieces = pieces
        self._above = above

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        rows = (row for piece in self._pieces for row in unpacked(piece))
        return islice(rows, self._above, None)


def read_excel(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    sheet: str | None = None,
    max_bytes: int | None = None,
) -> ExcelSource:
    """A contact list in a spreadsheet, ready to be uploaded.

    Args:
        source: A path, or a file object; it stays open.
        columns: Fields of `Phone` to column names or 1-based numbers.
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The column that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).
        header: Whether the first row names the columns.
        skip_lines: Rows above the table; what looks like a title is left out by itself.
        sheet: Its name; otherwise the first that holds anything.
        max_bytes: Bytes that the file may unpack to, and of memory that reading it may take; None
            for 2 GiB.

    Raises:
        SourceError: The file cannot be read, has no such sheet, is empty, asks for more than that,
            or no column looks like phones.
        ConfigurationError: An argument cannot work.
        ImportError: python-calamine is not installed.
    """
    opened = open_input(source, 0, max_bytes)
    name, pieces, width = _sheet(opened, sheet)
    if not pieces:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    first = [row for row in unpacked(pieces[0]) if row[0] > skip_lines]
    sample = [cells for _, cells in first]
    layout = find_layout(sample, width, header=header)
    chosen = choose_columns(
        layout.names,
        sample[layout.above :],
        Wanted(columns, names, country, ask),
        path=opened.name,
        line=first[0][0] if first else None,
    )
    above = len(unpacked(pieces[0])) - len(first) + layout.above
    found = ExcelSource(opened.name, name, pieces, layout.names, chosen, above)
    found.notes = tuple(layout.notes)
    return found


def _sheet(source: Input, sheet: str | None) -> tuple[str, list[bytes], int]:
    """The sheet's name, its rows in packed pieces, and the width of the widest."""
    name, width, held = sheet or "", 0, 0
    pieces: list[bytes] = []
    bounds = Bounds(max_bytes=source.max_bytes)
    with apart("sheets", "python_calamine", source, {"sheet": sheet}, bounds) as messages:
        for message in messages:
            if isinstance(message, str):
                name = message
            elif isinstance(message, int):
                width = message
            else:
                pieces.append(message)
                held += len(message)
            if held > _MAX_HELD:
                msg = f"the sheet holds more than {_MAX_HELD:,} bytes, packed: save it as CSV"
                raise SourceError(msg, path=source.name)
    return name, pieces, width
