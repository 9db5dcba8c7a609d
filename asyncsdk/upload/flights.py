"""Every batch in hand: one place for each, from its reading to its entry in the ledger.

Whatever ends an upload, this map closes the accounts: a batch that is in it has no fate yet.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.http.exchange import Attempt
from asyncsdk.models import Problem
from asyncsdk.results import Delivery

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator

    from asyncsdk.http.exchange import Reply
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.batch import Batch

__all__ = ["Flight", "Flights", "Stage"]

_INTERRUPTED = Problem("Outcome unknown", "the upload ended while these phones were under way")
_NOT_SENT = Problem("Not sent", "the upload ended before these phones were sent")


class Stage(Enum):
    """How far a batch is."""

    READY = auto()
    """It waits for a worker."""
    WAITING = auto()
    """A worker has it, and waits: for its permit, or before it goes out again."""
    UNDER_WAY = auto()
    """Its request may leave, or has left."""
    LANDED = auto()
    """Its request was answered, and nobody has looked at the reply yet."""
    DOUBTFUL = auto()
    """It was sent without an answer, and is to be looked up."""
    CLOSED = auto()
    """Its rows are in the ledger, or in other batches."""


@define(eq=False)
class Flight:
    """One batch and where it is."""

    batch: Batch
    stage: Stage = Stage.READY
    attempt: Attempt = field(factory=Attempt)
    """The request with it."""
    reply: Reply | None = None
    """What came back, while it has landed."""
    task: asyncio.Task[object] | None = None
    """The worker that waits for its reply."""

    @property
    def waits(self) -> bool:
        """Whether a worker has it that waits for its permit, or for its place before that."""
        attempt = self.attempt
        return self.stage is Stage.WAITING and not (attempt.begun or attempt.permitted)

    def abandon(self) -> Entry:
        """The account of rows that the end of their upload leaves without a fate.

        A request that has not left is withdrawn: it never will.
        """
        if self.stage is Stage.DOUBTFUL:
            return self.batch.failed(Delivery.UNKNOWN)
        if self.attempt.left:
            return self.batch.because(_INTERRUPTED).failed(Delivery.UNKNOWN)
        self.attempt.withdrawn = True
        batch = self.batch if self.batch.problem else self.batch.because(_NOT_SENT)
        return batch.failed(Delivery.NOT_SENT)


class Flights:
    """The batches in hand, by their keys."""

    def __init__(self) -> None:
        self._flights: dict[int, Flight] = {}
        self._keys = count(1)

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._flights.values()))

    def resume(self, last_key: int) -> None:
        """Give no keys that an earlier run gave."""
        self._keys = count(last_key + 1)

    def keyed(self, batches: Iterable[Batch]) -> list[Batch]:
        """The same batches, each with a key of its own."""
        return [batch if batch.key else batch.changed(key=next(self._keys)) for batch in batches]

    def add(self, batch: Batch, stage: Stage = Stage.READY) -> Flight:
        """Take a batch that has a key in hand."""
        assert batch.key not in self._flights  # it would be in two places
        flight = self._flights[batch.key] = Flight(batch, stage)
        return flight

    def close(self, flight: Flight) -> None:
        """Let go of a batch: its rows are in the ledger, or in other batches."""
        flight.stage = Stage.CLOSED
        del self._flights[flight.batch.key]

    @property
    def requests(self) -> int:
        """Requests under way."""
        return sum(flight.stage is Stage.UNDER_WAY for flight in self._flights.values())

    @property
    def phones(self) -> int:
        """Phones in them."""
        return sum(
            len(flight.batch)
            for flight in self._flights.values()
            if flight.stage is Stage.UNDER_WAY
        )

    @property
    def doubtful(self) -> list[Flight]:
        """Those to be looked up."""
        return [flight for flight in self if flight.stage is Stage.DOUBTFUL]
