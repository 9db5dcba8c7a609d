"""JSON as phones: lines, an array, objects one after the other, or a list that one wraps."""

from __future__ import annotations

import io
import re
from contextlib import closing
from functools import partial
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

import msgspec

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_ROW
from asyncsdk.sources.cells import text_of
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.dialect import SAMPLE_SIZE, find_encoding, not_encoded
from asyncsdk.sources.opening import kept, open_input
from asyncsdk.sources.table import Table
from asyncsdk.sources.wrapped import (
    DEEPER,
    STRING,
    TOKEN,
    Begun,
    flat,
    head_of_object,
    objects,
    start_of_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.dialect import Encoding
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["JsonSource", "read_json"]

_SAMPLE_ROWS = 1000
_SAMPLE_TEXT = 1 << 22
"""Characters of these at most."""
_MAX_KEYS = 2000
_PIECE = 1 << 16
"""Characters of an array that are read at a time."""
_NUMBER = "phone"
"""The column of a list of bare numbers."""

Record = dict[str, Any]


def _literal(number: str) -> str:
    """A number that is no whole one as it is written: `4.91601E+11` has lost its digits."""
    return number.removesuffix(".0")


_decode = msgspec.json.Decoder(float_hook=_literal).decode


class JsonSource(Table):
    """The phones of a JSON file: objects, or bare numbers, one per line or in one array.

    One is read at a time. The columns are the keys of the first 1,000 objects.
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
        for line, record, _ in _records(self._input, self._encoding):
            values = map(record.get, self.columns)
            yield line, [each if type(each) is str else text_of(each) for each in values]


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
    sample = _sample(opened, written)
    if not sample:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    found = tuple(dict.fromkeys(key for record in sample for key in record))
    if len(found) > _MAX_KEYS:
        msg = f"has more than {_MAX_KEYS:,} different keys: that is no contact list"
        raise SourceError(msg, path=opened.name, line=1)
    rows = [[text_of(record.get(column)) for column in found] for record in sample]
    wanted = Wanted(columns, names, country, ask)
    chosen = choose_columns(found or ("",), rows, wanted, path=opened.name, line=1)
    made = JsonSource(opened, written, found, chosen)
    made.notes = tuple(written.notes)
    return made


def _sample(source: Input, encoding: Encoding) -> list[Record]:
    """The first records, as far as they are of a size to be looked at."""
    sample: list[Record] = []
    size = 0
    with closing(_records(source, encoding)) as records:
        for _, record, length in islice(records, _SAMPLE_ROWS):
            sample.append(record)
            size += length
            if size > _SAMPLE_TEXT:
                break
    return sample


def _records(source: Input, encoding: Encoding) -> Generator[tuple[int, Record, int], None, None]:
    """Each record, the line on which it begins, and how many characters it has."""
    with source.reading() as file:
        text = io.TextIOWrapper(file, encoding.name, encoding.errors, newline="\n")  # type: ignore[type-var]
        line = 0
        try:
            for line, written in enumerate(iter(partial(text.readline, MAX_ROW), ""), 1):
                bare = written.removeprefix("\ufeff") if line == 1 else written
                if bare.strip():
                    yield from _of_any_form(text, bare, line)
                    return
        except _WrongError as error:
            raise SourceError(error.reason, path=source.name, line=error.line or line) from error
        except (msgspec.MsgspecError, RecursionError) as error:
            msg = f"is not JSON: {error}"
            raise SourceError(msg, path=source.name, line=line) from error
        except UnicodeError as error:
            msg = not_encoded(encoding.name, error)
            raise SourceError(msg, path=source.name, line=line + 1) from error
        except OSError as error:
            msg = f"cannot be read: {error.strerror or error}"
            raise SourceError(msg, path=source.name, line=line + 1) from error


def _of_any_form(text: IO[str], begun: str, line: int) -> Iterator[tuple[int, Record, int]]:
    """The records of an array, or of lines, or of objects; or the list that one object wraps.

    Args:
        text: What follows.
        begun: The first line that is not blank.
        line: Its number.
    """
    if begun.lstrip().startswith("["):
        return _Array(text, begun.lstrip()[1:], line).records()
    if not begun.lstrip().startswith("{"):
        return _lines(chain([begun], iter(partial(text.readline, MAX_ROW), "")), line)
    head = head_of_object(text, begun)
    try:
        start = start_of_list(head)
    except ValueError as error:
        raise _WrongError(str(error), line) from error
    if start is not None:
        wrapped = line + head.text.count("\n", 0, start)
        return _Array(text, head.text[start:], wrapped, wrapped=True).records()
    whole = Begun(head.text, text)
    if head.on_one_line:
        return _lines(whole.lines(MAX_ROW), line)
    found = objects(whole, line)
    return ((number, _parsed(written, number), len(written)) for number, written in found)


def _lines(lines: Iterable[str], first: int) -> Iterator[tuple[int, Record, int]]:
    for line, bare in enumerate(lines, first):
        size = len(bare)
        if size >= _CUT:
            raise _WrongError(_TOO_LONG, line)
        if not bare.isspace():
            yield line, _parsed(bare, line), size


def _parsed(written: str, line: int) -> Record:
    """The record of a text that begins on this line."""
    try:
        value = _decode(written)
        return flat(value) if isinstance(value, dict) else _number(value)
    except msgspec.MsgspecError as error:
        place = _BYTE.search(str(error))
        begun = written.encode()[: int(place[1])] if place else b""
        msg = f"is not JSON: {error}"
        raise _WrongError(msg, line + begun.rstrip(b"\n").count(b"\n")) from error
    except RecursionError as error:
        msg = f"is not JSON: {error}"
        raise _WrongError(msg, line) from error
    except _WrongError as error:
        raise _WrongError(error.reason, line) from error


_CUT = MAX_ROW - 1
"""Characters of a line that was cut; a mark at its beginning may have gone."""
_TOO_LONG = f"what begins here has more than {MAX_ROW:,} characters: that is no contact"
_BYTE = re.compile(r"\(byte (\d+)\)")
_SPACE = re.compile(r"\s*+")
_FLAT = re.compile(rf'\s*+(\{{[^"{{}}\[\]]*+(?:{STRING}[^"{{}}\[\]]*+)*+\}}),|', re.DOTALL)
"""An object without others in it, which is the most common item; or nothing."""


class _Array:
    """The items of an array, of which no more is held than one item and a piece of the text.

    Args:
        text: What follows.
        begun: What was read of it already, without the bracket.
        line: On which that begins.
        wrapped: Whether an object is around it, of which nothing else matters.
    """

    def __init__(self, text: IO[str], begun: str, line: int, *, wrapped: bool = False) -> None:
        self._text = text
        self._wrapped = wrapped
        self._buffer = begun
        self._at = 0
        self._line = line

    def records(self) -> Iterator[tuple[int, Record, int]]:
        """Each, the line on which it begins, and how many characters it has."""
        end = self._item()
        if not self._buffer[self._at : end].strip() and self._buffer[end] == "]":
            self._at = end + 1
            self._check_end()
            return
        while True:
            item = self._buffer[self._at : end]
            yield self._line, _parsed(item, self._line), len(item)
            self._line += item.count("\n")
            self._at = end + 1
            if self._buffer[end] == "]":
                self._check_end()
                return
            yield from self._flat_ones()
            end = self._item()

    def _flat_ones(self) -> Iterator[tuple[int, Record, int]]:
        """The items from here on that are read already, up to one with others in it."""
        buffer, counted = self._buffer, self._at
        for found in _FLAT.finditer(buffer, self._at):
            item, begin = found[1], found.start(1)
            if not item or (size := len(item)) > MAX_ROW:
                break
            self._line += buffer.count("\n", counted, begin)
            counted = begin
            yield self._line, _parsed(item, self._line), size
            self._at = found.end()
        self._line += buffer.count("\n", counted, self._at)

    def _item(self) -> int:
        """Where the next item ends, which begins where we are then."""
        while (end := self._end()) is None:
            piece = self._text.read(_PIECE)
            if not piece:
                msg = "is not JSON: the array does not end"
                raise _WrongError(msg, self._line + self._buffer.count("\n", self._at))
            self._buffer = self._buffer[self._at :] + piece
            self._at = 0
        if end - self._at > MAX_ROW:
            raise _WrongError(_TOO_LONG, self._line)
        return end

    def _end(self) -> int | None:
        """The position of what follows the item; None if that is not read yet."""
        buffer = self._buffer
        space = _SPACE.match(buffer, self._at)
        if space:
            self._line += buffer.count("\n", self._at, space.end())
            self._at = space.end()
        depth = 0
        for token in TOKEN.finditer(buffer, self._at):
            mark = token[0]
            if mark == '"':
                break  # it is not closed yet
            if depth == 0 and mark in {",", "]"}:
                return token.start()
            depth += DEEPER.get(mark, 0)
        if len(buffer) - self._at > MAX_ROW:
            raise _WrongError(_TOO_LONG, self._line)
        return None

    def _check_end(self) -> None:
        if self._wrapped:
            return
        rest = self._buffer[self._at :]
        while not rest.strip():
            self._line += rest.count("\n")
            rest = self._text.read(_PIECE)
            if not rest:
                return
        line = self._line + rest[: len(rest) - len(rest.lstrip())].count("\n")
        msg = "is not JSON: something follows the array"
        raise _WrongError(msg, line)


class _WrongError(Exception):
    """JSON that is no list of contacts."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def _number(value: object) -> Record:
    if isinstance(value, (str, int)):
        return {_NUMBER: value}
    kind = "null" if value is None else "an array" if isinstance(value, list) else "a number"
    msg = f"an object with the columns' names, or a number as text, is needed, not {kind}"
    raise _WrongError(msg)
