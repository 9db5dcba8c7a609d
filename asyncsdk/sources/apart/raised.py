"""The texts of a workbook in which something is raised or lowered, such as the mark of a note.

A person sees that it is no part of the number beside it; the text of the cell does not say so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import Factory, define

from asyncsdk.sources.apart.archived import found_in, parse

if TYPE_CHECKING:
    import zipfile

__all__ = ["raised_in_xlsx"]

_STRINGS = "xl/sharedStrings.xml"
_RAISES = re.compile(rb"vertAlign")
_ASIDE = frozenset({"superscript", "subscript"})


def raised_in_xlsx(archive: zipfile.ZipFile) -> dict[str, str]:
    """Such texts of a workbook (.xlsx), and the same with blanks around what is raised."""
    if _STRINGS not in archive.namelist() or not found_in(archive, _STRINGS, _RAISES):
        return {}
    reader = _Strings()
    parse(archive, _STRINGS, reader.begin, reader.end, reader.text)
    return reader.found


@define
class _Strings:
    """Reads texts, run by run."""

    found: dict[str, str] = Factory(dict)
    _runs: list[tuple[str, bool]] = Factory(list)
    """Of one text: what is written, and whether it is raised."""
    _raised: bool = False
    _inside: str = ""
    """The element in which what is written is part of the text, or of how it is spoken."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        kind = name.rpartition(":")[2]
        if kind == "si":
            self._runs = []
        elif kind in {"r", "rPh"}:
            self._raised = False
        elif kind == "vertAlign":
            self._raised = attributes.get("val") in _ASIDE
        if kind in {"t", "rPh"} and self._inside != "rPh":
            self._inside = kind

    def end(self, name: str) -> None:
        """An element ends."""
        kind = name.rpartition(":")[2]
        if kind == self._inside:
            self._inside = ""
        if kind == "r":
            self._raised = False
        if kind == "si" and any(raised for _, raised in self._runs):
            text = "".join(written for written, _ in self._runs)
            self.found[text] = "".join(
                f" {w} " if raised else w for w, raised in self._runs
            ).strip()

    def text(self, written: str) -> None:
        """A piece of what is written."""
        if self._inside == "t":
            self._runs.append((written, self._raised))
