"""How values are stored in a journal, and what they are when they are read.

Requests are kept as they went over the wire. Replies repeat themselves, and are deflated: that
costs as much time as writing the same in full, and a twentieth of the space. With isal
(`asyncsdk[speed]`) it costs a quarter.
"""

from __future__ import annotations

import zlib
from array import array
from typing import TYPE_CHECKING

import msgspec

from asyncsdk.models import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

try:
    from isal.isal_zlib import compress as _compress
except ImportError:
    from zlib import compress as _compress

__all__ = [
    "decode_problem",
    "deflate",
    "encode_problem",
    "inflate",
    "pack_indices",
    "unpack_indices",
]

_decode_problem = msgspec.json.Decoder(Problem).decode


def deflate(reply: bytes | None) -> bytes | None:
    """A reply as it is stored."""
    return None if reply is None else _compress(reply, 1)


def inflate(stored: bytes | None) -> bytes | None:
    """A reply that was stored."""
    return None if stored is None else zlib.decompress(stored)


def encode_problem(problem: Problem | None) -> str | None:
    """A problem as it is stored."""
    return None if problem is None else msgspec.json.encode(problem).decode()


def decode_problem(text: str | None) -> Problem | None:
    """A problem that was stored."""
    return None if text is None else _decode_problem(text)


def pack_indices(indices: Sequence[int]) -> bytes | None:
    """Indices as they are stored; None where they have no gaps."""
    if indices[-1] - indices[0] + 1 == len(indices):
        return None
    return zlib.compress(array("q", indices).tobytes(), 1)


def unpack_indices(first: int, last: int, packed: bytes | None) -> Sequence[int]:
    """Indices that were stored."""
    if packed is None:
        return range(first, last + 1)
    return array("q", zlib.decompress(packed)).tolist()
