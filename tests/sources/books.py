"""Workbooks as people keep them, written by the programs' own formats."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from tests.parts import module

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "filtered",
    "formatted",
    "formatted_ods",
    "formatted_xls",
    "ods",
    "repeated_ods",
    "spreadsheetml",
    "workbook",
    "workbook_xls",
    "xls",
    "zipped",
]

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


def repeated_ods(path: Path, rows: list[tuple[list[str], int, str, bool]]) -> Path:
    """An OpenDocument spreadsheet whose equal rows are written once.

    Args:
        path: Where to write it.
        rows: The cells, how often the row is there, its visibility, and whether it is in a group
            that is folded.
    """
    table, text = module("odf.table"), module("odf.text")
    book = module("odf.opendocument").OpenDocumentSpreadsheet()
    sheet = table.Table(name="Kontakte")
    book.spreadsheet.addElement(sheet)
    for cells, count, visibility, folded in rows:
        row = table.TableRow(numberrowsrepeated=count, visibility=visibility)
        for cell in cells:
            box = table.TableCell(valuetype="string")
            box.addElement(text.P(text=cell))
            row.addElement(box)
        group = table.TableRowGroup(display="false") if folded else sheet
        group.addElement(row)
        if folded:
            sheet.addElement(group)
    book.save(str(path))
    return path


def formatted_ods(path: Path, form: list[str | int], numbers: list[float]) -> Path:
    """An OpenDocument spreadsheet whose numbers have a format, through the style of their column.

    Args:
        path: Where to write it.
        form: Its texts, and how many digits there are at least.
        numbers: What is in the cells.
    """
    table, text, number = module("odf.table"), module("odf.text"), module("odf.number")
    book = module("odf.opendocument").OpenDocumentSpreadsheet()
    shape = number.NumberStyle(name="N1")
    for part in form:
        if isinstance(part, int):
            shape.addElement(number.Number(minintegerdigits=part, decimalplaces=0))
        else:
            shape.addElement(number.Text(text=part))
    parent = module("odf.style").Style(name="dressed", family="table-cell", datastylename=shape)
    style = module("odf.style").Style(name="ce1", family="table-cell", parentstylename=parent)
    for element, place in ((shape, book.styles), (parent, book.styles), (style, book.styles)):
        place.addElement(element)
    sheet = table.Table(name="Kontakte")
    sheet.addElement(table.TableColumn())
    sheet.addElement(table.TableColumn(defaultcellstylename=style, numbercolumnsrepeated=5))
    book.spreadsheet.addElement(sheet)
    for name, value in [("Name", "Mobil"), *((f"N{at}", n) for at, n in enumerate(numbers))]:
        row = table.TableRow()
        for cell in (name, value):
            typed = {"valuetype": "string"} if isinstance(cell, str) else {"valuetype": "float"}
            box = table.TableCell(**typed, **({} if isinstance(cell, str) else {"value": cell}))
            box.addElement(text.P(text=str(cell)))
            row.addElement(box)
        sheet.addElement(row)
    book.save(str(path))
    return path


def xls(path: Path, rows: Rows, concealed: tuple[int, ...]) -> Path:
    """A sheet of an old workbook in which these rows, from 1, are hidden."""
    book = module("xlwt").Workbook()
    sheet = book.add_sheet("Kontakte")
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(at, column, cell)
    for line in concealed:
        sheet.row(line - 1).hidden = 1
    book.save(str(path))
    return path


def workbook_xls(path: Path, sheets: dict[str, Rows], hidden: tuple[str, ...] = ()) -> Path:
    """An old workbook of these sheets."""
    book = module("xlwt").Workbook()
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        sheet.visibility = int(name in hidden)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    book.active_sheet = len(sheets) - 1
    book.save(str(path))
    return path


def formatted_xls(path: Path, form: str, numbers: list[float]) -> Path:
    """A sheet of an old workbook whose numbers have a format."""
    style = module("xlwt").XFStyle()
    style.num_format_str = form
    book = module("xlwt").Workbook()
    sheet = book.add_sheet("Kontakte")
    for at, name in enumerate(("Name", "Mobil")):
        sheet.write(0, at, name)
    for at, number in enumerate(numbers, 1):
        sheet.write(at, 0, f"N{at}")
        sheet.write(at, 1, number, style)
    book.save(str(path))
    return path


def spreadsheetml(sheets: dict[str, str], hidden: str = "", styles: str = "") -> bytes:
    """A workbook in XML; the rows of its sheets are given as they are written, and its styles."""
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
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f"<Styles>{styles}</Styles>{written}</Workbook>"
    ).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these files."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return raw.getvalue()
