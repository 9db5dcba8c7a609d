"""Spreadsheets (.xlsx, .xls, .ods) as phones, by calamine, xlrd and lxml (the extra `files`)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import define, field

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.places import ROW, list_name
from asyncsdk.sources.apart.book import ALL, unpacked
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.layout import find_layout
from asyncsdk.sources.many import ManySources
from asyncsdk.sources.opening import kept, open_input
from asyncsdk.sources.questions import Option, Question, UndecidedError, answered
from asyncsdk.sources.rejects import first_note
from asyncsdk.sources.table import Table
from asyncsdk.validators import whole_number
from asyncsdk.words import brief, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.opening import Input, Place

__all__ = ["ExcelSource", "books", "read_excel"]

_MAX_HELD = 1 << 28
"""Bytes of a sheet that are held, packed."""


class ExcelSource(Table):
    """The phones of one sheet, which is held whole, packed. A row's line is its number in it.

    The file is read once, by a process of its own, and what it may use is bounded. An empty row
    within the list is a row; above and below it there are none.

    Attributes:
        sheet: The sheet's name.
    """

    reopenable = True
    unit = ROW

    def __init__(
        self,
        path: str | None,
        sheet: str,
        pieces: list[bytes],
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
        above: int,
    ) -> None:
        super().__init__(path, columns, mapping)
        self.sheet: str = sheet
        self._pieces = pieces
        self._above = above

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        rows = (row for piece in self._pieces for row in unpacked(piece))
        return islice(rows, self._above, None)


def read_excel(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    sheet: str | Sequence[str] | None = None,
    hidden: str = "skip",
    max_bytes: int | None = None,
) -> ExcelSource | ManySources:
    """A contact list in a spreadsheet, ready to be uploaded.

    Args:
        source: A path, or a file object; it stays open.
        columns: Fields of `Phone` to column names or 1-based numbers.
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The column that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).
        header: Whether the first row names the columns.
        skip_lines: Rows above the table; what looks like a title is left out by itself.
        sheet: Its name, or several, or `"*"` for all that are visible and have phones; otherwise
            the one that does.
        hidden: What to do with rows that are hidden or filtered: `skip` or `send`.
        max_bytes: Bytes that the file may unpack to, and of memory that reading it may take; None
            for 2 GiB.

    Raises:
        UndecidedError: Several sheets, or columns, could be meant.
        SourceError: The file cannot be read, has no such sheet, is empty, asks for more than that,
            or no column looks like phones.
        ConfigurationError: An argument cannot work.
        ImportError: python-calamine is not installed.
    """
    wanted = Wanted(columns, names, country, ask)
    opened = open_input(source, 0, max_bytes)
    found = books(opened, wanted, header=header, skip_lines=skip_lines, sheet=sheet, hidden=hidden)
    return found[0] if len(found) == 1 else ManySources(found)


def books(
    source: Input,
    wanted: Wanted,
    *,
    header: bool | None = None,
    skip_lines: int = 0,
    sheet: str | Sequence[str] | None = None,
    hidden: str = "skip",
    kind: str = "excel",
) -> list[ExcelSource]:
    """The sheets of a workbook, or the tables of a page, that are meant.

    Args:
        source: The file.
        wanted: What the caller says of the columns.
        header: As of `read_excel`; likewise `skip_lines`, `sheet` and `hidden`.
        skip_lines: See there.
        sheet: See there.
        hidden: See there.
        kind: `excel`, `html` or `spreadsheetml`.
    """
    if hidden not in {"skip", "send"}:
        msg = f"hidden must be 'skip' or 'send', not {brief(hidden)}"
        raise ConfigurationError(msg)
    whole_number("skip_lines", skip_lines, 0)
    names = [sheet] if isinstance(sheet, str) else list(sheet) if sheet else None
    options = {"sheets": names, "hidden": hidden == "send", "kind": kind}
    source = kept(source)
    book = _read(source, options)
    if not book.sheets and book.telling:
        answer = answered(_which(book, source.name), wanted.ask)
        book = _read(source, {**options, "sheets": [answer]})
    if not any(one.pieces for one in book.sheets):
        msg = "is empty" if not book.concealed else f"{book.concealed}: name the one that is meant"
        raise SourceError(msg, path=source.name, line=None if book.concealed else 1, unit=ROW)
    filled = [one for one in book.sheets if one.pieces]
    several = len(filled) > 1
    found = [
        _source(source, one, wanted, header=header, skip_lines=skip_lines, several=several)
        for one in filled
    ]
    found[0].notes = (*found[0].notes, *book.left_out)
    return found


@define
class _Sheet:
    """One sheet as the child gives it."""

    name: str
    pieces: list[bytes] = field(factory=list)
    """Its rows, packed."""
    width: int = 0
    hidden: int = 0
    """Rows that are hidden."""


@define
class _Book:
    """What the child says of a workbook."""

    overview: list[dict[str, Any]]
    sheets: list[_Sheet]
    asked: bool
    """Whether the sheets were named by somebody."""

    @property
    def telling(self) -> list[dict[str, Any]]:
        """The visible sheets with phones."""
        return [one for one in self.overview if one["visible"] and one["phones"]]

    @property
    def concealed(self) -> str:
        """That there are sheets that nobody sees, if so."""
        names = [repr(one["name"]) for one in self.overview if not one["visible"]]
        if not names:
            return ""
        return f"hidden {'sheet' if len(names) == 1 else 'sheets'}: {', '.join(names)}"

    @property
    def left_out(self) -> list[str]:
        """What the owner of the workbook should know of the sheets that were not read."""
        read = {one.name for one in self.sheets}
        others = [
            one["name"]
            for one in self.overview
            if one["name"] not in read and one["visible"] and one["filled"]
        ]
        notes = [f"not read: {', '.join(map(repr, others))}"] if others else []
        concealed = self.concealed if not self.asked else ""
        return notes + ([f"not read: {concealed}"] if concealed else [])


def _which(book: _Book, path: str | None) -> Question:
    options = [
        Option(one["name"], f"phones in {counted(one['phones'], 'row')} of the first ones")
        for one in book.telling
    ]
    every = Option(ALL, "all of these")
    return Question("sheet", "several sheets have phones: name one", (*options, every), path)


def _read(source: Input, options: dict[str, Any]) -> _Book:
    task, needed = ("sheets", "python_calamine")
    if options["kind"] != "excel":
        task, needed = ("markup", "lxml")
    held = 0
    book = _Book([], [], options["sheets"] is not None)
    bounds = Bounds(max_bytes=source.max_bytes)
    with apart(task, needed, source, options, bounds) as messages:
        book.overview = next(messages)
        for message in messages:
            if isinstance(message, str):
                book.sheets.append(_Sheet(message))
            elif isinstance(message, list):
                book.sheets[-1].width, book.sheets[-1].hidden = message
            else:
                book.sheets[-1].pieces.append(message)
                held += len(message)
            if held > _MAX_HELD:
                msg = f"the sheet holds more than {_MAX_HELD:,} bytes, packed: save it as CSV"
                raise SourceError(msg, path=source.name)
    return book


def _source(
    source: Input,
    sheet: _Sheet,
    wanted: Wanted,
    *,
    header: bool | None,
    skip_lines: int,
    several: bool,
) -> ExcelSource:
    first = [row for row in unpacked(sheet.pieces[0]) if row[0] > skip_lines]
    sample = [cells for _, cells in first]
    layout = find_layout(sample, sheet.width, header=header)
    line = first[0][0] if first else None
    rows = sample[layout.above :]
    path = list_name(source.name, sheet.name) if several else source.name
    try:
        chosen = choose_columns(layout.names, rows, wanted, path=path, line=line)
    except UndecidedError:
        raise
    except SourceError as error:
        error.path, error.sheet, error.unit = source.name, sheet.name, ROW
        raise
    above = len(unpacked(sheet.pieces[0])) - len(first) + layout.above
    found = ExcelSource(source.name, sheet.name, sheet.pieces, layout.names, chosen, above)
    found.notes = (*layout.notes, *_hidden(sheet))
    found.noted = first_note(layout.names, rows)
    return found


def _hidden(sheet: _Sheet) -> list[str]:
    if not sheet.hidden:
        return []
    rows = counted(sheet.hidden, "row")
    return [f"{rows} of sheet {sheet.name!r} hidden or filtered, and left out unless hidden='send'"]
