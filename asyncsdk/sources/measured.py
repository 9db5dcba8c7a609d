"""The lines of a text, and at which byte each begins, so that it can be read in parts.

Only of encodings in which what a byte means does not depend on what came long before it, and in
which line breaks are known: UTF-8, those of one byte a character that have ASCII in them, UTF-16
and UTF-32. Lines end as a text file opened with `newline=""` has them.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from asyncsdk.sources.bounds import MAX_ROW

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

__all__ = ["MeasuredLines", "is_measurable", "unmarked"]

_CHUNK = 1 << 18
_LONGEST = 4 * MAX_ROW
"""Bytes of a line at most: no character takes more than four."""
_BLOCK = 256
"""Lines that are given at once."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_WIDE = {
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
"""Encodings of several bytes a character, by their byte order marks."""
_ORDERED = {name for marks in _WIDE.values() for _, name in marks}
_NATIVE = {"utf-16": codecs.BOM_UTF16, "utf-32": codecs.BOM_UTF32}
"""The mark of this machine, whose order holds where there is none."""


def unmarked(head: bytes, encoding: str) -> tuple[str, int]:
    """The encoding of what stands behind the byte order mark of a file, and where that begins.

    Args:
        head: The first bytes of the file.
        encoding: That of the whole file, as Python names it.
    """
    name = codecs.lookup(encoding).name
    if name == "utf-8-sig":
        return "utf-8", len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    for mark, ordered in _WIDE.get(name, ()):
        if head.startswith(mark):
            return ordered, len(mark)
    if name in _WIDE:
        return dict(_WIDE[name])[_NATIVE[name]], 0
    return name, 0


@lru_cache
def is_measurable(encoding: str) -> bool:
    """Whether a text in this encoding can be read in parts."""
    name = codecs.lookup(encoding).name
    return name in {"utf-8", "utf-8-sig", *_WIDE, *_ORDERED} or _is_plain(name)


class MeasuredLines:
    """The same as `TextLines`, and where each line begins.

    Args:
        file: At its beginning.
        encoding: A measurable one.
        errors: What becomes of bytes that are none of its characters, as Python names it.
        longest: Characters of a line at most.
    """

    def __init__(
        self, file: io.BufferedIOBase, encoding: str, errors: str, *, longest: int
    ) -> None:
        self._lines = _lines_of(file, encoding, errors)
        self._longest = longest
        self._starts: deque[int] = deque()
        """Where lines begin that may be asked for, from this one on."""
        self._first = 1

    def blocks(self) -> Iterator[list[str]]:
        """The lines; see `TextLines.blocks`."""
        first = True
        while found := list(islice(self._lines, _BLOCK)):
            block: list[str] = []
            for line, at in found:
                text = line.removeprefix("\ufeff") if first else line  # it is no content
                first = False
                if len(text) >= self._longest:
                    if block:
                        yield block
                    msg = f"a line has {self._longest} characters or more"
                    raise OverflowError(msg)
                if text:
                    self._starts.append(at)
                    block.append(text)
            yield block

    def byte_of(self, line: int) -> int:
        """Where a line begins; none is asked for that stands above the last one."""
        while self._first < line:
            self._starts.popleft()
            self._first += 1
        return self._starts[0]


def _lines_of(file: io.BufferedIOBase, encoding: str, errors: str) -> Iterator[tuple[str, int]]:
    """Each line with its break, and the byte at which it begins.

    Args:
        file: At its beginning.
        encoding: A measurable one.
        errors: What is done with bytes that are not in it, as Python names it.

    Raises:
        UnicodeError: There are such bytes.
    """
    head = file.read(_CHUNK)
    encoding, at = unmarked(head, encoding)
    if encoding in _ORDERED:
        yield from _wide_lines(head[at:], file, encoding, errors, at)
        return
    for line in _split(head[at:], file):
        yield line.decode(encoding, errors), at
        at += len(line)


def _is_plain(name: str) -> bool:
    """Whether each byte is a character, whatever stands beside it, and breaks are those of ASCII.

    An encoding that switches between sets of characters knows nothing of bytes beyond ASCII.
    """
    every, decode = bytes(range(256)), codecs.lookup(name).decode
    try:
        found = [decode(every[at : at + 1], "replace")[0] for at in every]
        together = decode(every, "replace")[0]
    except (LookupError, UnicodeError, TypeError, ValueError):
        return False
    breaks = {at: text for at, text in enumerate(found) if text in {"\n", "\r"}}
    beyond = name == "ascii" or any(text != "\ufffd" for text in found[128:])
    return breaks == {10: "\n", 13: "\r"} and together == "".join(found) and beyond


def _split(rest: bytes, file: io.BufferedIOBase) -> Iterator[bytes]:
    """The lines of a file as bytes; one that does not end is given as far as it may be long."""
    while True:
        lines = rest.splitlines(keepends=True)
        # The last one may go on, be it only with the second half of its break.
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        yield from lines
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
        chunk = file.read(_CHUNK)
        if not chunk:
            break
        rest += chunk
    if rest:
        yield rest


def _wide_lines(
    head: bytes, file: io.BufferedIOBase, encoding: str, errors: str, at: int
) -> Iterator[tuple[str, int]]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    rest, chunk = "", head
    while True:
        rest += decoder.decode(chunk, not chunk)
        lines = _LINE.findall(rest)
        rest = lines.pop() if chunk and lines and not lines[-1].endswith("\n") else ""
        for line in lines:
            yield line, at
            at += len(line.encode(encoding))
        if not chunk:
            return
        if len(rest) > _LONGEST:
            yield rest, at
            at, rest = at + len(rest.encode(encoding)), ""
        chunk = file.read(_CHUNK)
