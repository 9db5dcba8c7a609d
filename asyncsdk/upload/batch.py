"""The value that travels through an upload: rows that share a request, and their history."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from asyncsdk.ledger.entry import Entry
from asyncsdk.results import Delivery, Outcome
from asyncsdk.value import Value
from asyncsdk.wire.rows import decode_rows, encode_rows, numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.ledger.held import Held
    from asyncsdk.models import Problem
    from asyncsdk.wire.rows import Row

__all__ = ["Batch"]


class Batch(Value, frozen=True, eq=False, kw_only=True, dict=True):
    """Rows that travel in one request, and what became of earlier requests with them.

    It does not change: what happens to it makes another one, with the same key while it has the
    same rows.
    """

    indices: Sequence[int]
    """Their positions in the source, ascending."""
    body: bytes
    """The rows as they are posted."""
    numbers: bytes
    """The numbers in them, a JSON array: no object for each row lives on while it is under way."""
    submitted: list[str] | None = None
    """The numbers as submitted, where normalising changed any."""
    key: int = 0
    """Its number in this upload and its ledger; 0 as long as neither knows it."""
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

    @classmethod
    def restored(cls, held: Held) -> Batch:
        """A batch that an earlier run left on record; its failures are forgiven."""
        return cls(
            indices=held.indices,
            body=held.body,
            numbers=encode_rows(numbers_of(decode_rows(held.body))),
            submitted=None if held.submitted is None else msgspec.json.decode(held.submitted),
            key=held.key,
            attempts=held.attempts,
            doubtful=held.doubtful,
            status=held.status,
            problem=held.problem,
            request_id=held.request_id,
        )

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows, which only those ask for that have to be split or looked up."""
        return decode_rows(self.body)

    def take(self, positions: Sequence[int]) -> Batch:
        """The rows at these positions, with the same history: a batch that has no key yet."""
        if len(positions) == len(self):
            return self
        rows = [self.rows[i] for i in positions]
        part = self.changed(
            indices=_picked(self.indices, positions),
            body=encode_rows(rows),
            numbers=encode_rows(numbers_of(rows)),
            submitted=self.submitted and [self.submitted[i] for i in positions],
            key=0,
        )
        part.__dict__["rows"] = rows
        return part

    def halves(self) -> tuple[Batch, Batch]:
        """The first and the second half of two or more rows."""
        middle = len(self) // 2
        return self.take(range(middle)), self.take(range(middle, len(self)))

    def because(
        self, problem: Problem, status: int | None = None, request_id: str | None = None
    ) -> Batch:
        """The same, with the reason why it has not gone through so far."""
        return self.changed(problem=problem, status=status, request_id=request_id)

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
            batch=self.key or None,
        )


def _picked(indices: Sequence[int], positions: Sequence[int]) -> Sequence[int]:
    """The indices at these positions; a slice of a range stays a range."""
    if isinstance(positions, range) and positions.step == 1:
        return indices[positions.start : positions.stop]
    return [indices[i] for i in positions]
