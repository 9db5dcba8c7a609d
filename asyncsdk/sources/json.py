"""JSON lines, and a JSON array, as phones."""

from __future__ import annotations

import io
import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from asyncsdk.errors import SourceError
from asyncsdk.sources.cells import text_of
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.dialect import SAMPLE_SIZE, find_encoding
from asyncsdk.sources.opening import kept, open_input
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.dialect import Encoding
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["JsonSource", "read_json"]

_SAMPLE_ROWS = 1000
_MAX_LINE = 1 << 24
"""Characters of one line: beyond that it is no line of a contact list."""
_NUMBER = "phone"
"""The column of a list of bare numbers."""

Record = dict[str, Any]
_Raws = list[msgspec.Raw]


def _literal(number: str) -> str:
    """A number that is no whole one as it is written: `4.91601E+11` has lost its digits."""
    return number.removesuffix(".0")


_decode = msgspec.json.Decoder(float_hook=_literal).decode
_split = msgspec.json.Decoder(_Raws).decode


class JsonSource(Table):
    """The phones of a JSON file: objects, or bare numbers, one per line or in one array.

    Lines are read one at a time; an array is held whole. The columns are the keys of the first
    1,000 objects.
    """

    def __init__(
        self,
        source: Input,
        encoding: Encoding,
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
    ) -> None:
        super().__init__(source.name, columns, mapping)
        self._input = source
        self._encoding = encoding

    @property
    def reopenable(self) -> bool:
        """Whether the source can be iterated more than once."""
        return self._input.reopenable

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        for line, record in _records(self._input, self._encoding):
            yield line, [text_of(record.get(column)) for column in self.columns]


def read_json(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    encoding: str | None = None,
    max_bytes: int | None = None,
) -> JsonSource:
    """A contact list in JSON, as lines or as one array, ready to be uploaded.

    Args:
        source: A path, or a file object; it stays open.
        columns: Fields of `Phone` to keys; the phone's is recognised by itself.
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The key that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).
        encoding: As Python names it, if not as found.
        max_bytes: Bytes that a packed file may unpack to; None for 2 GiB.

    Raises:
        SourceError: The file cannot be read, is empty, or no key looks like phones.
        ConfigurationError: An argument cannot work.
    """
    opened = kept(open_input(source, SAMPLE_SIZE + 1, max_bytes))
    written = find_encoding(opened, encoding)
    sample = [record for _, record in islice(_records(opened, written), _SAMPLE_ROWS)]
    if not sample:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    found = tuple(dict.fromkeys(key for record in sample for key in record))
    rows = [[text_of(record.get(column)) for column in found] for record in sample]
    wanted = Wanted(columns, names, country, ask)
    chosen = choose_columns(found or ("",), rows, wanted, path=opened.name, line=1)
    made = JsonSource(opened, written, found, chosen)
    made.notes = tuple(written.notes)
    return made


def _records(source: Input, encoding: Encoding) -> Iterator[tuple[int, Record]]:
    """Each record and the line on which it begins."""
    with source.reading() as file:
        text = io.TextIOWrapper(file, encoding.name, encoding.errors, newline="\n")  # type: ignore[type-var]
        line, first = 0, True
        try:
            for line, written in enumerate(iter(partial(text.readline, _MAX_LINE), ""), 1):
                bare = written.removeprefix("\ufeff") if line == 1 else written
                if not bare.strip():
                    continue
                if first and bare.lstrip().startswith("["):
                    yield from _array(bare + text.read(), line)
                    return
                first = False
                yield line, _record(_decode(bare))
        except _WrongError as error:
            raise SourceError(error.reason, path=source.name, line=error.line or line) from error
        except (msgspec.MsgspecError, RecursionError) as error:
            msg = f"is not JSON: {error}"
            raise SourceError(msg, path=source.name, line=line) from error
        except UnicodeError as error:
            msg = f"is not {encoding.name}: give its encoding, such as 'utf-16'"
            raise SourceError(msg, path=source.name, line=line + 1) from error
        except OSError as error:
            msg = f"cannot be read: {error.strerror or error}"
            raise SourceError(msg, path=source.name, line=line + 1) from error


def _array(text: str, line: int) -> Iterator[tuple[int, Record]]:
    """The items of an array that begins on this line."""
    raw = text.encode("utf-8", "replace")
    try:
        items = _split(raw)
    except msgspec.MsgspecError as error:
        place = _BYTE.search(str(error))
        end = int(place[1]) if place else len(raw)
        msg = f"is not JSON: {error}"
        raise _WrongError(msg, line + raw.count(b"\n", 0, end)) from error
    position = 0
    for item in items:
        found = raw.index(bytes(item), position)
        line += raw.count(b"\n", position, found)
        position = found
        try:
            record = _record(_decode(item))
        except (msgspec.MsgspecError, RecursionError) as error:
            msg = f"is not JSON: {error}"
            raise _WrongError(msg, line) from error
        except _WrongError as error:
            raise _WrongError(error.reason, line) from error
        yield line, record


_BYTE = re.compile(r"\(byte (\d+)\)")


class _WrongError(Exception):
    """JSON that is no list of contacts."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def _record(value: object) -> Record:
    if isinstance(value, dict):
        return value
    if isinstance(value, (str, int)):
        return {_NUMBER: value}
    kind = "null" if value is None else "an array" if isinstance(value, list) else "a number"
    msg = f"an object with the columns' names, or a number as text, is needed, not {kind}"
    raise _WrongError(msg)
