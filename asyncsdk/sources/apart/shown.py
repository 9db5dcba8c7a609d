"""What a person sees of a workbook that its cells do not say: hidden rows, and number formats.

A row that is hidden or filtered is not seen; a number whose format is `"+41 "0` is seen with +41.
Of .xlsx both are known here, of .ods the rows; an .xls says neither.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from array import array
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from attrs import Factory, frozen

from asyncsdk.scalars import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Shown", "dressed_number", "shown"]

_PIECE = 1 << 16
_HIDES = re.compile(rb"hidden=[\"'](?:1|true)", re.IGNORECASE)
_FILTERS = re.compile(rb"visibility=[\"'](?:collapse|filter)")
_OVERLAP = 64
_CELL = re.compile(r"([A-Z]+)\d+")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$[^\]]*\]|([-+()/ 1-9])|([0#?])', re.DOTALL)
_MAX_ROWS = 1 << 20


@frozen
class Shown:
    """How the cells of one sheet are shown."""

    hidden: frozenset[int] | set[int] = frozenset()
    """The numbers of the rows that are not."""
    formats: dict[int, array[int]] = Factory(dict)
    """Of each column the styles of its cells by their row."""
    styles: dict[int, str] = Factory(dict)
    """Of some styles the format, where that adds digits or signs to numbers."""

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
                number = whole(cells[at - left])
                if number is not None:
                    texts[at - left] = dressed_number(number, self.styles[style])
        return texts


def shown(file: IO[bytes], sheet: str) -> Shown:
    """How this sheet of a workbook is shown; plainly, where the file does not say.

    Args:
        file: The workbook.
        sheet: Its name.
    """
    place = file.tell()
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return _of_xlsx(archive, sheet)
            if "content.xml" in names and _found(archive, "content.xml", _FILTERS):
                return Shown(_hidden_in_ods(archive, sheet))
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, KeyError):
        return Shown()  # whoever reads the cells says what is wrong with the file
    except expat.ExpatError:
        return Shown()
    finally:
        file.seek(place)
    return Shown()


def dressed_number(number: str, form: str) -> str:
    """Whole digits as a format shows them: its literals, and zeros in front.

    >>> dressed_number("791234567", '"+41 "00 000 00 00')
    '+41 79 123 45 67'
    """
    if number.startswith("-"):
        return number
    tokens = list(_LITERAL.finditer(form.partition(";")[0]))
    places = sum(token[4] is not None for token in tokens)
    digits = list(number)
    written: list[str] = []
    for token in reversed(tokens):
        if token[4] is None:
            written.append(token[1] or token[2] or token[3] or "")
            continue
        places -= 1
        taken = 1 if places else max(1, len(digits))  # the first place takes all that is left
        written += reversed(digits[-taken:])
        if not digits and token[4] == "0":
            written.append("0")
        del digits[-taken:]
    return "".join(reversed(written)).strip()


def _adds(form: str) -> bool:
    """Whether a format shows more of a whole number than its digits, and is nothing else."""
    first = form.partition(";")[0]
    left = _LITERAL.sub("", first)
    tokens = list(_LITERAL.finditer(first))
    places = [token[4] for token in tokens if token[4]]
    literal = any(token[1] or token[2] or token[3] for token in tokens)
    return not left and bool(places) and (literal or places.count("0") > 1)


def _of_xlsx(archive: zipfile.ZipFile, sheet: str) -> Shown:
    part = _part_of(archive, sheet)
    if part is None:
        return Shown()
    styles = _styles(archive)
    if not styles and not _found(archive, part, _HIDES):
        return Shown()
    hidden: set[int] = set()
    formats: dict[int, array[int]] = {}
    line = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal line
        kind = _local(name)
        if kind == "row":
            line = int(attributes.get("r", line + 1))
            if attributes.get("hidden") in {"1", "true"}:
                hidden.add(line)
        elif kind == "c" and styles:
            style = int(attributes.get("s", 0))
            place = _CELL.fullmatch(attributes.get("r", ""))
            if style in styles and place and line <= _MAX_ROWS:
                column = formats.setdefault(_column(place[1]), array("L"))
                column.extend([0] * (line + 1 - len(column)))
                column[line] = style

    _parse(archive, part, begin)
    return Shown(hidden, formats, styles)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The file of an archive that has this sheet."""
    ids: dict[str, str] = {}
    targets: dict[str, str] = {}

    def begin(name: str, attributes: dict[str, str]) -> None:
        plain = {_local(key): value for key, value in attributes.items()}
        if _local(name) == "sheet":
            ids[plain.get("name", "")] = plain.get("id", "")
        elif _local(name) == "Relationship":
            targets[plain.get("Id", "")] = plain.get("Target", "")

    _parse(archive, "xl/workbook.xml", begin)
    _parse(archive, "xl/_rels/workbook.xml.rels", begin)
    target = targets.get(ids.get(sheet, ""))
    return None if target is None else posixpath.join("/xl", target).removeprefix("/")


def _styles(archive: zipfile.ZipFile) -> dict[int, str]:
    """The styles whose formats add something to numbers."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    forms: dict[str, str] = {}
    found: dict[int, str] = {}
    inside = [""]
    count = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        kind = _local(name)
        if kind in {"cellXfs", "cellStyleXfs"}:
            inside[0] = kind
        elif kind == "numFmt":
            forms[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif kind == "xf" and inside[0] == "cellXfs":
            form = forms.get(attributes.get("numFmtId", ""), "")
            if form and _adds(form):
                found[count] = form
            count += 1

    _parse(archive, "xl/styles.xml", begin)
    return found


def _hidden_in_ods(archive: zipfile.ZipFile, sheet: str) -> set[int]:
    hidden: set[int] = set()
    here = False
    line = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal here, line
        if name == "table:table":
            here, line = attributes.get("table:name") == sheet, 0
        elif name == "table:table-row" and here:
            count = min(int(attributes.get("table:number-rows-repeated", 1)), _MAX_ROWS - line)
            if attributes.get("table:visibility") in {"collapse", "filter"}:
                hidden.update(range(line + 1, line + count + 1))
            line += count

    _parse(archive, "content.xml", begin)
    return hidden


def _parse(
    archive: zipfile.ZipFile, part: str, begin: Callable[[str, dict[str, str]], None]
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    with archive.open(part) as file:
        parser.ParseFile(file)


def _found(archive: zipfile.ZipFile, part: str, pattern: re.Pattern[bytes]) -> bool:
    """Whether a file of an archive has something in it, without reading it as XML."""
    before = b""
    with archive.open(part) as file:
        while piece := file.read(_PIECE):
            if pattern.search(before + piece):
                return True
            before = piece[-_OVERLAP:]
    return False


def _column(letters: str) -> int:
    """The number, from 0, of the column with these letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _local(name: str) -> str:
    return name.rpartition(":")[2]
