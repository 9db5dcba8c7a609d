"""Delimited text (CSV, TSV) as a stream of phones."""

from __future__ import annotations

import codecs
import csv
import io
import re
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_ROW
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.dialect import (
    SAMPLE_SIZE,
    Dialect,
    find_encoding,
    sample_of,
)
from asyncsdk.sources.layout import find_layout
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.making import maker
from asyncsdk.sources.measured import lines_of
from asyncsdk.sources.opening import open_input
from asyncsdk.sources.rejects import first_note
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asyncsdk.models import Phone
    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.making import Totals
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["CsvSource", "read_csv"]

_CHUNK = 1 << 16


class CsvSource(Table):
    """The phones of a delimited text file, one for each of its data rows.

    Each iteration reads the file anew (a pipe can be read once). It holds no more than a row at a
    time. Blank lines are no rows.

    Args:
        source: The file, or some bytes of it that begin and end with rows.
        dialect: How it is written.
        columns: Their names.
        mapping: The column of each field.
        first_line: The line at which these bytes begin.
        continued: Whether something of the file stands before them.

    Attributes:
        input: Where its bytes come from.
        dialect: How the file is written.
    """

    def __init__(
        self,
        source: Input,
        dialect: Dialect,
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
        *,
        first_line: int = 1,
        continued: bool = False,
    ) -> None:
        super().__init__(source.name, columns, mapping)
        self.input = source
        self.dialect = dialect
        self._first_line = first_line
        self._continued = continued

    @property
    def reopenable(self) -> bool:
        """Whether the source can be iterated more than once."""
        return self.input.reopenable

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row's first line and cells."""
        with self.input.reading() as file:
            text = io.TextIOWrapper(file, self.dialect.encoding, self.dialect.errors, newline="")  # type: ignore[type-var]
            lines = _Lines(partial(text.readline, MAX_ROW), continued=self._continued)
            yield from self._records(lines)

    def measured(self, totals: Totals) -> Iterator[tuple[Phone, int, int]]:
        """Each phone, the line and the byte of the file at which its row begins.

        Args:
            totals: As for `phones`.

        The encoding has to be one that `is_measurable`, and the file no rejects file.
        """
        make = maker(self.mapping, len(self.columns), self.unit, totals)
        with self.input.reading() as file:
            lines = _MeasuredLines(lines_of(file, self.dialect.encoding, self.dialect.errors))
            for line, cells in self._records(lines):
                yield make(cells, line), line, lines.began

    def _records(self, lines: _Lines) -> Iterator[tuple[int, list[str]]]:
        line = self._first_line
        skip = self.dialect.above
        try:
            for _ in range(self.dialect.preamble):
                line += lines.skip()
            reader = csv.reader(lines, **_format(self.dialect))
            pieces = lines.pieces
            for cells in reader:
                if len(pieces) > 1 or lines.ended:
                    _check_quotes(pieces, self.dialect, len(self.columns))
                if skip and cells:
                    skip -= 1
                elif cells:
                    yield line, cells
                line += len(pieces)
                pieces.clear()
        except csv.Error as error:
            raise SourceError(_reason(error), path=self.path, line=line) from error
        except UnicodeError as error:
            raise self._undecodable(error) from error
        except OSError as error:
            msg = f"cannot be read: {error.strerror or error}"
            raise SourceError(msg, path=self.path, line=line) from error

    def _undecodable(self, error: UnicodeError) -> SourceError:
        line = _line_of_bad_byte(self.input, self.dialect.encoding) if self.reopenable else None
        if line is not None:
            line += self._first_line - 1
        reason = error.reason if isinstance(error, UnicodeDecodeError) else error
        msg = f"is not {self.dialect.encoding} ({reason}): give its encoding, such as 'cp1252'"
        return SourceError(msg, path=self.path, line=line)


def read_csv(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    quotechar: str | None = '"',
    max_bytes: int | None = None,
) -> CsvSource:
    """A contact list in a delimited text file, ready to be uploaded.

    Everything left out is recognised by looking at the file's beginning.

    Args:
        source: A path, or a file object, best opened in binary mode; it stays open.
        columns: Fields of `Phone` to column names or 1-based numbers, such as
            `{"phone": "Mobil", "a": "Anrede"}`. Only the phone's column is recognised by itself.
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The column that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).
        delimiter: The character between cells.
        encoding: As Python names it.
        header: Whether the first row names the columns.
        skip_lines: Lines above the table; what looks like a title is left out by itself.
        quotechar: The character around cells that hold a delimiter; None if there is no such.
        max_bytes: Bytes that a packed file may unpack to; None for 2 GiB.

    Raises:
        SourceError: The file cannot be read, is empty, lacks a column that `columns` names, or has
            none that looks like phones.
        ConfigurationError: An argument cannot work.
    """
    opened = open_input(source, SAMPLE_SIZE + 1, max_bytes)
    if isinstance(source, io.StringIO):
        encoding = "utf-8"  # text has no encoding; this is what it is read by
    written = find_encoding(opened, encoding)
    sample = sample_of(
        opened, written, delimiter=delimiter, quotechar=quotechar, skip_lines=skip_lines
    )
    if not sample.rows:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    layout = find_layout(sample.rows, sample.width, header=header)
    wanted = Wanted(columns, names, country, ask)
    chosen = choose_columns(
        layout.names, sample.rows[layout.above :], wanted, path=opened.name, line=sample.line
    )
    dialect = Dialect(
        written.name,
        sample.delimiter,
        quotechar,
        layout.header > 0,
        sample.preamble,
        layout.above,
        written.errors,
    )
    found = CsvSource(opened, dialect, layout.names, chosen)
    found.notes = (*written.notes, *layout.notes)
    found.noted = first_note(layout.names, sample.rows[layout.above :])
    return found


class _Lines:
    """The lines of a text, which remembers those of the row that is being read."""

    def __init__(self, readline: Callable[[], str], *, continued: bool = False) -> None:
        self._readline = readline
        self._first = not continued
        self.pieces: list[str] = []
        self.ended = False

    def skip(self) -> int:
        """Leave a line out."""
        self._first = False
        self._readline()
        return 1

    def __iter__(self) -> Iterator[str]:
        pieces = self.pieces
        begun = [self._readline().removeprefix("\ufeff")] if self._first else []  # it is no content
        for line in chain(filter(None, begun), iter(self._readline, "")):
            pieces.append(line)
            if len(line) == MAX_ROW or (len(pieces) > 1 and sum(map(len, pieces)) > MAX_ROW):
                raise csv.Error(_TOO_LONG)
            yield line
        self.ended = True


class _MeasuredLines(_Lines):
    """The same, which knows at which byte of the file a row begins."""

    def __init__(self, lines: Iterator[tuple[str, int]]) -> None:
        super().__init__(self._next)
        self._all = lines
        self.began = 0

    def _next(self) -> str:
        text, at = next(self._all, ("", 0))
        if text and not self.pieces:
            self.began = at
        return text[:MAX_ROW]


_TOO_LONG = "the row does not end"
_UNPAIRED = "the quotes do not pair up"
_SWALLOWED = "the row looks like several"
_ADVICE = {
    _TOO_LONG: "a row that begins here does not end: is a quote left open?",
    _UNPAIRED: "the quotes of the row that begins here do not pair up; mend them, or read the "
    "file with quotechar=None",
    _SWALLOWED: "the row that begins here looks like several: a stray quote in it has swallowed "
    "the lines up to the next one; mend it, or read the file with quotechar=None",
}


def _reason(error: csv.Error) -> str:
    return _ADVICE.get(str(error), f"cannot be read as a row: {error}")


def _format(dialect: Dialect) -> dict[str, Any]:
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quotechar,
        "quoting": csv.QUOTE_MINIMAL if dialect.quotechar else csv.QUOTE_NONE,
    }


def _check_quotes(pieces: list[str], dialect: Dialect, width: int) -> None:
    """A stray quote swallows rows up to the next one: what spans lines must be quoted strictly.

    If two stray quotes happen to pair up, the lines between them are rows of their own, as wide as
    the others and with phones in them.
    """
    try:
        for _ in csv.reader(pieces, strict=True, **_format(dialect)):
            pass
    except csv.Error:
        raise csv.Error(_UNPAIRED) from None
    rows = [piece.split(dialect.delimiter) for piece in pieces] if len(pieces) > 1 else []
    whole = [row for row in rows if len(row) >= width > 1]
    if len(whole) > 1 and any(
        looks_like_phone(cell.strip('" \r\n')) for row in whole for cell in row
    ):
        raise csv.Error(_SWALLOWED)


def _line_of_bad_byte(source: Input, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    ends = re.compile(r"\r\n|\r|\n")
    line = 1
    carry = ""
    with source.reading() as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = carry + decoder.decode(chunk, not chunk)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                return line + len(ends.findall(carry + good))
            except UnicodeError:
                return None
            if not chunk:
                return None
            carry = "\r" if text.endswith("\r") else ""
            line += len(ends.findall(text.removesuffix("\r")))
