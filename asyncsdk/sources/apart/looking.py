"""How the sheets of a workbook are shown, whatever program's it is."""

from __future__ import annotations

import zipfile
from functools import partial
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from asyncsdk.sources.apart.archived import NO_ARCHIVE
from asyncsdk.sources.apart.ods import CONTENT, shown_in_ods
from asyncsdk.sources.apart.shown import Shown
from asyncsdk.sources.apart.xls import opened_xls
from asyncsdk.sources.apart.xlsx import BOOK, shown_in_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["how_shown"]

_OLE = b"\xd0\xcf\x11\xe0"
_FAULTS = (*NO_ARCHIVE, KeyError, expat.ExpatError)


def how_shown(file: IO[bytes]) -> Callable[[str], Shown]:
    """What tells of the sheet of a name how it is shown; plainly, where the file does not say.

    Args:
        file: The workbook.

    Raises:
        SourceError: It is an old one that cannot be read so far.
        ImportError: It is an old one, and xlrd is not installed; of an OpenDocument, lxml.
    """
    file.seek(0)
    if file.read(len(_OLE)) == _OLE:
        return opened_xls(file).shown
    return partial(_shown, file)


def _shown(file: IO[bytes], sheet: str) -> Shown:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if BOOK in names:
                return shown_in_xlsx(archive, sheet)
            if CONTENT in names:
                return shown_in_ods(archive, sheet)
    except _FAULTS:
        return Shown()  # whoever reads the cells says what is wrong with the file
    return Shown()
