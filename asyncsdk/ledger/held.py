"""Batches whose rows have no fate yet: as an upload enters them, and as a later run finds them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from asyncsdk.models import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.results import Delivery

__all__ = ["INTERRUPTED", "BatchLike", "Held", "State"]

INTERRUPTED = Problem("Outcome unknown", "the upload was interrupted while it was under way")


class BatchLike(Protocol):
    """What a ledger reads of a batch; it writes nothing into one."""

    @property
    def key(self) -> int:
        """Its number, which no other batch of the upload has."""

    @property
    def indices(self) -> Sequence[int]:
        """Where its rows stand in the source, ascending."""

    @property
    def body(self) -> bytes:
        """The rows as they are posted."""

    @property
    def submitted(self) -> list[str] | None:
        """The numbers as submitted, where normalising changed any."""

    @property
    def attempts(self) -> int:
        """Requests that carried these rows."""

    @property
    def doubtful(self) -> bool:
        """Whether an earlier request with these rows may have been processed."""

    @property
    def status(self) -> int | None:
        """The status last said of these rows."""

    @property
    def problem(self) -> Problem | None:
        """The reason last given for these rows not having gone through."""

    @property
    def request_id(self) -> str | None:
        """The id of the reply that said so."""

    def __len__(self) -> int: ...


class State(IntEnum):
    """How far a batch came; these numbers are in the file."""

    WAITING = 0
    """No request with it is under way."""
    SENDING = 1
    """A request with it may have left."""
    DOUBTFUL = 2
    """A request with it left, and what became of it is not known."""


@frozen
class Held:
    """A batch as it was found on record; fields as those of `BatchLike`."""

    key: int
    state: State
    indices: Sequence[int]
    body: bytes
    submitted: bytes | None
    attempts: int
    doubtful: bool
    status: int | None
    problem: Problem | None
    request_id: str | None
    delivery: Delivery | None
    """What was said of it when the upload ended; None if it never came to that."""
