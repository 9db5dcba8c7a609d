"""Compressed files (gzip, zstd), recognised by their first bytes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from typing import TYPE_CHECKING, Any, cast

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import too_large

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["is_packed", "unpacked"]

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 16


def is_packed(file: io.BufferedReader) -> bool:
    """Whether this is compressed, without using up any of it."""
    return _head(file).startswith((_GZIP, _ZSTD))


def unpacked(file: io.BufferedReader, max_bytes: int, name: str | None) -> io.BufferedReader:
    """The file itself, or what is in it if it is compressed.

    Args:
        file: At its beginning.
        max_bytes: Bytes that it may unpack to: reading beyond them is a `SourceError`.
        name: Of the file, for that error.

    Raises:
        OSError: Reading meets bytes that are no such archive.
        ImportError: It is zstd, and what reads that is not installed.
    """
    head = _head(file)
    if head.startswith(_GZIP):
        opened = _Archive(gzip.GzipFile(fileobj=file), zlib.error, max_bytes, name)
    elif head == _ZSTD:
        zstd = _zstd()
        opened = _Archive(zstd.ZstdFile(file), zstd.ZstdError, max_bytes, name)
    else:
        return file
    return io.BufferedReader(opened, _BUFFER)


def _head(file: io.BufferedReader) -> bytes:
    return file.peek(len(_ZSTD))[: len(_ZSTD)]


class _Archive(io.RawIOBase):
    """A decompressed stream whose every fault is an OSError, and which has an end."""

    def __init__(self, file: Any, fault: type[Exception], max_bytes: int, name: str | None) -> None:
        self._file = file
        self._faults = (EOFError, OSError, fault)
        self._broken: Exception | None = None
        self._left = max_bytes
        self._beyond = SourceError(too_large(max_bytes), path=name)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._broken is not None:  # it stays so
            raise self._broken
        try:
            size = cast("int", self._file.readinto(buffer))
        except self._faults as error:
            self._broken = OSError(f"the archive is damaged or cut short ({error})")
            raise self._broken from error
        self._left -= size
        if self._left < 0:
            self._broken = self._beyond
            raise self._broken
        return size


def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        msg = "reading .zst needs backports.zstd: pip install 'asyncsdk[files]'"
        raise ImportError(msg) from error
    return zstd
