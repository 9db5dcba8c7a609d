"""How the cells of an OpenDocument spreadsheet (.ods) are shown.

A format is written there as elements, and here as Excel writes it; one that depends on the value
names others for some values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from asyncsdk.sources.apart.archived import found_in, parse
from asyncsdk.sources.apart.dressing import adds
from asyncsdk.sources.apart.shown import MAX_ROWS, Shown
from asyncsdk.sources.bounds import MAX_COLUMNS

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["CONTENT", "shown_in_ods"]

CONTENT = "content.xml"
"""The part that has the sheets."""
_STYLES = ("styles.xml", CONTENT)
_HIDES = re.compile(rb"visibility=[\"'](?:collapse|filter)|table:display=[\"']false")
_OFFICE, _STYLE, _NUMBER = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}"
    for name in ("office", "style", "datastyle")
)
_BODY = f"{_OFFICE}body"
_CELL_FAMILY = "table-cell"
_FORMATS = {f"{_NUMBER}{name}-style" for name in ("number", "currency", "text")}
_OTHERWISE = {f"{_NUMBER}{name}" for name in ("scientific-number", "fraction")}
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
_CONDITION = re.compile(r"value\(\)\s*(<=|>=|!=|<|>|=)\s*(-?[0-9.]+)")
_MOST_DIGITS = 40
_PARENTS = 10
"""Styles that inherit from each other at most."""

Attributes = dict[str, str]


def shown_in_ods(archive: zipfile.ZipFile, sheet: str) -> Shown:
    """How the sheet of this name is shown."""
    styles = _Styles()
    for part in _STYLES:
        if part in archive.namelist():
            _read_styles(archive, part, styles)
    forms = styles.resolved()
    if not forms and not found_in(archive, CONTENT, _HIDES):
        return Shown()
    numbers = {form: at for at, form in enumerate(dict.fromkeys(forms.values()), 1)}
    reader = _Rows(
        sheet,
        {name: numbers[form] for name, form in forms.items()},
        Shown(styles={at: form for form, at in numbers.items()}),
    )
    parse(archive, CONTENT, reader.begin, reader.end)
    return reader.seen


@frozen
class _Styles:
    """The styles of cells, and the formats that they name, as elements."""

    formats: dict[str, Any] = Factory(dict)
    cells: dict[str, Any] = Factory(dict)

    def resolved(self) -> dict[str, str]:
        """The styles that add something to what is in a cell, as Excel would write the format."""
        forms = {name: self._form(self._format_of(name)) for name in self.cells}
        return {name: form for name, form in forms.items() if adds(form)}

    def _format_of(self, style: str) -> str:
        """The name of the format of a style, which may be that of its parent."""
        for _ in range(_PARENTS):
            element = self.cells.get(style)
            if element is None:
                break
            if form := element.get(f"{_STYLE}data-style-name", ""):
                return str(form)
            style = element.get(f"{_STYLE}parent-style-name", "")
        return ""

    def _form(self, name: str) -> str:
        form = self.formats.get(name)
        if form is None:
            return ""
        return ";".join([*self._conditional(form), _section(form)])

    def _conditional(self, form: Any) -> Iterator[str]:
        for each in form.iterchildren(f"{_STYLE}map"):
            held = _CONDITION.match(each.get(f"{_STYLE}condition", ""))
            other = self.formats.get(each.get(f"{_STYLE}apply-style-name"))
            if held and other is not None:
                yield f"[{held[1].replace('!=', '<>')}{held[2]}]{_section(other)}"


def _read_styles(archive: zipfile.ZipFile, part: str, styles: _Styles) -> None:
    """Add the styles of a part; its sheets, which are below them, are not looked at."""
    from lxml import etree

    with archive.open(part) as file:
        for event, element in etree.iterparse(
            file, ("start", "end"), resolve_entities=False, no_network=True
        ):
            if element.tag == _BODY:
                return
            if event == "start":
                continue
            name = element.get(f"{_STYLE}name", "")
            if element.tag in _FORMATS:
                styles.formats[name] = element
            elif element.tag == f"{_STYLE}style" and element.get(f"{_STYLE}family") == _CELL_FAMILY:
                styles.cells[name] = element


def _section(form: Any) -> str:
    """A format without its conditions."""
    return "".join(map(_part, form))


def _part(element: Any) -> str:
    """A part of a format; one that shows no digits as they are makes it one that adds nothing."""
    text = "".join(element.itertext()).replace('"', "")
    if element.tag == f"{_NUMBER}text":
        return f'"{text}"'
    if element.tag == f"{_NUMBER}currency-symbol":
        return f"[${text.replace(']', '').replace('-', '')}]"
    if element.tag == f"{_NUMBER}number":
        return _digits(element)
    if element.tag == f"{_NUMBER}text-content":
        return "@"
    return "E" if element.tag in _OTHERWISE else ""


def _digits(element: Any) -> str:
    """The places of the digits of a number, with what stands between them."""
    if element.get(f"{_NUMBER}display-factor", "1") != "1":
        return "E"
    embedded = sorted(
        (min(int(each.get(f"{_NUMBER}position", 0)), _MOST_DIGITS), each.text or "")
        for each in element.iterchildren(f"{_NUMBER}embedded-text")
    )
    least = min(int(element.get(f"{_NUMBER}min-integer-digits", 1)), _MOST_DIGITS)
    most = max([1, least, *(position + 1 for position, _ in embedded)])
    places = ["#"] * (most - least) + ["0"] * least
    for position, text in embedded:  # from the right, so that those before keep their places
        quoted = text.replace('"', "")
        places[most - position - 1] += f'"{quoted}"'
    decimals = min(int(element.get(f"{_NUMBER}decimal-places") or 0), _MOST_DIGITS)
    return "".join(places) + ("." + "0" * decimals if decimals > 0 else "")


class _Rows:
    """The rows of one sheet, and in which style each of their cells is."""

    def __init__(self, sheet: str, styles: Mapping[str, int], seen: Shown) -> None:
        self.seen = seen
        self._sheet = sheet
        self._styles = styles
        self._here = False
        self._folded: list[bool] = []
        self._columns: list[int] = []
        self._line = self._count = self._column = self._default = 0
        self._begun: dict[str, Callable[[Attributes], None]] = {
            "table:table": self._table,
            "table:table-column": self._column_style,
            "table:table-row-group": self._group,
            "table:table-row": self._row,
        }

    def begin(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        if name in _CELLS and self._here:
            self._cell(attributes)
        elif (begun := self._begun.get(name)) and (self._here or name == "table:table"):
            begun(attributes)

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "table:table-row" and self._here:
            self._line += self._count
        elif name == "table:table-row-group" and self._here:
            self._folded.pop()

    def _table(self, attributes: Attributes) -> None:
        self._here = attributes.get("table:name") == self._sheet
        self._line = 0
        self._columns = []

    def _column_style(self, attributes: Attributes) -> None:
        style = self._styles.get(attributes.get("table:default-cell-style-name", ""), 0)
        count = _count(attributes, "table:number-columns-repeated", MAX_COLUMNS)
        self._columns += [style] * min(count, MAX_COLUMNS - len(self._columns))

    def _group(self, attributes: Attributes) -> None:
        self._folded.append(attributes.get("table:display") == "false")

    def _row(self, attributes: Attributes) -> None:
        self._column = 0
        self._count = _count(attributes, "table:number-rows-repeated", MAX_ROWS - self._line)
        self._default = self._styles.get(attributes.get("table:default-cell-style-name", ""), 0)
        if attributes.get("table:visibility") in {"collapse", "filter"} or any(self._folded):
            self.seen.hidden.update(range(self._line + 1, self._line + self._count + 1))

    def _cell(self, attributes: Attributes) -> None:
        count = _count(attributes, "table:number-columns-repeated", MAX_COLUMNS)
        if "office:value-type" in attributes:
            named = attributes.get("table:style-name")
            for at in range(self._column, min(self._column + count, MAX_COLUMNS)):
                style = self._style_at(at) if named is None else self._styles.get(named, 0)
                for line in range(self._line + 1, self._line + self._count + 1) if style else ():
                    self.seen.note(line, at, style)
        self._column += count

    def _style_at(self, at: int) -> int:
        return self._default or (self._columns[at] if at < len(self._columns) else 0)


def _count(attributes: Attributes, name: str, most: int) -> int:
    return max(0, min(int(attributes.get(name, 1)), most))
