"""Spreadsheets by calamine, in a child; what calamine does not tell is looked up beside it.

That is what a person sees: which rows are hidden, and what number formats add (see `shown`).
"""

from __future__ import annotations

import zipfile
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.archived import NO_ARCHIVE, parse
from asyncsdk.sources.apart.book import Sheet, answers
from asyncsdk.sources.apart.looking import how_shown
from asyncsdk.sources.apart.ods import CONTENT
from asyncsdk.sources.bounds import too_large
from asyncsdk.sources.cells import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.sources.apart.shown import Shown

__all__ = ["read"]

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The stream that a workbook with a password is in."""
_DIRECTORY = 1 << 20
"""Bytes at both ends of a compound file in which the names of its streams are."""
_PASSWORD = "is protected by a password: open it, save it without one, and give that"  # noqa: S105
_BINARY = "xl/workbook.bin"
_UNSEEN = (
    "is a binary workbook (.xlsb), of which it is not known which rows are hidden: save it as "
    ".xlsx, or have hidden rows sent, too, by hidden='send' (--hidden send)"
)
_MANIFEST = "META-INF/manifest.xml"
_OLE = b"\xd0\xcf\x11\xe0"


def read(file: IO[bytes], options: dict[str, Any]) -> Iterator[Any]:
    """The messages of a spreadsheet (see `book`).

    Args:
        file: The spreadsheet.
        options: As `answers` takes them.

    Raises:
        SourceError: It unpacks to more than `max_bytes`, has a password, no such sheet, or is of a
            kind of which hidden rows are not known.
    """
    entries = _entries(file)
    _check_size(entries, options["max_bytes"])
    _check_password(file, entries)
    if not options["hidden"]:
        _check_kind(entries)
    _check_content(file, entries)
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(file)
    except Exception as error:
        if "password" in str(error).lower():
            raise SourceError(_PASSWORD) from error
        raise
    visible = {one.name: one.visible is SheetVisibleEnum.Visible for one in book.sheets_metadata}
    look = _Loaded(book, file)
    sheets = [
        Sheet(name, visible.get(name, True), partial(look.rows, name)) for name in book.sheet_names
    ]
    yield from answers(sheets, options)


class _Loaded:
    """The sheets of a book, of which the last one that was read is kept."""

    def __init__(self, book: Any, file: IO[bytes]) -> None:
        self._book = book
        self._shown = how_shown(file)
        self._last: tuple[str, Any, Shown] | None = None

    def rows(self, name: str) -> Iterator[tuple[int, list[str], bool]]:
        """All numbered rows of a sheet, as they are seen, and whether each is hidden."""
        if self._last is None or self._last[0] != name:
            self._last = None  # not two at a time
            self._last = (name, self._book.get_sheet_by_name(name), self._shown(name))
        _, sheet, look = self._last
        left = [""] * sheet.start[1] if sheet.start else []
        for line, cells in enumerate(sheet.iter_rows(), 1):
            texts = left + look.dressed(line, len(left), cells, texts_of(cells))
            while texts and not texts[-1]:
                texts.pop()
            yield line, texts, line in look.hidden


def _entries(file: IO[bytes]) -> list[zipfile.ZipInfo]:
    """What is in the archive, as it says itself; nothing where it is none, or a damaged one.

    Whoever reads that knows better what is wrong.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except NO_ARCHIVE:
        return []
    finally:
        file.seek(0)


def _check_size(entries: list[zipfile.ZipInfo], max_bytes: int) -> None:
    """The sizes that an archive gives of what is in it; one that lies meets the memory's bound."""
    if sum(entry.file_size for entry in entries) > max_bytes:
        raise SourceError(too_large(max_bytes), line=1)


def _check_kind(entries: list[zipfile.ZipInfo]) -> None:
    """Say so if it is of a kind of which nobody here knows what a person sees."""
    if any(entry.filename == _BINARY for entry in entries):
        raise SourceError(_UNSEEN)


def _check_content(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> None:
    """Say so if an OpenDocument holds no XML: calamine would look for a table's end for ever."""
    if not any(entry.filename == CONTENT for entry in entries):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            parse(archive, CONTENT)
    except expat.ExpatError as error:
        msg = f"is damaged ({CONTENT}: {error}): open it where it is from, and save it once more"
        raise SourceError(msg) from error
    except NO_ARCHIVE as error:
        msg = f"is damaged ({error}): open it where it is from, and save it once more"
        raise SourceError(msg) from error
    finally:
        file.seek(0)


def _check_password(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> None:
    """Say so if the file is locked: to those who read it, it is only damaged."""
    head = file.read(_DIRECTORY)
    if head.startswith(_OLE):
        size = file.seek(0, 2)
        file.seek(max(0, size - _DIRECTORY))
        if _ENCRYPTED in head or _ENCRYPTED in file.read():
            raise SourceError(_PASSWORD)
    file.seek(0)
    if any(entry.flag_bits & 1 for entry in entries) or _has_locked_parts(file, entries):
        raise SourceError(_PASSWORD)


def _has_locked_parts(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> bool:
    """Whether an OpenDocument says that its parts are encrypted."""
    if not any(entry.filename == _MANIFEST for entry in entries):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return b"encryption-data" in archive.read(_MANIFEST)
    except NO_ARCHIVE:
        return False
    finally:
        file.seek(0)
