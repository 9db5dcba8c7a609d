"""Named pipes: they are read once, and waiting for a writer has an end."""

from __future__ import annotations

import io
import os
import select
import stat
from typing import IO, TYPE_CHECKING

from asyncsdk.errors import SourceError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["opened_pipe"]

_PATIENCE = 30.0
"""Seconds in which somebody must begin to write."""


def opened_pipe(path: str | PathLike[str], patience: float = _PATIENCE) -> IO[bytes] | None:
    """The pipe of this name, opened; None if it is anything else.

    Args:
        path: Where it is.
        patience: Seconds to wait for its first byte.

    Raises:
        SourceError: Nobody writes to it.
    """
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116 - any path-like
            return None
        pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None  # whoever opens it as a file says what is wrong
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    if not waiting.poll(patience * 1000):
        os.close(pipe)
        msg = f"is a pipe that nobody has written to for {patience:g} seconds: start the writer"
        raise SourceError(msg, path=os.fsdecode(path))
    os.set_blocking(pipe, True)
    return _Pipe(pipe, os.fsdecode(path))


class _Pipe(io.BufferedReader):
    """What is read from it, under the name that it has."""

    def __init__(self, pipe: int, name: str) -> None:
        super().__init__(io.FileIO(pipe))
        self._name = name

    @property
    def name(self) -> str:
        return self._name
