"""A workbook of whatever format, as a child reads it: which sheets are meant, and their rows.

The first message is the overview, a list of `Overview`s. If it is clear which sheets are meant,
their names follow, and behind each its rows, packed in pieces, and then a list of its width and of
how many of its rows are hidden.
"""

from __future__ import annotations

import zlib
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import asdict, frozen

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_ROW, too_large
from asyncsdk.sources.likeness import looks_like_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["ALL", "Overview", "Rows", "Sheet", "answers", "packed", "unpacked"]

Rows = list[tuple[int, list[str]]]
"""Numbered rows of texts."""
ALL = "*"
"""Stands for every sheet that is visible and has phones: no sheet can be called that."""

_PIECE_ROWS = 1000
_PIECE_SIZE = 1 << 20
_SAMPLE_ROWS = 1000
_decode = msgspec.msgpack.Decoder(Rows).decode


@frozen
class Sheet:
    """One sheet of a book."""

    name: str
    visible: bool
    rows: Callable[[], Iterable[tuple[int, list[str], bool]]]
    """Reads them: the number of each, its texts up to the last that is not empty, and whether it is
    hidden."""


@frozen
class Overview:
    """What is in a sheet."""

    name: str
    visible: bool
    filled: bool
    phones: int
    """Rows with a phone among the first ones; of a hidden sheet nobody looks."""


def answers(sheets: Sequence[Sheet], options: dict[str, Any]) -> Iterator[Any]:
    """The messages of a book.

    Args:
        sheets: All of them.
        options: `sheets`: the names that are meant, or None; `hidden`: whether hidden rows are
            meant, too; `max_bytes`.

    Raises:
        SourceError: There is no such sheet, or it is too large.
    """
    wanted = options["sheets"]
    _check_names(wanted or [], sheets)
    open_end = wanted is None or ALL in wanted
    overview = [_overview(sheet, look=sheet.visible and open_end) for sheet in sheets]
    yield list(map(asdict, overview))
    for name in _meant(overview, wanted):
        sheet = next(sheet for sheet in sheets if sheet.name == name)
        yield name
        try:
            yield from _pieces(sheet, options)
        except SourceError as error:
            error.sheet = name
            raise


def packed(rows: Rows) -> bytes:
    """Rows as they are sent, and kept."""
    return zlib.compress(msgspec.msgpack.encode(rows), 1)


def unpacked(piece: bytes) -> Rows:
    """The rows again."""
    return _decode(zlib.decompress(piece))


def _check_names(wanted: Sequence[str], sheets: Sequence[Sheet]) -> None:
    names = [sheet.name for sheet in sheets]
    for name in wanted:
        if name != ALL and name not in names:
            msg = f"there is no sheet {name!r}; there are {', '.join(map(repr, names))}"
            raise SourceError(msg)


def _meant(overview: Sequence[Overview], wanted: Sequence[str] | None) -> list[str]:
    """The names of the sheets that are meant; none where that must be asked."""
    visible = [sheet for sheet in overview if sheet.visible and sheet.filled]
    telling = [sheet.name for sheet in visible if sheet.phones]
    if wanted and ALL not in wanted:
        return list(dict.fromkeys(wanted))
    if wanted or len(telling) == 1:
        return telling
    return [] if telling else [sheet.name for sheet in visible[:1]]


def _overview(sheet: Sheet, *, look: bool) -> Overview:
    if not look:
        return Overview(sheet.name, sheet.visible, sheet.visible, 0)
    first = [cells for _, cells, _ in islice(sheet.rows(), _SAMPLE_ROWS)]
    phones = sum(any(map(looks_like_phone, cells)) for cells in first)
    return Overview(sheet.name, sheet.visible, any(first), phones)


def _pieces(sheet: Sheet, options: dict[str, Any]) -> Iterator[Any]:
    """The rows, packed, then how wide the widest is, and how many are hidden, as a list."""
    hidden = width = 0

    def seen() -> Iterator[tuple[int, list[str]]]:
        nonlocal hidden, width
        for line, cells, concealed in sheet.rows():
            hidden += concealed and bool(cells)
            if not concealed or options["hidden"]:
                width = max(width, len(cells))
                yield line, cells

    rows = _filled(seen())
    first = next(rows, None)
    if first is not None:
        yield from _packed_rows(chain([first], rows), options["max_bytes"])
    yield [width, hidden]


def _filled(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Those from the first to the last that hold anything."""
    empty: Rows = []
    begun = False
    for line, cells in rows:
        if cells:
            yield from empty
            yield line, cells
            empty, begun = [], True
        elif begun:
            empty.append((line, cells))


def _packed_rows(rows: Iterable[tuple[int, list[str]]], max_bytes: int) -> Iterator[Any]:
    piece: Rows = []
    size = total = 0
    for line, cells in rows:
        weight = len(cells) + sum(map(len, cells))
        if weight > MAX_ROW:
            msg = f"the row has more than {MAX_ROW:,} characters: that is no contact list"
            raise SourceError(msg, line=line)
        piece.append((line, cells))
        size += weight
        if len(piece) == _PIECE_ROWS or size > _PIECE_SIZE:
            total += size
            if total > max_bytes:
                raise SourceError(too_large(max_bytes), line=line)
            yield packed(piece)
            piece, size = [], 0
    yield packed(piece)
