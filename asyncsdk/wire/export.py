"""A group's CSV export, read by position: the id, and what is sent of a phone.

The headers follow the group's own names for its columns, so they say nothing; the delimiter is not
documented. Each character is looked at a few times at most, whatever stands there.
"""

from __future__ import annotations

import codecs
import csv
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import define, field

from asyncsdk.models import FIELDS, LIMITS, CreatedPhone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ExportDecoder"]

_DELIMITERS = ",;\t|"
_BLANK = [""] * len(FIELDS)
_GREATEST = 2**63 - 1
"""Of the ids that can be told apart."""
_ID_DIGITS = 19
_QUOTED = 4 * max(LIMITS.values())
"""Characters that a field in quotes has at most, doubled quotes among them: in a longer one the
quote is a stray one, and would swallow the rows that follow."""
_RECORD = 1 << 17
"""Characters of a record at most: of a longer one the rest of its line is left out."""
_ROW = re.compile(r"""\n[0-9]{1,19}[,;\t|]"?\+?[0-9][0-9 ()/.-]{4,}"?(?:[,;\t|\r\n]|$)""")
"""A line that begins with an id and a number: no field has one, so the quote is a stray one. A row
that is not seen is one that would be sent again."""
_BEHIND = frozenset((*_DELIMITERS, "\r", "\n", ""))
"""What stands behind a quote that closes a field."""
_CLOSING = re.compile(r'(?:[^"]|"")*+"(?!")')


@define
class ExportDecoder:
    """Turns the pieces of an export, however it is cut, into phones."""

    _text: Any = field(
        factory=lambda: codecs.getincrementaldecoder("utf-8-sig")(errors="replace"), init=False
    )
    _pending: str = field(default="", init=False)
    """What is no whole record yet."""
    _delimiter: str | None = field(default=None, init=False)
    _header: bool = field(default=True, init=False)
    """Whether the next record may be the one of names."""
    _cut: bool = field(default=False, init=False)
    """Whether what comes next belongs to a line of which enough was read."""

    def feed(self, piece: bytes) -> Iterator[CreatedPhone]:
        """The phones that are complete with this piece."""
        text = self._text.decode(piece)
        self._pending += text
        if "\n" in text or len(self._pending) > _RECORD:
            yield from self._phones(final=False)

    def close(self) -> Iterator[CreatedPhone]:
        """The last phone, where the export does not end with a line break."""
        self._pending += self._text.decode(b"", final=True)
        yield from self._phones(final=True)

    def _phones(self, *, final: bool) -> Iterator[CreatedPhone]:
        text, start = self._pending, 0
        if self._delimiter is None:
            self._delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
        opening = f'{self._delimiter}"'
        while start < len(text):
            if self._cut:
                start = self._after_line(text, start)
                continue
            end, quoted = _end_of_record(text, start, opening, final=final)
            if end is None:
                if len(text) - start <= _RECORD:
                    break
                end, self._cut = start + _RECORD, True
            record = text[start:end].rstrip("\r\n")
            start = end
            if record:
                yield from self._phone(record, quoted=quoted)
        self._pending = text[start:]

    def _after_line(self, text: str, start: int) -> int:
        """Where the line that was cut ends, if it does."""
        end = text.find("\n", start)
        self._cut = end < 0
        return len(text) if self._cut else end + 1

    def _phone(self, record: str, *, quoted: bool) -> Iterator[CreatedPhone]:
        delimiter = self._delimiter or ","
        cells = record.split(delimiter)
        if quoted:
            with suppress(csv.Error):  # a lone carriage return outside of quotes
                cells = next(csv.reader([record], delimiter=delimiter))
        number = cells[0].strip()
        header, self._header = self._header, False
        if number.isascii() and number.isdecimal():
            yield _phone(_id(number), cells)
        elif not header:
            yield _phone(None, cells)


def _id(number: str) -> int | None:
    """An id; None for one that cannot be told from others."""
    known = int(number) if len(number) <= _ID_DIGITS else _GREATEST + 1
    return known if known <= _GREATEST else None


def _phone(number: int | None, cells: list[str]) -> CreatedPhone:
    texts: list[Any] = [text or None for text in (cells[1:] + _BLANK)[: len(_BLANK)]]
    return CreatedPhone(number, *texts)  # what is sent stands next to the id there, too


def _end_of_record(text: str, start: int, opening: str, *, final: bool) -> tuple[int | None, bool]:
    """Where a record ends, and whether fields of it are in quotes; None if its end has not come.

    A quote counts where a field begins with it, and is closed before a field would be too long.
    """
    at, quoted = start, False
    if text.startswith('"', start):
        closed = _closed(text, start + 1, final=final)
        if closed is None:
            return None, False
        if closed:
            at, quoted = closed, True
    while True:
        line = text.find("\n", at)
        found = text.find(opening, at, len(text) if line < 0 else line)
        if found < 0:
            end = line + 1 if line >= 0 else len(text) if final else None
            return end, quoted
        closed = _closed(text, found + len(opening), final=final)
        if closed is None:
            return None, False
        at = closed or found + len(opening)
        quoted = quoted or bool(closed)


def _closed(text: str, start: int, *, final: bool) -> int | None:
    """Behind the quote that closes a field; 0 if none does, None if it may still come."""
    end = start + _QUOTED
    found = _CLOSING.match(text, start, end)
    if found is not None and (found.end() < len(text) or final):
        behind = text[found.end() : found.end() + 1]
        rows = _ROW.search(text, start, found.end())
        return found.end() if behind in _BEHIND and rows is None else 0
    return 0 if final or len(text) >= end else None
