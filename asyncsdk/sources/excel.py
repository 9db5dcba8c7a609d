"""Spreadsheets (.xlsx, .xls, .ods) as phones, by calamine (the extra `files`)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.cells import texts_of
from asyncsdk.sources.columns import choose_columns
from asyncsdk.sources.dialect import Sample, find_header
from asyncsdk.sources.foreign import foreign_faults
from asyncsdk.sources.opening import open_input
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from asyncsdk.sources.columns import ColumnChoice
    from asyncsdk.sources.opening import Place

__all__ = ["ExcelSource", "read_excel"]

_SAMPLE_ROWS = 1000


class ExcelSource(Table):
    """The phones of one sheet, which is held whole. A row's line is its number in the sheet.

    An empty row within the list is a row; above and below it there are none.

    Attributes:
        sheet: The sheet's name.
    """

    reopenable = True

    def __init__(
        self,
        path: str | None,
        sheet: str,
        data: list[tuple[int, list[str]]],
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
    ) -> None:
        super().__init__(path, columns, mapping)
        self.sheet = sheet
        self._data = data

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        return iter(self._data)


def read_excel(
    source: Place,
    *,
    columns: Mapping[str, str | int] | None = None,
    names: Mapping[str, str] | None = None,
    header: bool | None = None,
    sheet: str | None = None,
) -> ExcelSource:
    """A contact list in a spreadsheet, ready to be uploaded.

    Args:
        source: A path, or a file object; it stays open.
        columns: Fields of `Phone` to column names or 1-based numbers.
        names: What the group calls its columns, to be used as fields in `columns`.
        header: Whether the first row names the columns.
        sheet: Its name; otherwise the first that holds anything.

    Raises:
        SourceError: The file cannot be read, has no such sheet, is empty, or no column looks like
            phones.
        ConfigurationError: An argument cannot work.
        ImportError: python-calamine is not installed.
    """
    opened = open_input(source, 0)
    with opened.reading() as file:
        raw = io.BytesIO(file.read())
    name, data = _rows(raw, sheet, opened.name)
    if not data:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    width = max(len(cells) for _, cells in data)
    sample = [cells for _, cells in data[:_SAMPLE_ROWS]]
    named = find_header(Sample("", sample, width), header=header)
    found = tuple(sample[0] if named else map(str, range(1, width + 1)))
    chosen = choose_columns(
        found, sample[named:], columns, path=opened.name, line=data[0][0], names=names
    )
    return ExcelSource(opened.name, name, data[named:], found, chosen)


def _rows(
    file: IO[bytes], sheet: str | None, path: str | None
) -> tuple[str, list[tuple[int, list[str]]]]:
    """The sheet's name, and its numbered rows from the first to the last that hold anything."""
    calamine = _calamine()
    with foreign_faults(path, lambda: 1, "cannot be read as a spreadsheet"):
        book = calamine.CalamineWorkbook.from_filelike(file)
        for name in _wanted(book.sheet_names, sheet, path):
            grid = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            numbered = [(line, texts_of(row)) for line, row in enumerate(grid, 1)]
            full = [at for at, (_, row) in enumerate(numbered) if any(row)]
            if full:
                return name, numbered[full[0] : full[-1] + 1]
    return sheet or "", []


def _wanted(names: list[str], sheet: str | None, path: str | None) -> list[str]:
    if sheet is None:
        return names
    if sheet not in names:
        msg = f"there is no sheet {sheet!r}; there are {', '.join(map(repr, names))}"
        raise SourceError(msg, path=path)
    return [sheet]


def _calamine() -> Any:
    try:
        import python_calamine
    except ImportError as error:
        msg = "reading spreadsheets needs python-calamine: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    return python_calamine
