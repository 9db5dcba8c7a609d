"""Rows become batches: numbered, checked, cut by count and by encoded bytes. Pure."""

from __future__ import annotations

<<<<<<< HEAD
from typing import TYPE_CHECKING
=======
from collections import deque
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from itertools import count, islice
from time import monotonic
from typing import TYPE_CHECKING, Protocol
>>>>>>> L-branch

import msgspec
from attrs import define, evolve, field, frozen

from asyncsdk.ledger.entry import Entry
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.intake.check import join
from asyncsdk.wire.batch import encode_members, encode_rows, member_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.upload.intake.check import Checked, Checker, Rejection

<<<<<<< HEAD
__all__ = ["Batches", "Chunk"]
=======
__all__ = ["Batch", "Batches", "Register", "check_source", "count_on"]

_keys = count(1)


def count_on(last_key: int) -> None:
    """Give new batches keys above this one."""
    global _keys  # noqa: PLW0603 - until the upload counts its batches
    _keys = count(max(next(_keys), last_key + 1))

>>>>>>> L-branch

_BRACKETS = 2
"""Bytes of an empty JSON array; each row adds its own length and a comma."""


@frozen
class Chunk:
    """Rows that follow each other in the source, and what was made of them."""

<<<<<<< HEAD
    first: int
    """The index of the first."""
    source: bytes
    """All of them as submitted, encoded, if the checker says."""
    batches: Sequence[Batch]
    """Those that may be sent."""
    rejected: Sequence[Entry]
    """Those that may not."""
=======
    indices: Sequence[int]
    body: bytes
    """The rows as they are posted."""
    numbers: list[str]
    """The numbers in them."""
    submitted: list[str] | None = None
    """The numbers as submitted, where normalising changed any."""
    attempts: int = 0
    """Requests that carried these rows."""
    failures: int = 0
    """Attempts that count against the retry policy."""
    stale: int = 0
    """Times that a connection was found closed before these rows could leave."""
    doubtful: bool = False
    """Whether an earlier request with these rows may have been processed."""
    status: int | None = None
    """The status last said of these rows while they were refused for now."""
    problem: Problem | None = None
    """The reason last given for these rows not having gone through."""
    request_id: str | None = None
    """The id of the reply that said so."""
    key: int = field(factory=lambda: next(_keys), init=False)
    """Its number, which no other batch of the upload has."""
    _rows: list[Row] | None = field(default=None, init=False)

    @classmethod
    def of(cls, checked: Checked) -> Batch:
        """The rows that were found good."""
        return cls(checked.indices, checked.body, checked.numbers, checked.submitted)

    @classmethod
    def restored(cls, held: Held) -> Batch:
        """A batch that an earlier run left on record; its failures are forgiven."""
        batch = cls(
            held.indices,
            held.body,
            numbers_of(decode_rows(held.body)),
            None if held.submitted is None else msgspec.json.decode(held.submitted),
            attempts=held.attempts,
            doubtful=held.doubtful,
            status=held.status,
            problem=held.problem,
            request_id=held.request_id,
        )
        batch.key = held.key
        return batch

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def rows(self) -> list[Row]:
        """The rows, which only those ask for that have to be split or looked up."""
        if self._rows is None:
            self._rows = decode_rows(self.body)
        return self._rows

    def take(self, positions: Sequence[int]) -> Batch:
        """The rows at these positions, with the same history."""
        if len(positions) == len(self):
            return self
        rows = [self.rows[i] for i in positions]
        return Batch(
            indices=_picked(self.indices, positions),
            body=encode_rows(rows),
            numbers=numbers_of(rows),
            submitted=self.submitted and [self.submitted[i] for i in positions],
            attempts=self.attempts,
            failures=self.failures,
            doubtful=self.doubtful,
            status=self.status,
            problem=self.problem,
            request_id=self.request_id,
        )

    def halves(self) -> tuple[Batch, Batch]:
        """The first and the second half of two or more rows."""
        middle = len(self) // 2
        return self.take(range(middle)), self.take(range(middle, len(self)))

    def because(
        self, problem: Problem, status: int | None = None, request_id: str | None = None
    ) -> Batch:
        """The same batch, with the reason why it has not gone through so far."""
        self.problem, self.status, self.request_id = problem, status, request_id
        return self

    def failed(self, delivery: Delivery) -> Entry:
        """The account of rows that are given up, for the reason last given."""
        return self.entry(
            Outcome.FAILED,
            Delivery.UNKNOWN if self.doubtful else delivery,
            status=self.status,
            problem=self.problem,
            request_id=self.request_id,
        )

    def entry(
        self,
        outcome: Outcome,
        delivery: Delivery,
        *,
        status: int | None = None,
        problem: Problem | None = None,
        members: bytes | None = None,
        request_id: str | None = None,
    ) -> Entry:
        """The account of these rows; arguments as for `Entry`."""
        return Entry(
            outcome,
            delivery,
            self.indices,
            self.body,
            submitted=None if self.submitted is None else msgspec.json.encode(self.submitted),
            members=members,
            status=status,
            problem=problem,
            attempts=self.attempts,
            request_id=request_id,
            batch=self.key,
        )


def _picked(indices: Sequence[int], positions: Sequence[int]) -> Sequence[int]:
    """The indices at these positions; a slice of a range stays a range."""
    if isinstance(positions, range) and positions.step == 1:
        return indices[positions.start : positions.stop]
    return [indices[i] for i in positions]


def check_source(source: object) -> None:
    """Do nothing if phones can be drawn from this.

    Raises:
        ConfigurationError: It is not iterable, or a single text or mapping.
    """
    single = isinstance(source, (str, bytes, Mapping))
    if single or not isinstance(source, (Iterable, AsyncIterable)):
        msg = (
            "phones must be an iterable or async iterable of Phone, mapping or str, "
            f"not {'a single ' if single else ''}{type(source).__name__}"
        )
        raise ConfigurationError(msg)


class Register(Protocol):
    """Who must know what becomes of the rows of a source."""

    def drawn(self, first: int, source: bytes, batches: list[Batch], bad: list[Entry]) -> None:
        """Rows were drawn and cut into batches, but for those that break a local rule.

        Args:
            first: The index of the first.
            source: All of them as submitted, encoded, if the checker tells.
            batches: Those that may be sent.
            bad: Those that may not.
        """

    def exhausted(self) -> None:
        """The source has no more."""

    def recut(self, batch: Batch, pieces: list[Batch]) -> None:
        """A batch that was not sent yet was cut into pieces."""
>>>>>>> L-branch


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

    def check(self) -> None:
        """Turn the piece into rows; the objects it was made of are let go.

        Raises:
            SourceError: Its rows are of a kind that is none.
        """
        piece, self.piece = self.piece, []
        if piece:
            self._parts.append(self.checker.check(self.checked, piece))
            self.checked += len(piece)

    def cut(self) -> Chunk | None:
        """All that was drawn since the last time, as batches; None if that is nothing."""
        self.check()
        if not self._parts:
            return None
        checked, self._parts = join(self._parts), []
        first = self.read - len(checked.numbers) - len(checked.rejected)
        batches = list(self.sized(_batch_of(checked))) if checked.numbers else []
        return Chunk(first, checked.source, batches, list(_entries_of(checked.rejected)))

    def recognise(self, first: int, rows: Sequence[object]) -> Checked:
        """Rows that an earlier run drew, as they were submitted; they are in no account here."""
        return self.checker.check(first, rows)

    def sized(self, batch: Batch) -> Iterator[Batch]:
        """The batch, or the fewest pieces of it that keep the limits."""
        if len(batch) <= self.size and len(batch.body) <= self.max_bytes:
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
