"""A group's CSV export, read by position: the id, and what is sent of a phone.

The headers follow the group's own names for its columns, so they say nothing; the delimiter is not
documented.
"""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING, Any

from asyncsdk.models import FIELDS, CreatedPhone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ExportDecoder"]

_DELIMITERS = ",;\t|"
_BLANK = [""] * len(FIELDS)


class ExportDecoder:
    """Turns the pieces of an export, however it is cut, into phones."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._pending = ""
        self._delimiter: str | None = None

    def feed(self, piece: bytes) -> Iterator[CreatedPhone]:
        """The phones that are complete with this piece."""
        self._pending += self._text.decode(piece)
        end = _end_of_records(self._pending)
        whole, self._pending = self._pending[:end], self._pending[end:]
        return self._phones(whole)

    def close(self) -> Iterator[CreatedPhone]:
        """The last phone, where the export does not end with a line break."""
        whole = self._pending + self._text.decode(b"", final=True)
        self._pending = ""
        return self._phones(whole)

    def _phones(self, text: str) -> Iterator[CreatedPhone]:
        if not text:
            return
        header = self._delimiter is None
        if self._delimiter is None:
            self._delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter):
            number = cells[0].strip() if cells else ""
            if number.isascii() and number.isdecimal():
                yield _phone(int(number), cells)
            elif cells and not header:
                yield _phone(None, cells)
            header = False


def _phone(number: int | None, cells: list[str]) -> CreatedPhone:
    texts: list[Any] = [text or None for text in (cells[1:] + _BLANK)[: len(_BLANK)]]
    return CreatedPhone(number, *texts)  # what is sent stands next to the id there, too


def _end_of_records(text: str) -> int:
    """Where the last complete record ends: after a line break that is in no quotes."""
    end = text.rfind("\n") + 1
    while end and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end - 1) + 1
    return end
