"""Rows become batches: numbered, checked, cut by count and by encoded bytes. Pure."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec
from attrs import define, field

from asyncsdk.errors import SourceError
from asyncsdk.ledger.entry import Entry
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.batch import Batch
from asyncsdk.value import Value
from asyncsdk.wire.batch import encode_members, member_of
from asyncsdk.wire.rows import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.models import Problem
    from asyncsdk.upload.intake.check import Checker
    from asyncsdk.upload.intake.pieces import Checked, Piece, Rejection

__all__ = ["Batches", "Chunk"]

_PATIENCE = 20
"""Batches of rows that are drawn at most until there is one to be sent: where few of a list are to
be, they would leave in as many small requests."""
_BRACKETS = 2
"""Bytes of an empty JSON array; each row adds its own length and a comma."""


class Chunk(Value, frozen=True):
    """Rows that follow each other in the source, and what was made of them."""

    first: int
    """The index of the first."""
    source: bytes
    """All of them as submitted, encoded, if the checker says."""
    batches: Sequence[Batch]
    """Those that may be sent."""
    rejected: Sequence[Entry]
    """Those that may not."""


@define(eq=False)
class Batches:
    """Takes rows in pieces and gives them as batches.

    Every row that was drawn is in the piece, among what is checked, or in a chunk that was given.
    """

    checker: Checker
    size: int
    """Rows per batch at most; may be lowered at any time."""
    max_bytes: int
    checked: int = field(default=0, init=False)
    """Rows checked so far, or passed over because an earlier run drew them."""
    piece: list[object] = field(factory=list, init=False)
    """What was drawn and is not checked yet; whoever draws adds to it, to this very list."""
    _parts: list[Piece] = field(factory=list, init=False)
    """What was checked and is in no batch yet; of those that may not be sent only how many."""
    _rejected: list[Entry] = field(factory=list, init=False)
    """Those that may not, as compact as they are kept."""

    @property
    def read(self) -> int:
        """Rows drawn so far."""
        return self.checked + len(self.piece)

    @property
    def undecided(self) -> int:
        """Rows to be drawn before any may be handed on: they may all be of a kind that is none."""
        return self.checker.undecided

    def missing(self, end: int) -> int:
        """Rows to be drawn until a batch is full, or so many were drawn that it will not be.

        Args:
            end: Where the batch ends if all of its rows may be sent.
        """
        read = self.checked + len(self.piece)
        if read < end:
            return end - read
        if self.checker.undecided:
            return self.checker.undecided
        if self.checker.skipping is None or read >= end + (_PATIENCE - 1) * self.size:
            return 0
        return max(0, self.size - sum(len(part.indices) for part in self._parts))

    def check(self) -> None:
        """Turn the piece into rows; the objects it was made of are let go.

        Raises:
            SourceError: The source is no list of phones: what it gave is in no account.
        """
        if not self.piece:
            return
        try:
            part = self.checker.look(self.checked, self.piece.copy())
        except SourceError:
            self.checked -= sum(map(len, self._parts)) + sum(map(len, self._rejected))
            self._parts, self._rejected = [], []
            self.piece.clear()
            raise
        if part.rejected:
            self._rejected += _entries_of(part.rejected)
            part = part.changed(rejected=())
        self._parts.append(part)
        self.checked += len(self.piece)
        self.piece.clear()

    def cut(self) -> Chunk | None:
        """All that was drawn since the last time, as batches; None if that is nothing."""
        self.check()
        if not self._parts:
            return None
        checked, self._parts = self.checker.join(self._parts), []
        rejected, self._rejected = self._rejected, []
        first = self.checked - len(checked) - sum(map(len, rejected))
        if checked.rejected:
            rejected += _entries_of(checked.rejected)
        batches = self.sized(_batch_of(checked)) if checked.indices else []
        return Chunk(first, checked.source, batches, rejected)

    def recognise(self, first: int, rows: Sequence[object]) -> Piece:
        """Rows that an earlier run drew, to be joined; they are in no account here."""
        return self.checker.look(first, rows)

    def fits(self, batch: Batch) -> bool:
        """Whether a batch keeps the limits; one row alone always does."""
        rows = len(batch.indices)
        return (rows <= self.size and len(batch.body) <= self.max_bytes) or rows == 1

    def sized(self, batch: Batch) -> list[Batch]:
        """The batch, or the fewest pieces of it that keep the limits."""
        return [batch] if self.fits(batch) else list(self._pieces(batch))

    def _pieces(self, batch: Batch) -> Iterator[Batch]:
        start, length = 0, _BRACKETS
        for position, row in enumerate(batch.rows):
            more = len(encode_rows(row)) + 1
            if position > start and (
                position - start >= self.size or length + more > self.max_bytes
            ):
                yield batch.take(range(start, position))
                start, length = position, _BRACKETS
            length += more
        yield batch.take(range(start, len(batch)))


def _batch_of(checked: Checked) -> Batch:
    """The rows that were found good."""
    return Batch(
        indices=checked.indices,
        body=checked.body,
        numbers=checked.texts,
        submitted=checked.submitted,
    )


def _entries_of(rejected: Sequence[Rejection]) -> Iterator[Entry]:
    """The account of rows that are not sent, an entry for each fate; those are few."""
    fates: dict[tuple[bool, bool, bool], list[Rejection]] = {}
    for one in rejected:
        fates.setdefault((one.doubtful, one.skipped, one.problem.in_group), []).append(one)
    for (doubtful, skipped, in_group), rows in fates.items():
        if doubtful:
            yield _entry_of(rows, Outcome.FAILED, Delivery.UNKNOWN, rows[0].problem)
        elif skipped:
            shared = rows[0].problem if in_group else None
            yield _entry_of(rows, Outcome.SKIPPED, Delivery.NOT_SENT, shared)
        else:
            yield _entry_of(rows, Outcome.INVALID, Delivery.NOT_SENT)


def _entry_of(
    rejected: Sequence[Rejection],
    outcome: Outcome,
    delivery: Delivery,
    shared: Problem | None = None,
) -> Entry:
    """The account of rows with one fate; each has its own problem where they share none."""
    changed = any(rejection.submitted != rejection.row.phone for rejection in rejected)
    submitted = [rejection.submitted for rejection in rejected]
    members = None
    if shared is None:
        members = encode_members(member_of(rejection.problem) for rejection in rejected)
    return Entry(
        outcome,
        delivery,
        _positions([rejection.index for rejection in rejected]),
        encode_rows([rejection.row for rejection in rejected]),
        submitted=msgspec.json.encode(submitted) if changed else None,
        members=members,
        problem=shared,
    )


def _positions(indices: list[int]) -> Sequence[int]:
    """A range where there are no gaps, else eight bytes for each."""
    if indices[-1] - indices[0] + 1 == len(indices):
        return range(indices[0], indices[-1] + 1)
    return array("q", indices)
