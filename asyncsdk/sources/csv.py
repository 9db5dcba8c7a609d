"""Delimited text (CSV, TSV) as a stream of phones."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_ROW
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.dialect import (
    SAMPLE_SIZE,
    Dialect,
    find_encoding,
    not_encoded,
    sample_of,
)
from asyncsdk.sources.layout import find_layout
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.lines import TextLines
from asyncsdk.sources.making import maker
from asyncsdk.sources.measured import MeasuredLines
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

    Each iteration reads the file anew (a pipe can be read once). It holds a row or
    some KiB of it at a time. Blank lines are no rows.

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
        self.input: Input = source
        self._first_line = first_line
        self._continued = continued
        self.dialect = dialect

    @property
    def reopenable(self) -> bool:
        """Whether the source can be iterated more than once."""
        return self.input.reopenable

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row's first line and cells."""
        return chain.from_iterable(self._found())

    def measured(self, totals: Totals) -> Iterator[tuple[Phone, int, int]]:
        """Each phone, the line and the byte of the file at which its row begins.

        Args:
            totals: As for `phones`.

        The encoding has to be one that `is_measurable`, and the file no rejects file.
        """
        make = maker(self.mapping, len(self.columns), self.unit, totals)
        with self.input.reading() as file:
            dialect = self.dialect
            text = MeasuredLines(file, dialect.encoding, dialect.errors, longest=MAX_ROW)
            for line, cells in chain.from_iterable(self._found_in(text.blocks())):
                yield make(line, cells), line, text.byte_of(line)

    def _found(self) -> Iterator[list[tuple[int, list[str]]]]:
        """The rows, as many at once as are read at once."""
        with self.input.reading() as file:
            text = TextLines(
                file,
                self.dialect.encoding,
                self.dialect.errors,
                longest=MAX_ROW,
                continued=self._continued,
            )
            yield from self._found_in(text.blocks())

    def _found_in(self, blocks: Iterator[list[str]]) -> Iterator[list[tuple[int, list[str]]]]:
        rows = _Rows(blocks, self.dialect, len(self.columns), self._first_line)
        try:
            yield from rows.read()
        except csv.Error as error:
            raise SourceError(_reason(error), path=self.path, line=rows.line) from error
        except UnicodeError as error:
            raise self._undecodable(error) from error
        except OSError as error:
            msg = f"cannot be read: {error.strerror or error}"
            raise SourceError(msg, path=self.path, line=rows.line) from error

    def _undecodable(self, error: UnicodeError) -> SourceError:
        line = _line_of_bad_byte(self.input, self.dialect.encoding) if self.reopenable else None
        if line is not None:
            line += self._first_line - 1
        msg = not_encoded(self.dialect.encoding, error)
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


class _Rows:
    """The data rows of a text, and the line that was reached."""

    def __init__(
        self, blocks: Iterator[list[str]], dialect: Dialect, width: int, first_line: int
    ) -> None:
        self._blocks = blocks
        self._dialect = dialect
        self._format = _format(dialect)
        self._width = width
        self._ended = False
        self.line: int = first_line
        """The first line of the row that is to be read."""

    def read(self) -> Iterator[list[tuple[int, list[str]]]]:
        """Each row and its first line, as many at once as are read at once; no blank lines."""
        skip, above = self._dialect.preamble, self._dialect.above
        try:
            for block in self._blocks:
                lines = block[skip:]
                self.line += len(block) - len(lines)
                skip -= len(block) - len(lines)
                for found in self._rows_of(lines):
                    yield found[above:]
                    above -= min(above, len(found))
        except OverflowError:
            raise csv.Error(_TOO_LONG) from None

    def _rows_of(self, lines: list[str]) -> Iterator[list[tuple[int, list[str]]]]:
        """The rows that begin on these lines, as many at once as are read at once."""
        try:
            rows = list(csv.reader(lines, strict=True, **self._format))
        except csv.Error:
            rows = []
        if len(rows) == len(lines):  # as nearly always
            yield [each for each in enumerate(rows, self.line) if each[1]]
            self.line += len(lines)
            return
        found, read = self._whole_ones(lines)
        yield found
        yield from self._one_by_one(deque(lines[read:]))

    def _whole_ones(self, lines: list[str]) -> tuple[list[tuple[int, list[str]]], int]:
        """The rows up to the first one that is not written strictly, and how many lines they are.

        A row that goes on over the last of the lines is none of them.
        """
        found: list[tuple[int, list[str]]] = []
        reader = csv.reader(lines, strict=True, **self._format)
        read = 0
        with suppress(csv.Error):
            for cells in reader:
                end = reader.line_num
                if end - read > 1 and self._looks_like_several(lines[read:end]):
                    break
                if cells:
                    found.append((self.line, cells))
                self.line += end - read
                read = end
        return found, read

    def _one_by_one(self, left: deque[str]) -> Iterator[list[tuple[int, list[str]]]]:
        """The rows on these lines, each looked at; the last one may end on lines to come."""
        pieces: list[str] = []
        for cells in csv.reader(self._lines(left, pieces), **self._format):
            if len(pieces) > 1 or self._ended:
                self._check_quotes(pieces)
            if cells:
                yield [(self.line, cells)]
            self.line += len(pieces)
            pieces.clear()
            if not left:
                return

    def _lines(self, left: deque[str], pieces: list[str]) -> Iterator[str]:
        """Those that are left, then those to come; what is read of a row stands in `pieces`."""
        length = 0
        while left or self._refill(left):
            line = left.popleft()
            length = len(line) + (length if pieces else 0)
            if length > MAX_ROW:
                raise csv.Error(_TOO_LONG)
            pieces.append(line)
            yield line
        self._ended = True

    def _refill(self, left: deque[str]) -> bool:
        left.extend(next(self._blocks, ()))
        return bool(left)

    def _check_quotes(self, pieces: list[str]) -> None:
        """A stray quote swallows rows up to the next one: what spans lines is quoted strictly."""
        try:
            for _ in csv.reader(pieces, strict=True, **self._format):
                pass
        except csv.Error:
            raise csv.Error(_UNPAIRED) from None
        if self._looks_like_several(pieces):
            raise csv.Error(_SWALLOWED)

    def _looks_like_several(self, pieces: list[str]) -> bool:
        """Whether two stray quotes happen to pair up.

        The lines between them are rows of their own, as wide as the others and with phones in them.
        """
        rows = [piece.split(self._dialect.delimiter) for piece in pieces] if len(pieces) > 1 else []
        whole = [row for row in rows if len(row) >= self._width > 1]
        return len(whole) > 1 and any(
            looks_like_phone(cell.strip('" \r\n')) for row in whole for cell in row
        )


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
