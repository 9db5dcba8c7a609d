"""Where the bytes of a contact file come from, and whether they can be read more than once."""

from __future__ import annotations

import io
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from asyncsdk.sources.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

__all__ = ["FileInput", "Input", "OnceInput", "Place", "StreamInput", "head_of", "open_input"]

_BUFFER = 1 << 16


class FileInput:
    """A file on disk: each reading opens it anew and closes it."""

    reopenable = True

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self.name = str(path)

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the beginning."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            msg = f"cannot be opened: {error.strerror or error}"
            raise SourceError(msg, path=self.name) from error
        with file, _reading(self.name):
            yield unpacked(file)

    peeking = reading


class StreamInput:
    """A seekable file object of the caller's: each reading goes back to where it stood."""

    reopenable = True

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.name = _name(file)
        self.start = file.tell()

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the beginning."""
        self.file.seek(self.start)
        with _reading(self.name):
            yield unpacked(_buffered(b"", self.file, self.name))

    peeking = reading


class OnceInput:
    """A pipe or socket of the caller's: its head may be looked at, the whole is read once."""

    reopenable = False

    def __init__(self, file: IO[bytes], head_size: int) -> None:
        self.name = _name(file)
        with _reading(self.name):
            self.file = unpacked(_buffered(b"", file, self.name))
            self.head: bytes | None = head_of(self.file, head_size)

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the beginning."""
        if self.head is None:
            msg = "was read already and cannot be read again; save it to a file first"
            raise SourceError(msg, path=self.name)
        head, self.head = self.head, None
        with _reading(self.name):
            yield _buffered(head, self.file, self.name)

    @contextmanager
    def peeking(self) -> Iterator[io.BufferedIOBase]:
        """The beginning alone."""
        yield io.BytesIO(self.head or b"")


Input = FileInput | StreamInput | OnceInput
"""Bytes that can be read from their beginning, and looked at without using them up."""

Place = str | PathLike[str] | IO[Any] | Input
"""Where a list can be."""


def open_input(source: Place, head_size: int) -> Input:
    """The input behind a path or a file object.

    Args:
        source: A path, or a file object opened for reading (a text file is read by its bytes), or
            what this function gave before.
        head_size: Bytes to remember of what cannot be read twice.

    Raises:
        SourceError: It is neither.
    """
    if isinstance(source, (FileInput, StreamInput, OnceInput)):
        return source
    if isinstance(source, (str, Path)) or hasattr(source, "__fspath__"):
        return FileInput(source)
    if isinstance(source, io.StringIO):
        return StreamInput(io.BytesIO(source.read().encode("utf-8", "replace")))
    file: IO[bytes] = getattr(source, "buffer", source)
    if not hasattr(file, "read"):
        msg = f"a path or a file object is needed, not {type(source).__name__}"
        raise SourceError(msg)
    return StreamInput(file) if _seekable(file) else OnceInput(file, head_size)


def head_of(file: io.BufferedIOBase, size: int) -> bytes:
    """The first bytes, as far as they can be read: who reads on meets the fault and its line.

    Raises:
        OSError: There are none.
    """
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := file.read1(size)):
            pieces.append(piece)
            size -= len(piece)
    except OSError:
        if not pieces:
            raise
    return b"".join(pieces)


class _Reader(io.RawIOBase):
    """A head that was read already, then the rest of a file that stays open afterwards."""

    def __init__(self, head: bytes, file: IO[bytes], name: str | None) -> None:
        self._head = memoryview(head)
        self._file = file
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        target = memoryview(buffer)
        if self._head:
            chunk: Buffer = self._head[: len(target)]
            self._head = self._head[len(target) :]
        else:
            chunk = self._file.read(len(target)) or b""
        if isinstance(chunk, str):
            msg = "was opened as text; open it in binary mode"
            raise SourceError(msg, path=self._name, line=1)
        view = memoryview(chunk)
        target[: len(view)] = view
        return len(view)


@contextmanager
def _reading(name: str | None) -> Iterator[None]:
    """What the operating system or an archive says while it is read."""
    try:
        yield
    except OSError as error:
        msg = f"cannot be read: {error.strerror or error}"
        raise SourceError(msg, path=name, line=1) from error


def _buffered(head: bytes, file: IO[bytes], name: str | None) -> io.BufferedReader:
    return io.BufferedReader(_Reader(head, file, name), _BUFFER)


def _name(file: IO[bytes]) -> str | None:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else None


def _seekable(file: IO[bytes]) -> bool:
    try:
        return file.seekable()
    except AttributeError:
        return hasattr(file, "seek") and hasattr(file, "tell")
