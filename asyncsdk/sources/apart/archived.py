"""The parts of a workbook that is an archive of XML, looked at without holding them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

__all__ = ["NO_ARCHIVE", "found_in", "parse"]

NO_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError)
"""What zipfile raises of a file that is none, or damaged, or packed as it cannot read."""

_PIECE = 1 << 16
_OVERLAP = 64


def parse(
    archive: zipfile.ZipFile,
    part: str,
    begin: Callable[[str, dict[str, str]], None] | None = None,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Read a part of an archive as XML.

    Args:
        archive: It.
        part: The name of the part.
        begin: Is called where an element begins.
        end: And where it ends.
        text: And with the texts between, in pieces.

    Raises:
        expat.ExpatError: It is no XML.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with archive.open(part) as file:
        parser.ParseFile(file)


def found_in(archive: zipfile.ZipFile, part: str, pattern: re.Pattern[bytes]) -> bool:
    """Whether a part of an archive has something in it, without reading it as XML."""
    before = b""
    with archive.open(part) as file:
        while piece := file.read(_PIECE):
            if pattern.search(before + piece):
                return True
            before = piece[-_OVERLAP:]
    return False
