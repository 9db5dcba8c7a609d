"""Spreadsheets by calamine, in a child: first the sheet, then its rows in packed pieces."""

from __future__ import annotations

import zipfile
import zlib
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import msgspec

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_ROW, too_large
from asyncsdk.sources.cells import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Rows", "packed", "read", "unpacked"]

Rows = list[tuple[int, list[str]]]
"""Numbered rows of texts."""

_PIECE_ROWS = 1000
_PIECE_SIZE = 1 << 20
_decode = msgspec.msgpack.Decoder(Rows).decode


def read(file: IO[bytes], options: dict[str, Any]) -> Iterator[Any]:
    """The name of the sheet, its rows from the first to the last that hold anything, their width.

    Args:
        file: The spreadsheet.
        options: `sheet`, a name or None for the first that holds anything; `max_bytes`.

    Raises:
        SourceError: It unpacks to more than that, or there is no such sheet.
    """
    _check_archive(file, options["max_bytes"])
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(file)
    for name in _wanted(book.sheet_names, options["sheet"]):
        rows = _filled(_rows(book.get_sheet_by_name(name)))
        first = next(rows, None)
        if first is not None:
            yield name
            yield from _pieces(chain([first], rows), options["max_bytes"])
            return


def packed(rows: Rows) -> bytes:
    """Rows as they are sent, and kept."""
    return zlib.compress(msgspec.msgpack.encode(rows), 1)


def unpacked(piece: bytes) -> Rows:
    """The rows again."""
    return _decode(zlib.decompress(piece))


def _check_archive(file: IO[bytes], max_bytes: int) -> None:
    """The sizes that the archive gives of what is in it; one that lies meets the memory's bound."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        size = 0  # none, or a damaged one: whoever reads it knows better what is wrong
    if size > max_bytes:
        raise SourceError(too_large(max_bytes), line=1)
    file.seek(0)


def _wanted(names: list[str], sheet: str | None) -> list[str]:
    if sheet is None:
        return names
    if sheet not in names:
        msg = f"there is no sheet {sheet!r}; there are {', '.join(map(repr, names))}"
        raise SourceError(msg)
    return [sheet]


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """All numbered rows of a sheet, without the empty cells at their ends."""
    left = [""] * sheet.start[1] if sheet.start else []
    for line, cells in enumerate(sheet.iter_rows(), 1):
        texts = texts_of(cells)
        while texts and not texts[-1]:
            texts.pop()
        yield line, left + texts if texts else texts


def _filled(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Those from the first to the last that hold anything."""
    last = 0
    for line, cells in rows:
        if cells:
            if last:
                yield from ((empty, []) for empty in range(last + 1, line))
            yield line, cells
            last = line


def _pieces(rows: Iterable[tuple[int, list[str]]], max_bytes: int) -> Iterator[Any]:
    """The rows, packed, then how wide the widest is."""
    piece: Rows = []
    size = total = width = 0
    for line, cells in rows:
        weight = len(cells) + sum(map(len, cells))
        if weight > MAX_ROW:
            msg = f"the row has more than {MAX_ROW:,} characters: that is no contact list"
            raise SourceError(msg, line=line)
        piece.append((line, cells))
        size += weight
        width = max(width, len(cells))
        if len(piece) == _PIECE_ROWS or size > _PIECE_SIZE:
            total += size
            if total > max_bytes:
                raise SourceError(too_large(max_bytes), line=line)
            yield packed(piece)
            piece, size = [], 0
    yield packed(piece)
    yield width
