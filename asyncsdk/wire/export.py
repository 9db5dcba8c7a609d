"""A group's CSV export, read by position: the id, and what is sent of a phone.

The headers follow the group's own names for its columns, so they say nothing; the delimiter is not
documented. Whatever the server sends is read in one pass and in bounded memory. What cannot be a
phone is given as one without an id or a number, which nobody takes for his own.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ProtocolError
from asyncsdk.models import FIELDS, CreatedPhone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ExportDecoder", "steps_of"]

_STEP = 1 << 13
"""Bytes that are read at once: rows of a millisecond or two, and no long line among them."""

_LONGEST_LINE = 131_072
"""Characters of a line that is read: what `csv` takes of a field by default."""

_HEAD = 1024
"""Characters kept of a line that is too long: its id and its number, if it has them."""

_LONGEST_RECORD = 1 << 15
"""Characters of a record that goes on over a line break: twice what the longest phone has if each
of its characters is an escaped quote. A quote that is open for longer stands for itself."""

_MOST = 20_000_000
"""Rows of an export: more than any group has that is sent messages, and reading them ends."""

_GREATEST = 2**63 - 1
"""Of the ids that can be told apart; the others are as good as none."""

_DELIMITERS = ",;\t|"
_WIDTH = 1 + len(FIELDS)
_LONG = len(str(_GREATEST))
"""Digits of an id that may be too great."""
_ROW = re.compile(r"""[0-9]{1,19}([,;\t|])"?\+?[0-9][0-9 ()/.-]{4,}+"?(?:\1|[\r\n]|$)""")
"""A line that begins with an id and a number: no field has one, so a quote that is open there is a
stray one. A row that is not seen is one that would be sent again."""


def steps_of(piece: bytes) -> Iterator[bytes]:
    """A piece in parts so small that reading one holds nobody up."""
    return (piece[at : at + _STEP] for at in range(0, len(piece), _STEP))


class ExportDecoder:
    """Turns the pieces of an export, however it is cut, into phones."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._line = _Line()
        self._records: _Records | None = None
        """None until the first line, which says the delimiter."""
        self._rows = -1
        """How many there were, but for the heading."""
        self._headed = False
        """Whether the first line has the cells of a heading."""

    @property
    def empty(self) -> bool:
        """Whether there was a heading and nothing else: no page of a proxy looks like that."""
        return self._rows == 0 and self._headed

    def feed(self, piece: bytes) -> Iterator[CreatedPhone]:
        """The phones that are complete with this piece.

        Raises:
            ProtocolError: It has more rows than any group.
        """
        for step in steps_of(piece):
            text = self._text.decode(step)
            first, last = text.find("\n") + 1, text.rfind("\n") + 1
            if first:
                self._line.add(text[:first])
                yield from self._phones(self._line.take())
                yield from self._phones(text[first:last])
            self._line.add(text[last:])

    def close(self) -> Iterator[CreatedPhone]:
        """The phones that end with the export.

        Raises:
            ProtocolError: As for `feed`.
        """
        self._line.add(self._text.decode(b"", final=True))
        yield from self._phones(self._line.take())
        if self._records is not None:
            yield from map(_phone, self._records.close())

    def _phones(self, lines: str) -> Iterator[CreatedPhone]:
        """The phones that are complete with these whole lines."""
        if self._records is None:
            heading = lines.lstrip("\r\n").partition("\n")[0]
            if not heading:
                return
            delimiter = max(_DELIMITERS, key=heading.count)
            self._records = _Records(delimiter)
            self._headed = heading.count(delimiter) >= _WIDTH - 1 and not heading.startswith("<")
        found = list(map(_phone, self._records.feed(lines)))
        if self._rows < 0 and found and found[0].id is None:
            del found[0]
            self._rows = 0
        self._rows += len(found)
        left = _MOST - self._rows
        yield from found if left >= 0 else found[:left]
        if left < 0:
            msg = f"the export has more than {_MOST:,} rows, and was not read to its end"
            raise ProtocolError(msg)


class _Line:
    """The line that is not complete yet; what is too long is cut to its head."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def add(self, text: str) -> None:
        """It goes on."""
        self._length += len(text)
        if self._length <= _LONGEST_LINE:
            self._parts.append(text)

    def take(self) -> str:
        """It is complete."""
        line = "".join(self._parts)
        if self._length > _LONGEST_LINE:
            line = f"{line[:_HEAD]}\n"
        self._parts.clear()
        self._length = 0
        return line


class _Records:
    """Whole lines become the cells of records, each line looked at once.

    Quotes count as `csv` counts them: where a cell begins they open it, elsewhere they stand for
    themselves.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._open: list[str] = []
        """The lines of a record that is not complete."""
        self._length = 0

    def feed(self, lines: str) -> Iterator[list[str]]:
        """The records that are complete with these lines."""
        apart = _lines(lines)
        records = None if self._open else self._line_by_line(apart)
        return self._grouped(apart) if records is None else filter(None, records)

    def _line_by_line(self, lines: list[str]) -> list[list[str]] | None:
        """What is read where each line is a record, as nearly always; None where one goes on."""
        try:
            records = list(csv.reader(lines, delimiter=self._delimiter))
        except csv.Error:
            return None
        open_at_end = any(self._goes_on(line, opened=False) for line in lines[-1:])
        return records if len(records) == len(lines) and not open_at_end else None

    def _grouped(self, lines: list[str]) -> Iterator[list[str]]:
        """The same where a record goes on over a line break, or a quote says so."""
        whole: list[str] = []
        for line in lines:
            if self._open and (self._length > _LONGEST_RECORD or _ROW.match(line)):
                yield from self._read(whole)
                yield from self.close()
                whole = []
            goes_on = self._goes_on(line, opened=bool(self._open))
            self._open.append(line)
            self._length += len(line)
            if not goes_on:
                whole += self._taken()
        yield from self._read(whole)

    def close(self) -> Iterator[list[str]]:
        """The lines of the record that does not end, each as a record: the quote was none."""
        for line in self._taken():
            if self._goes_on(line, opened=False):
                yield [cell.strip('"') for cell in self._apart([line])]
            else:
                yield from self._read([line])

    def _taken(self) -> list[str]:
        lines, self._open, self._length = self._open, [], 0
        return lines

    def _read(self, lines: list[str]) -> Iterator[list[str]]:
        left = iter(lines)
        reader = csv.reader(left, delimiter=self._delimiter)
        passed = 0  # lines, before those of this reader
        begin = 0
        while True:
            try:
                for cells in reader:
                    begin = passed + reader.line_num
                    if cells:
                        yield cells
            except csv.Error:  # a lone carriage return, or a lower limit that others have set
                seen = passed + reader.line_num
                passed = max(seen, self._end_of(lines, begin))
                yield self._apart(lines[begin:passed])
                begin = passed
                # It would take what is left of the record for the next one.
                reader = csv.reader(islice(left, passed - seen, None), delimiter=self._delimiter)
            else:
                return

    def _end_of(self, lines: list[str], begin: int) -> int:
        """Where the record that begins with this line ends."""
        opened = False
        for at in range(begin, len(lines)):
            opened = self._goes_on(lines[at], opened=opened)
            if not opened:
                return at + 1
        return len(lines)

    def _apart(self, lines: list[str]) -> list[str]:
        """The cells of a record in which quotes stand for themselves."""
        return "".join(lines).rstrip("\r\n").split(self._delimiter)

    def _goes_on(self, line: str, *, opened: bool) -> bool:
        """Whether a cell is in open quotes at the end of a line, as one was at its beginning."""
        if not opened and '"' not in line:
            return False
        opening = f'{self._delimiter}"'
        if opened:
            at = 0
        elif line.startswith('"'):
            at = 1
        else:
            at = line.find(opening) + len(opening)
            if at < len(opening):
                return False
        while True:
            closing = line.find('"', at)
            while line.startswith('""', closing) and closing >= 0:
                closing = line.find('"', closing + 2)
            if closing < 0:
                return True
            at = line.find(opening, closing + 1) + len(opening)
            if at < len(opening):
                return False


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline="\n"))


def _phone(cells: list[str]) -> CreatedPhone:
    # What is sent stands next to the id there; what is not there is nothing.
    texts: list[Any] = [text or None for text in cells[1:_WIDTH]] or [None]
    return CreatedPhone(_id(cells[0].strip()), *texts)


def _id(text: str) -> int | None:
    if len(text) < _LONG and text.isdecimal() and text.isascii():
        return int(text)
    digits = text.lstrip("0") or text[:1]
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _LONG):
        return None
    number = int(digits)
    return number if number <= _GREATEST else None
