"""How values are stored in a journal, and what they are when they are read.

Requests are kept as they went over the wire. Replies repeat themselves, and are deflated: that
costs as much time as writing the same in full, and a twentieth of the space. With isal
(`asyncsdk[speed]`) it costs a quarter.
"""

from __future__ import annotations

import zlib
from array import array
from operator import ge
from typing import TYPE_CHECKING

import msgspec

from asyncsdk.ledger.journal.soundness import LARGEST
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

_MOST_OBJECTS = 100
"""Objects in a reply for each row: it says one or two, and one for each rule that was broken."""

_decode_problem = msgspec.json.Decoder(Problem).decode


def deflate(reply: bytes | None) -> bytes | None:
    """A reply as it is stored."""
    return None if reply is None else _compress(reply, 1)


def inflate(stored: bytes | None, rows: int) -> bytes | None:
    """A reply to so many rows that was stored.

    Raises:
        ValueError: It is larger than any such reply.
    """
    if stored is None:
        return None
    reply = _inflated(stored, LARGEST)
    if reply.count(b"{") > _MOST_OBJECTS * (rows + 1):
        msg = "more objects than a reply to these rows has"
        raise ValueError(msg)
    return reply


def _inflated(stored: bytes, most: int) -> bytes:
    """What was deflated; no byte more than `most` is ever in memory."""
    inflater = zlib.decompressobj()
    found = inflater.decompress(stored, most)
    if inflater.unconsumed_tail or not inflater.eof:
        msg = "it is cut off, or too large"
        raise ValueError(msg)
    return found


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


def unpack_indices(first: int, last: int, rows: int, packed: bytes | None) -> Sequence[int]:
    """Indices that were stored.

    Raises:
        ValueError: They are not so many, or do not ascend from the first to the last.
    """
    if packed is None:
        found: Sequence[int] = range(first, last + 1)
    else:
        found = array("q", _inflated(packed, rows * 8 + 1)).tolist()
        if any(map(ge, found, found[1:])) or [*found[:1], *found[-1:]] != [first, last][:rows]:
            msg = "the indices do not ascend"
            raise ValueError(msg)
    if len(found) != rows:
        msg = "there are not as many indices as rows"
        raise ValueError(msg)
    return found
