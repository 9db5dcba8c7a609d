"""Rows that were checked, piece by piece, become what is sent together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.value import Value
from asyncsdk.wire.rows import (
    Row,
    decode_numbers,
    encode_rows,
    join_rows,
    number_rows,
    numbers_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.models import Problem

__all__ = ["Checked", "Flawless", "Piece", "Rejection", "any_blank", "joined", "rows_in", "tight"]

Flawless = list[Row] | bytes
"""Rows; the numbers of rows that have nothing else, as a JSON array."""


class Rejection(Value, frozen=True):
    """A row that is not sent, and why."""

    index: int
    row: Row
    """What could be made of it: a value that is no text stands as its text."""
    problem: Problem
    submitted: str
    """The number as submitted; the row has it in normal form where that was found."""
    doubtful: bool = False
    """Whether its source holds it back because it may be in the group."""
    skipped: bool = False
    """Whether nothing is wrong with it: its number is one that is not to be sent."""


class Piece(Value, frozen=True):
    """The rows of one chunk that may be sent, and those that may not."""

    indices: Sequence[int]
    rows: Flawless
    """Those that may be sent."""
    submitted: list[str] | None = None
    """The numbers as submitted, where normalising changed any."""
    rejected: Sequence[Rejection] = ()
    source: bytes | None = None
    """All rows as they were submitted, encoded, if that was asked for, else empty; None where all
    may be sent as they are."""

    def __len__(self) -> int:
        return len(self.indices) + len(self.rejected)


class Checked(Value, frozen=True):
    """The same of one or more chunks, encoded: the garbage collector need not look at that."""

    indices: Sequence[int]
    texts: bytes
    """The numbers of the rows that may be sent, a JSON array."""
    body: bytes
    """They themselves."""
    submitted: list[str] | None
    """The numbers as submitted, where normalising changed any."""
    rejected: Sequence[Rejection]
    source: bytes
    """All rows as they were submitted, if that was asked for."""

    def __len__(self) -> int:
        return len(self.indices) + len(self.rejected)

    @property
    def numbers(self) -> list[str]:
        """The numbers of those that may be sent."""
        return decode_numbers(self.texts)


def joined(pieces: Sequence[Piece]) -> Checked:
    """One chunk of several that follow each other.

    Raises:
        UnicodeEncodeError: As for `encode_rows`.
    """
    if pieces and not [piece for piece in pieces if piece.source is not None]:
        texts, body = _encoded([piece.rows for piece in pieces])
        indices = range(pieces[0].indices[0], pieces[-1].indices[-1] + 1)
        return Checked(indices, texts, body, None, (), source=body)
    sent = [piece for piece in pieces if piece.indices]
    texts, body = _encoded([piece.rows for piece in sent])
    return Checked(
        _indices([piece.indices for piece in sent]),
        texts,
        body,
        _submitted(sent),
        [rejection for piece in pieces for rejection in piece.rejected],
        _source(pieces),
    )


def _encoded(parts: Sequence[Flawless]) -> tuple[bytes, bytes]:
    """The numbers of these rows, and they themselves."""
    bare = [part for part in parts if isinstance(part, bytes)]
    if bare and len(bare) == len(parts):
        numbers = bare[0] if len(bare) == 1 else join_rows(bare)
        return numbers, number_rows(numbers)
    rows: list[Row] = []
    for part in parts:
        rows += rows_in(part)
    return encode_rows(numbers_of(rows)), encode_rows(rows)


def rows_in(part: Flawless) -> list[Row]:
    """The rows of a part."""
    return part if isinstance(part, list) else [Row(number) for number in decode_numbers(part)]


def any_blank(numbers: bytes) -> bool:
    """Whether any of these has nothing but blanks."""
    if numbers.isascii() and b" " not in numbers and b"\\" not in numbers:
        return False  # other blanks are escaped
    return any(map(str.isspace, decode_numbers(numbers)))


def _submitted(sent: Sequence[Piece]) -> list[str] | None:
    if all(piece.submitted is None for piece in sent):
        return None
    return [text for piece in sent for text in piece.submitted or numbers_of(rows_in(piece.rows))]


def _source(pieces: Sequence[Piece]) -> bytes:
    """All rows of these as they were submitted, if each of them knows that."""
    if any(piece.source == b"" for piece in pieces):
        return b""
    return join_rows(
        _encoded([piece.rows])[1] if piece.source is None else piece.source for piece in pieces
    )


def _indices(parts: Sequence[Sequence[int]]) -> Sequence[int]:
    """Ascending indices one after the other; a range where there are no gaps."""
    if not parts:
        return ()
    first, last = parts[0][0], parts[-1][-1]
    if last - first + 1 == sum(map(len, parts)):
        return range(first, last + 1)
    return [index for part in parts for index in part]


def tight(indices: list[int]) -> Sequence[int]:
    """A range where there are no gaps."""
    if indices and indices[-1] - indices[0] + 1 == len(indices):
        return range(indices[0], indices[-1] + 1)
    return indices
