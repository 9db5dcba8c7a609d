"""The lines of a text file, as many at once as have come."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TextLines"]

_PIECE = 1 << 13
"""Bytes that are read at once, and fewer where a pipe has no more yet."""
_ENDS = ("\n", "\r")


class TextLines:
    """Whole lines with their ends, in blocks; only the last one may lack its end.

    Args:
        file: Where the bytes come from.
        encoding: As Python names it.
        errors: What becomes of bytes that are none of its characters, as Python names it.
        longest: Characters of a line at most.
        continued: Whether something of the text stands before these bytes.
    """

    def __init__(
        self,
        file: io.BufferedIOBase,
        encoding: str,
        errors: str,
        *,
        longest: int,
        continued: bool = False,
    ) -> None:
        self._read = getattr(file, "read1", file.read)
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._text = io.IncrementalNewlineDecoder(decoder, translate=False)
        self._longest = longest
        self._continued = continued

    def blocks(self) -> Iterator[list[str]]:
        """The lines.

        Raises:
            OverflowError: A line does not end where it should; those before it were given.
            UnicodeError: The bytes are not in this encoding.
            OSError: They cannot be read.
        """
        begun = ""
        first = not self._continued
        while True:
            piece = self._read(_PIECE)
            text = begun + self._text.decode(piece, final=not piece)
            if first and text:
                text = text.removeprefix("\ufeff")  # it is no content
                first = False
            lines = list(io.StringIO(text, newline=""))
            whole = not piece or not lines or lines[-1].endswith(_ENDS)
            begun = "" if whole else lines.pop()
            if lines and len(lines[0]) >= self._longest:
                break
            if lines:
                yield lines
            if not piece:
                return
            if len(begun) >= self._longest:
                break
        msg = f"a line has {self._longest} characters or more"
        raise OverflowError(msg)
