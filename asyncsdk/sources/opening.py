"""Where the bytes of a contact file come from, and whether they can be read more than once."""

from __future__ import annotations

import io
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_BYTES, too_large
from asyncsdk.sources.packed import is_packed, unpacked
from asyncsdk.sources.pipes import opened_pipe
from asyncsdk.validators import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from typing_extensions import Buffer

__all__ = [
    "FileInput",
    "Input",
    "OnceInput",
    "Place",
    "RangeInput",
    "StreamInput",
    "head_of",
    "kept",
    "open_input",
    "opened_file",
    "owned",
]

_BUFFER = 1 << 16
_T = TypeVar("_T")


class FileInput:
    """A file on disk, whatever it is called: each reading opens it anew and closes it."""

    reopenable = True

    def __init__(self, path: str | PathLike[str], max_bytes: int, name: str | None = None) -> None:
        self.path: Path = Path(path)
        self.name: str | None = str(path) if name is None else name
        self.max_bytes = max_bytes

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        with self._opened() as file:
            return is_packed(file)

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the beginning."""
        with self._opened() as file:
            yield unpacked(file, self.max_bytes, self.name)

    peeking = reading

    def _opened(self) -> AbstractContextManager[io.BufferedReader]:
        return opened_file(self.path, self.name)


@contextmanager
def opened_file(path: Path, name: str | None) -> Iterator[io.BufferedReader]:
    """A file on disk; what is wrong with it is a `SourceError` that has its name."""
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:  # a name with a NUL in it is no OSError
        raise _unopened(error, name) from error
    with file, _reading(name):
        yield file


class RangeInput:
    """Some bytes of a file on disk, as they are: each reading opens it anew and closes it.

    Args:
        path: The file.
        start: The first of them.
        end: The one behind the last.
        name: Of the file, for errors; None for its path.
    """

    reopenable = True

    def __init__(
        self, path: str | PathLike[str], start: int, end: int, name: str | None = None
    ) -> None:
        self.path: Path = Path(path)
        self.name: str | None = str(path) if name is None else name
        self.max_bytes: int = end - start
        self._start = start

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the first byte."""
        with opened_file(self.path, self.name) as file:
            file.seek(self._start)
            yield io.BufferedReader(_Limited(file, self.max_bytes), _BUFFER)

    peeking = reading


class StreamInput:
    """A seekable file object of the caller's: each reading goes back to where it stood."""

    reopenable = True

    def __init__(self, file: IO[bytes], max_bytes: int, name: str | None = None) -> None:
        self.file = file
        self.name: str | None = name or _name(file)
        self.start: int = file.tell()
        self.max_bytes = max_bytes

    @contextmanager
    def reading(self) -> Iterator[io.BufferedIOBase]:
        """From the beginning."""
        self.file.seek(self.start)
        with _reading(self.name):
            yield unpacked(_buffered(b"", self.file, self.name), self.max_bytes, self.name)

    peeking = reading


class OnceInput:
    """A pipe or socket: its head may be looked at, the whole is read once."""

    reopenable = False

    def __init__(
        self, file: IO[bytes], head_size: int, max_bytes: int, name: str | None = None
    ) -> None:
        self.name: str | None = name or _name(file)
        self.max_bytes = max_bytes
        with _reading(self.name):
            begun = _buffered(b"", file, self.name)
            self.file: io.BufferedReader = unpacked(begun, max_bytes, self.name)
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


Input = FileInput | RangeInput | StreamInput | OnceInput
"""Bytes that can be read from their beginning, and looked at without using them up."""

Place = str | PathLike[str] | IO[Any] | Input
"""Where a list can be."""


def open_input(source: Place, head_size: int, max_bytes: int | None = None) -> Input:
    """The input behind a path or a file object.

    Args:
        source: A path, or a file object opened for reading (a text file is read by its bytes), or
            what this function gave before.
        head_size: Bytes to remember of what cannot be read twice.
        max_bytes: Bytes that it may unpack to; None for the default.

    Raises:
        SourceError: It is neither, or a pipe that nobody writes to.
        ConfigurationError: There is no such `max_bytes`.
    """
    if isinstance(source, Input):
        return source
    most = _most(max_bytes)
    if isinstance(source, (str, Path)) or hasattr(source, "__fspath__"):
        pipe = opened_pipe(source)
        if pipe is None:
            return FileInput(source, most)
        return owned(OnceInput(pipe, head_size, most), pipe)
    if isinstance(source, io.StringIO):
        return StreamInput(io.BytesIO(source.read().encode("utf-8", "replace")), most)
    file: IO[bytes] = getattr(source, "buffer", source)
    if not hasattr(file, "read"):
        msg = f"a path or a file object is needed, not {type(source).__name__}"
        raise SourceError(msg)
    return StreamInput(file, most) if _seekable(file) else OnceInput(file, head_size, most)


def kept(source: Input) -> Input:
    """What can be read once, in a file without a name on disk, so that it can be read again.

    Raises:
        SourceError: There is more of it than `max_bytes`.
    """
    if source.reopenable:
        return source
    with ExitStack() as closing, source.reading() as file:
        spool = closing.enter_context(TemporaryFile())
        left = source.max_bytes
        while piece := file.read(_BUFFER):
            left -= len(piece)
            if left < 0:
                raise SourceError(too_large(source.max_bytes), path=source.name)
            spool.write(piece)
        spool.seek(0)
        closing.pop_all()
    return owned(StreamInput(spool, source.max_bytes, source.name), spool)


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


class _Limited(io.RawIOBase):
    """So many bytes of a file, from where it stands."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file = file
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        chunk = self._file.read(min(len(view), self._left))
        view[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)


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
    except UnicodeDecodeError as error:  # a format that knows the line says so by itself
        msg = f"is not {error.encoding} ({error.reason}): give its encoding, such as 'cp1252'"
        raise SourceError(msg, path=name, line=1) from error


def owned(source: _T, file: IO[bytes]) -> _T:
    """An input whose file is ours, and is closed when nobody has the input any more."""
    finalize(source, file.close)
    return source


def _unopened(error: OSError | ValueError, name: str | None) -> SourceError:
    reason = str(error) if isinstance(error, ValueError) else error.strerror or error
    return SourceError(f"cannot be opened: {reason}", path=name)


def _most(max_bytes: int | None) -> int:
    return MAX_BYTES if max_bytes is None else whole_number("max_bytes", max_bytes)


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
