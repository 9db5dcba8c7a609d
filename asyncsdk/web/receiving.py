"""A file on its way in: to the disk as it comes, and no further than it may."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Self

from attrs import define, field, frozen

from asyncsdk.completion import completed
from asyncsdk.files import alone
from asyncsdk.web.errors import FileRefusedError, NoRoomError, TooLargeError
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator
    from pathlib import Path

__all__ = ["Limits", "file_name", "store"]

_PIECE = 1 << 18
"""Bytes that are written at a time."""
_STALL = 60.0
"""Seconds that a browser may take to send the next piece."""
_NAME = 120
"""Characters of a file's name."""
_SEPARATORS = re.compile(r"[/\\]")
_BINARY = re.compile(rb"\A(?:PK\x03\x04|\x1f\x8b|\x28\xb5\x2f\xfd|\xd0\xcf\x11\xe0)|\0")
"""What begins an archive or a workbook, or is in no text of one byte a character."""
_SPARE = 1.1
"""Lines may be more than rows: cells hold some, and there are titles. How many more is no row
limit's business, as long as a file cannot be many times as long as its rows allow."""


@frozen(kw_only=True)
class Limits:
    """How much a list may be."""

    file_bytes: int = 256 << 20
    """Bytes of the file."""
    unpacked_bytes: int = 1 << 30
    """Bytes that it may unpack to, and memory that reading it may take."""
    rows: int = 2_000_000

    def check_size(self, size: int | None) -> None:
        """Do nothing if a file of so many bytes may come.

        Raises:
            TooLargeError: It is too large.
        """
        if size is not None and size > self.file_bytes:
            msg = (
                f"a list may have {self.file_bytes:,} bytes here: split it, or pack it (.gz, .zip)"
            )
            raise TooLargeError(msg)

    def check_rows(self, rows: int) -> None:
        """Do nothing if a list of so many rows may come.

        Raises:
            FileRefusedError: It has too many.
        """
        if rows > self.rows:
            msg = f"a list may have {counted(self.rows, 'row')} here: split it"
            raise FileRefusedError(msg)


def file_name(given: str) -> str:
    """What a browser calls a file, as it may be shown: a name without folders, on one line."""
    last = _SEPARATORS.split(given)[-1]
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in last)
    plain = plain.strip().strip(".") or "list"
    if len(plain) <= _NAME:
        return plain
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem[: _NAME - 12]}\N{HORIZONTAL ELLIPSIS}{dot}{suffix[-10:]}"


@define
class _Rows:
    """How many rows a text has so far, at least: line ends outside of quotes."""

    count: int = 0
    _text: bool | None = field(default=None, init=False)
    _quoted: bool = field(default=False, init=False)

    def add(self, piece: bytes) -> None:
        """Count those of the next piece."""
        if self._text is None:
            self._text = _BINARY.search(piece[:4096]) is None
        if not self._text:
            return
        for part in piece.split(b'"'):
            if not self._quoted:
                self.count += part.count(b"\n")
            self._quoted = not self._quoted
        self._quoted = not self._quoted  # there is one part more than quotes


@define(eq=False)
class _Writer:
    """Writes pieces to a new file, in threads, several at a time."""

    _file: int
    _pending: list[bytes] = field(factory=list, init=False)
    _waiting: int = field(default=0, init=False)
    size: int = field(default=0, init=False)

    @classmethod
    async def open(cls, path: Path) -> Self:
        return cls(await asyncio.to_thread(alone, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))

    async def write(self, piece: bytes) -> None:
        self._pending.append(piece)
        self._waiting += len(piece)
        self.size += len(piece)
        if self._waiting >= _PIECE:
            await self.flush()

    async def flush(self) -> None:
        if pending := b"".join(self._pending):
            self._pending.clear()
            self._waiting = 0
            # Not to be left half done: its file is closed next, and the number is another's then.
            await completed(
                asyncio.ensure_future(asyncio.to_thread(_write_whole, self._file, pending))
            )

    def close(self) -> None:
        os.close(self._file)


async def store(chunks: AsyncIterable[bytes], path: Path, limits: Limits) -> int:
    """Write a file as it comes. Returns how many bytes it has.

    Args:
        chunks: What comes.
        path: A file that is not there yet.
        limits: How much it may be: what is beyond is not written, nor waited for.

    Raises:
        TooLargeError: It has too many bytes.
        FileRefusedError: It has too many rows, or nothing in it.
        NoRoomError: The disk is full.
    """
    rows = _Rows()
    most = int(limits.rows * _SPARE) + 100
    writer = await _Writer.open(path)
    try:
        async for chunk in _steadily(chunks):
            limits.check_size(writer.size + len(chunk))
            rows.add(chunk)
            limits.check_rows(limits.rows if rows.count <= most else rows.count)
            await writer.write(chunk)
        await writer.flush()
    finally:
        writer.close()
    if not writer.size:
        msg = "the file is empty: choose the one that has the list"
        raise FileRefusedError(msg)
    return writer.size


async def _steadily(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """What comes, as long as something does.

    Raises:
        FileRefusedError: Nothing came for long.
    """
    coming = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(_STALL):
                chunk = await anext(coming)
        except StopAsyncIteration:
            return
        except TimeoutError:
            msg = "the rest of the file did not come: send it once more"
            raise FileRefusedError(msg) from None
        yield chunk


def _write_whole(file: int, data: bytes) -> None:
    """Write all of it.

    Raises:
        NoRoomError: The disk is full, or broken.
    """
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError as error:
        msg = f"the file cannot be stored: {error.strerror or error}"
        raise NoRoomError(msg) from error
