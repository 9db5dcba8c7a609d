"""How a delimited text file is written: found by looking at its beginning."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources.layout import find_layout
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.opening import head_of
from asyncsdk.sources.rejects import is_rejects
from asyncsdk.validators import whole_number
from asyncsdk.words import brief

if TYPE_CHECKING:
    import io

    from asyncsdk.sources.opening import Input

__all__ = [
    "OTHERWISE",
    "SAMPLE_SIZE",
    "Dialect",
    "Encoding",
    "Sample",
    "find_encoding",
    "not_encoded",
    "sample_of",
]

SAMPLE_SIZE = 1 << 18
"""Bytes that are looked at to find delimiter, header and columns."""
UTF8_CHECK_SIZE = 1 << 26
"""Bytes that must be valid UTF-8 to call a file that, where it can be read twice."""
_CHUNK = 1 << 20
_SAMPLE_ROWS = 1000
_MOST_LINES = 1 << 20
_NAMED = 20
"""Lines in another encoding that are named."""

DELIMITERS = (";", "\t", "|", ",")
"""In the order of preference when two explain the file equally well."""
_MIN_SHARE = 0.3
_NUL_SHARE = 0.3

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)


@frozen
class Encoding:
    """How the characters of a file are written."""

    name: str
    """As Python names it; `utf-8-sig` and `utf-16` start with a byte order mark."""
    guessed: bool = False
    """Whether nothing says so but the bytes themselves."""
    odd_lines: tuple[int, ...] = ()
    """The first lines that are not in it, and are read as Windows-1252."""

    @property
    def errors(self) -> str:
        """What is done with bytes that are not in it, as Python names it."""
        return OTHERWISE if self.odd_lines else "strict"

    @property
    def notes(self) -> list[str]:
        """What the owner of the file should know."""
        if self.odd_lines:
            lines = ", ".join(map(str, self.odd_lines))
            which = f"line {lines} is" if len(self.odd_lines) == 1 else f"lines {lines} are"
            return [f"{which} not in {self.name.upper()} like the others, and read as Windows-1252"]
        return [f"read as {self.name}, as its bytes look"] if self.guessed else []


@frozen
class Dialect:
    """How a delimited text file is written."""

    encoding: str
    """As Python names it; `utf-8-sig` and `utf-16` start with a byte order mark."""
    delimiter: str
    """The character between cells."""
    quotechar: str | None
    """None if quotes mean nothing in this file."""
    header: bool
    """Whether the first row names the columns."""
    preamble: int = 0
    """Lines before the first row: 1 if the file starts with a `sep=;` line, as spreadsheets do."""
    above: int = 0
    """Rows before the first one of the data: titles, and the names of the columns."""
    errors: str = "strict"
    """What is done with bytes that are not in the encoding."""


@frozen
class Sample:
    """The first rows of a file, read in one dialect."""

    delimiter: str
    rows: list[list[str]]
    width: int
    """How many cells most rows have."""
    preamble: int = 0
    line: int = 1
    """1-based, on which the first row ends."""


def find_encoding(source: Input, encoding: str | None) -> Encoding:
    """The encoding asked for, else by byte order mark, else UTF-8 if valid, else a code page.

    That is Windows-1252, unless the bytes by which ISO-8859-15 differs make letters of words. A few
    lines that are not UTF-8 do not make a code page of all others.

    Args:
        source: The file; all of it up to 64 MiB is checked where it can be read twice.
        encoding: What the caller says.

    Raises:
        ConfigurationError: There is no such encoding.
        SourceError: The file cannot be opened.
    """
    if encoding is not None:
        return Encoding(_known(encoding))
    with source.peeking() as file:
        head = head_of(file, SAMPLE_SIZE)
        for bom, name in _BOMS:
            if head.startswith(bom):
                return Encoding(name)
        if wide := _wide(head):
            return Encoding(wide, guessed=True)
        limit = UTF8_CHECK_SIZE if source.reopenable else 0
        if _is_utf8(head, file, limit):
            return Encoding("utf-8")
    if odd := _odd_lines(source):
        return Encoding("utf-8", odd_lines=odd)
    with source.peeking() as file:
        return Encoding(_codepage(file, limit or SAMPLE_SIZE), guessed=True)


def not_encoded(encoding: str, error: UnicodeError) -> str:
    """What is said of a text that is not in its encoding; another one is proposed."""
    reason = error.reason if isinstance(error, UnicodeDecodeError) else error
    other = "cp850" if codecs.lookup(encoding).name == "cp1252" else "cp1252"
    return f"is not {encoding} ({reason}): give its encoding, such as {other!r}"


def sample_of(
    source: Input,
    encoding: Encoding,
    *,
    delimiter: str | None,
    quotechar: str | None,
    skip_lines: int = 0,
) -> Sample:
    """The first rows of a file, and the delimiter that explains them best.

    Args:
        source: The file.
        encoding: As `find_encoding` gave it.
        delimiter: What the caller says.
        quotechar: The character around cells that hold a delimiter, or None.
        skip_lines: Lines above the table, if the caller says so.

    Raises:
        SourceError: It is not in this encoding at all, as one without its byte order mark.
    """
    whole_number("skip_lines", skip_lines, 0)
    with source.peeking() as file:
        raw = head_of(file, SAMPLE_SIZE + 1)
    whole = len(raw) <= SAMPLE_SIZE
    # A bad byte is reported, with its line, when the file is really read.
    otherwise = encoding.errors if encoding.odd_lines else "replace"
    decoder = codecs.getincrementaldecoder(encoding.name)(otherwise)
    try:
        text = decoder.decode(raw[:SAMPLE_SIZE], whole)
    except UnicodeError as error:
        raise SourceError(not_encoded(encoding.name, error), path=source.name, line=1) from error
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text.removeprefix("\ufeff"))
    if not whole and len(lines) > 1:
        lines.pop()  # it may be cut
    preamble = skip_lines
    separator = _SEPARATOR_LINE.fullmatch(lines[0])
    if separator and separator[1] != quotechar:
        preamble = max(1, skip_lines)
        delimiter = delimiter or separator[1]
    lines = lines[preamble:]
    candidates = [delimiter] if delimiter else DELIMITERS
    found = [_parse(lines, candidate, quotechar, preamble) for candidate in candidates]
    ours = next((sample for sample in found if any(map(is_rejects, sample.rows[:1]))), None)
    if ours is not None:  # whatever separators are in its cells
        return ours
    best = max(found, key=_score)
    if delimiter or _score(best) > 0:
        return best
    return _one_column(lines, quotechar, preamble)


def _odd_lines(source: Input) -> tuple[int, ...]:
    """The first lines of a file in UTF-8 that are not in it: somebody pasted them from another one.

    There are none where those lines are more than the others that are not plain ASCII: such a file
    is in another encoding itself.

    Args:
        source: The file; all of it up to 64 MiB is looked at where it can be read twice.
    """
    if not source.reopenable:
        return ()
    odd: list[int] = []
    whole = failed = 0
    with source.reading() as file:
        for number, line in enumerate(islice(file, _MOST_LINES), 1):
            if line.isascii():
                continue
            try:
                line.decode()
                whole += 1
            except UnicodeDecodeError:
                failed += 1
                if len(odd) < _NAMED:
                    odd.append(number)
    return tuple(odd) if whole >= failed else ()


def _as_codepage(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    return odd.decode("cp1252", "replace"), error.end


OTHERWISE = "asyncsdk.cp1252"
"""The error handler that reads single bytes as Windows-1252."""
codecs.register_error(OTHERWISE, _as_codepage)


def _known(encoding: str) -> str:
    try:
        info = codecs.lookup(encoding)
        codecs.getincrementaldecoder(encoding)().decode(b"")
    except (LookupError, UnicodeError, TypeError, ValueError):  # of NULs, and of what is no text
        info = None
    if info is None or not getattr(info, "_is_text_encoding", True):
        msg = (
            f"there is no text encoding {brief(encoding)}; cp1252, iso-8859-15 and utf-16 are some"
        )
        raise ConfigurationError(msg)
    return "utf-8-sig" if info.name == "utf-8" else encoding


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: western text has a NUL in every other byte."""
    half = len(head) // 2
    if half and head[1::2].count(0) > half * _NUL_SHARE > head[0::2].count(0):
        return "utf-16-le"
    if half and head[0::2].count(0) > half * _NUL_SHARE > head[1::2].count(0):
        return "utf-16-be"
    return None


def _is_utf8(head: bytes, rest: io.BufferedIOBase, limit: int) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
        while limit > 0 and (chunk := rest.read(_CHUNK)):
            decoder.decode(chunk)
            limit -= len(chunk)
    except UnicodeDecodeError:
        return False
    except OSError:
        return True  # as far as it can be read: the reading itself tells where that ends
    return True


def _codepage(file: io.BufferedIOBase, limit: int) -> str:
    """Windows-1252 or ISO-8859-15: they differ in eight letters, and in 32 controls of the latter.

    The eight are signs in the former, such as a half, which stand alone, not in words.
    """
    letters = False
    while limit > 0 and (chunk := head_of(file, _CHUNK)):
        if _TYPOGRAPHIC.search(chunk):
            return "cp1252"
        letters = letters or _LATIN9.search(chunk) is not None
        limit -= len(chunk)
    return "iso-8859-15" if letters else "cp1252"


_TYPOGRAPHIC = re.compile(rb"[\x80-\x9f]")
# The euro sign; S, s, z with caron and the oe ligature beside letters; Z with caron before one.
_LATIN9 = re.compile(
    rb"\xa4|[\xa6\xa8][a-z]|[a-z][\xa8\xb8\xbd]|[A-Z][\xa6\xbc\xbe][A-Z]|(?<![A-Za-z])\xb4[a-z]|\xbc[A-Z]{2}"
)


def _parse(lines: list[str], delimiter: str, quotechar: str | None, preamble: int) -> Sample:
    try:
        reader = csv.reader(
            lines,
            delimiter=delimiter,
            quotechar=quotechar,
            quoting=csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE,
        )
    except (TypeError, ValueError) as error:
        msg = f"delimiter and quotechar must be single, different characters: {error}"
        raise ConfigurationError(msg) from None
    rows: list[list[str]] = []
    # What can be read of the sample must do: the reading itself tells where it breaks.
    line = preamble + 1
    with suppress(csv.Error):
        rows.extend(islice(filter(None, reader), 1))
        line = preamble + reader.line_num
        rows.extend(islice(filter(None, reader), _SAMPLE_ROWS - 1))
    widths = Counter(map(len, rows))
    width = max(widths, key=lambda size: (widths[size], size), default=1)
    return Sample(delimiter, rows, width, preamble, line)


def _score(sample: Sample) -> float:
    """How well a delimiter explains the rows: they are equally long, and phones stand alone."""
    if sample.width == 1 or (len(sample.rows[0]) == 1 and not _below_a_title(sample)):
        return 0.0
    even = sum(len(row) == sample.width for row in sample.rows) / len(sample.rows)
    phones = sum(any(map(looks_like_phone, row)) for row in sample.rows) / len(sample.rows)
    return even + phones if even >= _MIN_SHARE else 0.0


def _below_a_title(sample: Sample) -> bool:
    """Whether a first row of one cell is the title of what follows, which names its columns."""
    layout = find_layout(sample.rows, sample.width, header=None)
    return layout.titles > 0 and len(list(filter(None, layout.names))) > 1


def _one_column(lines: list[str], quotechar: str | None, preamble: int) -> Sample:
    """A list of one column, in which a delimiter could only be a part of a cell."""
    text = "".join(lines)
    rarest = min(DELIMITERS, key=text.count)
    return _parse(lines, rarest, quotechar, preamble)
