"""Files that are either whole or not there; devices and pipes are written to as they are."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_writable", "placing", "replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str], encoding: str = "utf-8") -> Iterator[IO[str]]:
    """A text file that replaces `path` when the block ends well, and vanishes when not.

    What is there and no plain file (`/dev/null`, a pipe) is not replaced: it is written into.
    """
    with placing(path) as place, _text(place, encoding) as file:
        yield file


@contextmanager
def placing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The same for who opens the file by itself: where to write it."""
    target = Path(path).resolve()  # a link stays one
    if target.exists() and not target.is_file():
        yield target
        return
    name = _beside(target, path)
    try:
        yield Path(name)
        _as_open_would(name)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Do nothing if `replacing` may well write there.

    Raises:
        OSError: It cannot; what is there stays as it is.
    """
    target = Path(path).resolve()
    if not target.exists() or target.is_file():
        Path(_beside(target, path)).unlink()
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))


def _beside(target: Path, path: str | os.PathLike[str]) -> str:
    """A new file in the same folder; an error names the file that was asked for."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    os.close(handle)
    return name


def _text(place: Path, encoding: str) -> IO[str]:
    return place.open("w", encoding=encoding, newline="", errors="replace")


def _as_open_would(name: str) -> None:
    """Give the file the permissions it would have had if `open` had made it."""
    mask = os.umask(0)
    os.umask(mask)
    Path(name).chmod(0o666 & ~mask)
