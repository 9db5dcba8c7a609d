"""How the cells of a workbook in Office Open XML (.xlsx, .xlsm) are shown."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from asyncsdk.sources.apart.archived import found_in, parse
from asyncsdk.sources.apart.dressing import adds
from asyncsdk.sources.apart.raised import raised_in_xlsx
from asyncsdk.sources.apart.shown import Shown

if TYPE_CHECKING:
    import zipfile

__all__ = ["BOOK", "shown_in_xlsx"]

BOOK = "xl/workbook.xml"
"""The part that each of them has."""
_HIDES = re.compile(rb"hidden=[\"'](?:1|true)|ht=[\"']0", re.IGNORECASE)
_CELL = re.compile(r"([A-Z]+)\d+")


def shown_in_xlsx(archive: zipfile.ZipFile, sheet: str) -> Shown:
    """How the sheet of this name is shown."""
    part = _part_of(archive, sheet)
    if part is None:
        return Shown()
    styles = _styles(archive)
    raised = raised_in_xlsx(archive)
    if not styles and not found_in(archive, part, _HIDES):
        return Shown(raised=raised)
    seen = Shown(styles=styles, raised=raised)
    line, column = 0, -1

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal line, column
        kind = _local(name)
        if kind == "row":
            line, column = int(attributes.get("r", line + 1)), -1
            if attributes.get("hidden") in {"1", "true"} or _is_zero(attributes.get("ht")):
                seen.hidden.add(line)
        elif kind == "c" and styles:  # what does not say its place stands behind the one before
            place = _CELL.fullmatch(attributes.get("r", ""))
            column = _column(place[1]) if place else column + 1
            seen.note(line, column, int(attributes.get("s", 0)))

    parse(archive, part, begin)
    return seen


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

    parse(archive, BOOK, begin)
    parse(archive, "xl/_rels/workbook.xml.rels", begin)
    target = targets.get(ids.get(sheet, ""))
    return None if target is None else posixpath.join("/xl", target).removeprefix("/")


def _styles(archive: zipfile.ZipFile) -> dict[int, str]:
    """The styles whose formats add something to what is in a cell."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    forms: dict[str, str] = {}
    found: dict[int, str] = {}
    inside = ""
    count = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, inside
        kind = _local(name)
        if kind in {"cellXfs", "cellStyleXfs"}:
            inside = kind
        elif kind == "numFmt":
            forms[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif kind == "xf" and inside == "cellXfs":
            form = forms.get(attributes.get("numFmtId", ""), "")
            if form and adds(form):
                found[count] = form
            count += 1

    parse(archive, "xl/styles.xml", begin)
    return found


def _is_zero(height: str | None) -> bool:
    return height is not None and not height.strip("0.")


def _column(letters: str) -> int:
    """The number, from 0, of the column with these letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _local(name: str) -> str:
    return name.rpartition(":")[2]
