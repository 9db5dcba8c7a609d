"""Workbooks as people keep them, written by the programs' own formats."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from tests.parts import module

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["filtered", "formatted", "ods", "spreadsheetml", "workbook", "zipped"]

Rows = list[list[Any]]


def workbook(path: Path, sheets: dict[str, Rows], hidden: tuple[str, ...] = ()) -> Path:
    """A workbook of these sheets."""
    with module("xlsxwriter").Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if name in hidden:
                sheet.hide()
        book.worksheets()[-1].activate()
    return path


def filtered(path: Path, rows: Rows, concealed: tuple[int, ...]) -> Path:
    """A sheet in which these rows, from 1, are hidden."""
    with module("xlsxwriter").Workbook(path) as book:
        sheet = book.add_worksheet("Kontakte")
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        for line in concealed:
            sheet.set_row(line - 1, options={"hidden": True})
    return path


def formatted(path: Path, form: str, numbers: list[float]) -> Path:
    """A sheet whose numbers have a format."""
    with module("xlsxwriter").Workbook(path) as book:
        sheet = book.add_worksheet("Kontakte")
        sheet.write_row(0, 0, ["Name", "Mobil"])
        for at, number in enumerate(numbers, 1):
            sheet.write(at, 0, f"N{at}")
            sheet.write_number(at, 1, number, book.add_format({"num_format": form}))
    return path


def ods(path: Path, rows: Rows, concealed: tuple[int, ...]) -> Path:
    """The same as an OpenDocument spreadsheet."""
    table, text = module("odf.table"), module("odf.text")
    book = module("odf.opendocument").OpenDocumentSpreadsheet()
    sheet = table.Table(name="Kontakte")
    book.spreadsheet.addElement(sheet)
    for line, row in enumerate(rows, 1):
        shown = {"visibility": "filter"} if line in concealed else {}
        element = table.TableRow(**shown)
        sheet.addElement(element)
        for cell in row:
            box = table.TableCell(valuetype="string")
            box.addElement(text.P(text=cell))
            element.addElement(box)
    book.save(str(path))
    return path


def spreadsheetml(sheets: dict[str, str], hidden: str = "") -> bytes:
    """A workbook in XML; the rows of its sheets are given as they are written."""
    written = "".join(
        f'<Worksheet ss:Name="{name}"><Table>{rows}</Table>'
        '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">'
        f"{'<Visible>SheetHidden</Visible>' if name == hidden else ''}</WorksheetOptions>"
        "</Worksheet>"
        for name, rows in sheets.items()
    )
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        f'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">{written}</Workbook>'
    ).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these files."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return raw.getvalue()
