"""Rows become batches: numbered, checked, cut by count and by encoded bytes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from attrs import define, evolve, field, frozen

from asyncsdk.errors import SourceError
from asyncsdk.ledger.entry import Entry
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.intake.check import join
from asyncsdk.wire.batch import encode_members, member_of
from asyncsdk.wire.rows import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.upload.intake.check import Checked, Checker, Rejection

__all__ = ["Batches", "Chunk"]

_BRACKETS = 2
"""Bytes of an empty JSON array; each row adds its own length and a comma."""


@frozen
class Chunk:
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
    """What was drawn and is not checked yet; whoever draws adds to it."""
    _parts: list[Checked] = field(factory=list, init=False)
    """What was checked and is in no batch yet."""

    @property
    def read(self) -> int:
        """Rows drawn so far."""
        return self.checked + len(self.piece)

    @property
    def undecided(self) -> int:
        """Rows to be drawn before any may be handed on: they may all be of a kind that is none."""
        return self.checker.undecided

    def check(self) -> None:
        """Turn the piece into rows; the objects it was made of are let go.

        Raises:
            SourceError: The source is no list of phones: what it gave is in no account.
        """
        if not self.piece:
            return
        try:
            part = self.checker.check(self.checked, self.piece)
        except SourceError:
            self.checked -= sum(map(len, self._parts))
            self.piece, self._parts = [], []
            raise
        self._parts.append(part)
        self.checked += len(self.piece)
        self.piece = []

    def cut(self) -> Chunk | None:
        """All that was drawn since the last time, as batches; None if that is nothing."""
        self.check()
        if not self._parts:
            return None
        checked, self._parts = join(self._parts), []
        first = self.read - len(checked)
        batches = list(self.sized(_batch_of(checked))) if checked.numbers else []
        return Chunk(first, checked.source, batches, list(_entries_of(checked.rejected)))

    def recognise(self, first: int, rows: Sequence[object]) -> Checked:
        """Rows that an earlier run drew, as they were submitted; they are in no account here."""
        return self.checker.check(first, rows)

    def fits(self, batch: Batch) -> bool:
        """Whether a batch keeps the limits; one row alone always does."""
        small = len(batch) <= self.size and len(batch.body) <= self.max_bytes
        return small or len(batch) == 1

    def sized(self, batch: Batch) -> Iterator[Batch]:
        """The batch, or the fewest pieces of it that keep the limits."""
        if self.fits(batch):
            yield batch
            return
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
        numbers=checked.numbers,
        submitted=checked.submitted,
    )


def _entries_of(rejected: Sequence[Rejection]) -> Iterator[Entry]:
    """The account of rows that are not sent: local rules rejected them, or their source did."""
    doubtful = [rejection for rejection in rejected if rejection.doubtful]
    if doubtful:
        yield evolve(
            _entry_of(doubtful),
            outcome=Outcome.FAILED,
            delivery=Delivery.UNKNOWN,
            members=None,
            problem=doubtful[0].problem,
        )
    if len(doubtful) < len(rejected):
        yield _entry_of([rejection for rejection in rejected if not rejection.doubtful])


def _entry_of(rejected: Sequence[Rejection]) -> Entry:
    """The account of rows that local rules rejected."""
    changed = any(rejection.submitted != rejection.row.phone for rejection in rejected)
    submitted = [rejection.submitted for rejection in rejected]
    return Entry(
        Outcome.INVALID,
        Delivery.NOT_SENT,
        [rejection.index for rejection in rejected],
        encode_rows([rejection.row for rejection in rejected]),
        submitted=msgspec.json.encode(submitted) if changed else None,
        members=encode_members(member_of(rejection.problem) for rejection in rejected),
    )
