"""Compressed files (gzip, zstd), recognised by their first bytes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["unpacked"]

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 16


def unpacked(file: io.BufferedReader) -> io.BufferedReader:
    """The file itself, or what is in it if it is compressed.

    Raises:
        OSError: Reading meets bytes that are no such archive.
        ImportError: It is zstd, and what reads that is not installed.
    """
    head = file.peek(len(_ZSTD))[: len(_ZSTD)]
    if head.startswith(_GZIP):
        return io.BufferedReader(_Archive(gzip.GzipFile(fileobj=file), zlib.error), _BUFFER)
    if head == _ZSTD:
        zstd = _zstd()
        return io.BufferedReader(_Archive(zstd.ZstdFile(file), zstd.ZstdError), _BUFFER)
    return file


class _Archive(io.RawIOBase):
    """A decompressed stream whose every fault is an OSError."""

    def __init__(self, file: Any, fault: type[Exception]) -> None:
        self._file = file
        self._faults = (EOFError, OSError, fault)
        self._broken: OSError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._broken is not None:  # it stays so
            raise self._broken
        try:
            return cast("int", self._file.readinto(buffer))
        except self._faults as error:
            self._broken = OSError(f"the archive is damaged or cut short ({error})")
            raise self._broken from error


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
