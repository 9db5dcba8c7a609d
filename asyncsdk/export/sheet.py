"""Rows of texts in a file that a spreadsheet opens with a double click: CSV, or a workbook."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError
from asyncsdk.files import placing, replacing, working_folder
from asyncsdk.sources.inert import as_text, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

__all__ = ["FullWorkbookError", "is_workbook", "needs_semicolons", "workbooks", "write_sheet"]

_WORKBOOK = ".xlsx"
_MAX_ROWS = 1_048_576
_MAX_CELL = 32_767
"""Characters, as of a workbook's rows: more of either cannot be in one."""
_SEMICOLONS = frozenset(
    (
        *("AD", "AL", "AR", "AT", "BA", "BE", "BG", "BO", "BR", "BY", "CH", "CL", "CO", "CR", "CZ"),
        *("DE", "DK", "EC", "EE", "ES", "FI", "FR", "GE", "GR", "HR", "HU", "ID", "IS", "IT", "KZ"),
        *("LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "NL", "NO", "PL", "PT", "PY", "RO", "RS"),
        *("RU", "SE", "SI", "SK", "SM", "TR", "UA", "UY", "UZ", "VE", "VN", "XK"),
    )
)
"""Regions in which numbers have a decimal comma: a spreadsheet there parts cells by semicolons."""


class FullWorkbookError(ConfigurationError):
    """A workbook cannot hold so many rows, or so long a cell: CSV can."""


def needs_semicolons(region: object) -> bool:
    """Whether a spreadsheet of this region shows a CSV file with commas as a single column."""
    return region in _SEMICOLONS


def is_workbook(path: str | PathLike[str]) -> bool:
    """Whether a file of this name is a workbook."""
    return Path(path).suffix.lower() == _WORKBOOK


def write_sheet(
    path: str | PathLike[str],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    delimiter: str = ",",
    quotechar: str = '"',
) -> None:
    """Write them, so that no cell is a formula and none is rounded when it is saved again.

    Args:
        path: The file; a name that ends in `.xlsx` makes it a workbook in which all cells are
            texts, every other one CSV in UTF-8 with the byte order mark that spreadsheets need.
        header: The first row.
        rows: The others.
        delimiter: Of CSV, the character between cells.
        quotechar: Of CSV, the character around cells that hold a delimiter.

    Raises:
        FullWorkbookError: A workbook cannot hold so much.
        ImportError: xlsxwriter is not installed, and the file is a workbook.
    """
    if is_workbook(path):
        _write_workbook(path, header, rows)
        return
    with replacing(path, "utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter, quotechar=quotechar, quoting=csv.QUOTE_ALL)
        writer.writerow(list(map(escape, header)))
        writer.writerows(list(map(as_text, row)) for row in rows)


def workbooks() -> Any:
    """What writes workbooks.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        msg = "writing .xlsx needs xlsxwriter: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    return xlsxwriter


def _write_workbook(
    path: str | PathLike[str], header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    with (
        placing(path) as place,
        working_folder(place) as folder,
        workbooks().Workbook(str(place), {"constant_memory": True, "tmpdir": folder}) as book,
    ):
        sheet = book.add_worksheet()
        text = book.add_format({"num_format": "@"})
        sheet.set_column(0, len(header), None, text)
        _write_row(
            sheet, 0, list(map(escape, header)), book.add_format({"bold": True, "num_format": "@"})
        )
        for at, row in enumerate(rows, 1):
            _write_row(sheet, at, list(map(escape, row)), text)


def _write_row(sheet: Any, at: int, cells: Sequence[str], shape: Any) -> None:
    if at >= _MAX_ROWS or any(len(cell) > _MAX_CELL for cell in cells):
        msg = (
            f"a workbook holds at most {_MAX_ROWS:,} rows, and {_MAX_CELL:,} characters in a cell: "
            "name the file .csv"
        )
        raise FullWorkbookError(msg)
    for column, cell in enumerate(cells):  # a name of a file may hold bytes that are no text
        sheet.write_string(at, column, cell.encode(errors="replace").decode(), shape)
