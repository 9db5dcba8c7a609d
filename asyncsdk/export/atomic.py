"""Files that are either whole or not there; devices and pipes are written to as they are."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["placing", "replacing"]


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
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        yield Path(name)
        _as_open_would(name)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _text(place: Path, encoding: str) -> IO[str]:
    return place.open("w", encoding=encoding, newline="", errors="replace")


def _as_open_would(name: str) -> None:
    """Give the file the permissions it would have had if `open` had made it."""
    mask = os.umask(0)
    os.umask(mask)
    Path(name).chmod(0o666 & ~mask)
