"""What goes through the pipes between us and a child: a kind, a length, and that many bytes."""

from __future__ import annotations

import struct
from typing import IO

__all__ = ["END", "FAULT", "GIVEN", "LACKING", "MAX_FRAME", "read_frame", "write_frame"]

GIVEN, END, FAULT, LACKING = range(4)
"""A value or a piece of the file; its end; what is wrong with the file; what is not installed."""
MAX_FRAME = 1 << 26
"""Bytes of one frame: a child that says more is not believed."""

_HEAD = struct.Struct(">BI")


def write_frame(pipe: IO[bytes], kind: int, raw: bytes) -> None:
    """One frame, which may stay in the buffer of the pipe."""
    pipe.write(_HEAD.pack(kind, len(raw)))
    pipe.write(raw)


def read_frame(pipe: IO[bytes]) -> tuple[int, bytes] | None:
    """The next frame; None where the other side is gone, or says what makes no sense."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    if length > MAX_FRAME:
        return None
    raw = pipe.read(length)
    return (kind, raw) if len(raw) == length else None
