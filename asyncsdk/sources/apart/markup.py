"""Tables in HTML, and workbooks in XML ("SpreadsheetML 2003"), by lxml, in a child.

Both are what web applications and older programs save under the name `.xls`.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import takewhile
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.book import Sheet, answers
from asyncsdk.sources.apart.dressing import adds, dressed_number, dressed_text
from asyncsdk.sources.bounds import MAX_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["read"]

_MAX_SPAN = 1000
"""Cells that one stands for at most: a table that says more is wrong."""
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_DEFAULT = "Default"
"""The style of cells that name none, and nothing around them does."""
_PARENTS = 10
"""Styles that inherit from each other at most."""
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)(?:\.0*)?")

_BLOCKS = frozenset(("br", "div", "p", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "hr"))
_ASIDE = frozenset(("sup", "sub"))
"""What stands above or below the line, such as the mark of a note, and is no part of a word."""

_Row = tuple[int, list[str], bool]


def read(file: IO[bytes], options: dict[str, Any]) -> Iterator[Any]:
    """The messages of a file (see `book`); a table without a name is called by its number.

    Args:
        file: It.
        options: As `answers` takes them, and `kind`: `html` or `spreadsheetml`.

    Raises:
        SourceError: There is no table in it, or no such one.
    """
    sheets = _tables(file) if options["kind"] == "html" else _worksheets(file)
    if not sheets:
        msg = "has no table in it"
        raise SourceError(msg, line=1)
    yield from answers(sheets, options)


def _tables(file: IO[bytes]) -> list[Sheet]:
    from lxml import html

    raw = file.read()
    parser = html.HTMLParser(encoding=_encoding(raw), no_network=True, huge_tree=True)
    root = html.document_fromstring(raw, parser=parser)
    outer = [table for table in root.iter("table") if table.find(".//table") is None]
    return [
        Sheet(_caption(table) or f"table {number}", True, partial(_html_rows, table))
        for number, table in enumerate(outer, 1)
    ]


def _encoding(raw: bytes) -> str | None:
    """UTF-8 where nothing is said, and the bytes are: a parser would guess Latin-1."""
    head = raw[:4096].lower()
    if b"charset" in head or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _caption(table: Any) -> str:
    found = table.find("caption")
    return "" if found is None else " ".join(found.text_content().split())


def _html_rows(table: Any) -> Iterator[_Row]:
    """The rows of a table; a cell over several of them is in the first, and holds its place."""
    below: dict[int, int] = {}
    for line, row in enumerate(table.iter("tr"), 1):
        cells: list[str] = []
        after: dict[int, int] = {at: left - 1 for at, left in below.items() if left > 1}
        for cell in row.iterchildren("td", "th"):
            while below.get(len(cells), 0) > 0:
                cells.append("")
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for at in range(len(cells), len(cells) + wide):
                if high > 1:
                    after[at] = high - 1
            cells += [_text(cell), *[""] * (wide - 1)]
        below = after
        yield line, _trimmed(cells), any(map(_concealed, _within(row, table)))


def _within(row: Any, table: Any) -> Iterator[Any]:
    """A row, and what it stands in within its table."""
    yield row
    yield from takewhile(lambda element: element is not table, row.iterancestors())


def _span(cell: Any, name: str) -> int:
    try:
        return min(max(1, int(cell.get(name, "1"))), _MAX_SPAN)
    except ValueError:
        return 1


def _text(cell: Any) -> str:
    """What is seen of a cell: blocks and breaks are lines, all other white space is a blank."""
    lines = "".join(_written(cell)).split("\n")
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


def _written(element: Any) -> Iterator[str]:
    """The text in an element that is seen, and line breaks where a block begins or ends."""
    yield _flowing(element.text)
    for inner in element.iterchildren():
        if isinstance(inner.tag, str) and not _concealed(inner):
            edge = "\n" if inner.tag in _BLOCKS else " " if inner.tag in _ASIDE else ""
            yield edge
            yield from _written(inner)
            yield edge
        yield _flowing(inner.tail)


def _flowing(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")


def _concealed(element: Any) -> bool:
    style = element.get("style", "")
    hidden = element.get("hidden") is not None or _HIDDEN.search(style) is not None
    return hidden or element.tag in {"script", "style", "template"}


def _worksheets(file: IO[bytes]) -> list[Sheet]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.parse(file, parser).getroot()
    forms = _forms(root)
    return [
        Sheet(
            sheet.get(f"{_SS}Name") or f"sheet {number}",
            sheet.findtext(f".//{_X}Visible", "") not in {"SheetHidden", "SheetVeryHidden"},
            partial(_xml_rows, sheet, forms),
        )
        for number, sheet in enumerate(root.iter(f"{_SS}Worksheet"), 1)
    ]


def _forms(root: Any) -> dict[str | None, str]:
    """The styles whose number formats add something to what is in a cell."""
    styles = {style.get(f"{_SS}ID"): style for style in root.iter(f"{_SS}Style")}
    forms = {name: _form(style, styles) for name, style in styles.items()}
    return {name: form for name, form in forms.items() if adds(form)}


def _form(style: Any, styles: Mapping[str | None, Any]) -> str:
    """The number format of a style, which may be that of its parent."""
    for _ in range(_PARENTS):
        if style is None:
            break
        if (form := style.find(f"{_SS}NumberFormat")) is not None:
            return str(form.get(f"{_SS}Format", ""))
        style = styles.get(style.get(f"{_SS}Parent"))
    return ""


def _xml_rows(sheet: Any, forms: Mapping[str | None, str]) -> Iterator[_Row]:
    """The rows of a worksheet; what it leaves out is counted by `Index`."""
    line = 0
    of_columns = _styles_of_columns(sheet) if forms else []
    table = sheet.find(f"{_SS}Table")
    whole = _DEFAULT if table is None else table.get(f"{_SS}StyleID", _DEFAULT)
    for row in sheet.iter(f"{_SS}Row"):
        line = int(row.get(f"{_SS}Index", line + 1))
        cells: list[str] = []
        for cell in row.iterchildren(f"{_SS}Cell"):
            index = int(cell.get(f"{_SS}Index", len(cells) + 1))
            if index > MAX_COLUMNS:
                msg = f"the row has more than {MAX_COLUMNS:,} columns: that is no contact list"
                raise SourceError(msg, line=line)
            cells += [""] * (index - 1 - len(cells))
            across = int(cell.get(f"{_SS}MergeAcross", 0))
            column = of_columns[len(cells)] if len(cells) < len(of_columns) else None
            style = cell.get(f"{_SS}StyleID") or row.get(f"{_SS}StyleID") or column or whole
            cells += [_data(cell, forms.get(style, "")), *[""] * min(across, _MAX_SPAN)]
        yield line, _trimmed(cells), row.get(f"{_SS}Hidden") == "1"
        line += int(row.get(f"{_SS}Span", 0))


def _styles_of_columns(sheet: Any) -> list[str | None]:
    found: list[str | None] = []
    for column in sheet.iter(f"{_SS}Column"):
        index = min(int(column.get(f"{_SS}Index", len(found) + 1)), MAX_COLUMNS)
        found += [None] * (index - 1 - len(found))
        found += [column.get(f"{_SS}StyleID")] * min(
            1 + int(column.get(f"{_SS}Span", 0)), MAX_COLUMNS
        )
    return found


def _data(cell: Any, form: str) -> str:
    data = cell.find(f"{_SS}Data")
    if data is None:
        return ""
    text = "".join(data.itertext()).strip()
    if data.get(f"{_SS}Type") == "Number":
        digits = _WHOLE.fullmatch(text)
        return dressed_number(digits[1], form) if digits else text
    return dressed_text(text, form)


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells
