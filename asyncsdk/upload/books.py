"""The books of one run: what became of each row, entered wherever it must be known.

Ledger, timeline, consumer and failure limit are told here and nowhere else, between two states in
which every row is in exactly one place; nothing here awaits in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.ledger.interface import DurableLedger, Resumed
from asyncsdk.timeline import Timeline
from asyncsdk.upload.flights import Stage

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.ledger.run import Run
    from asyncsdk.upload.batch import Batch
    from asyncsdk.upload.channel import Channel
    from asyncsdk.upload.flights import Flight, Flights
    from asyncsdk.upload.intake.batches import Chunk
    from asyncsdk.upload.verdict.decision import Decision

__all__ = ["Books"]

_NOTHING = Resumed()


class Books:
    """Enters rows as they are read, before they leave, as they meet their fate, and at the end.

    Args:
        ledger: Holds the fates, and the totals.
        flights: The batches in hand.
        channel: Takes the fates in the ledger's place where somebody iterates.
        clock: Seconds.
        entered: Called with the fates that were entered, none where rows go out again.
    """

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        channel: Channel | None,
        clock: Callable[[], float],
        entered: Callable[[Sequence[Entry]], None],
    ) -> None:
        self.ledger = ledger
        self._durable = ledger if isinstance(ledger, DurableLedger) else None
        self._flights = flights
        self._channel = channel
        self._clock = clock
        self._entered = entered
        self._closed = False
        self.timeline: Timeline = Timeline(clock())

    @property
    def durable(self) -> bool:
        """Whether a row must be on record before anybody else hears of it."""
        return self._durable is not None

    # -- from beginning to end -------------------------------------------------------------

    async def open(self, totals: Callable[[], Run]) -> Resumed:
        """What an earlier run left; see `DurableLedger.open`."""
        if self._durable is None:
            return _NOTHING
        resumed = await self._durable.open(totals)
        self._flights.resume(resumed.last_key)
        return resumed

    def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        """What earlier runs read; see `DurableLedger.chunks`."""
        assert self._durable is not None  # others have no earlier runs
        return self._durable.chunks()

    async def room(self) -> None:
        """Wait for a slow disk or consumer."""
        if self._durable is not None:
            await self._durable.room()
        if self._channel is not None:
            await self._channel.room()

    def close(self) -> None:
        """From here on nothing is entered any more."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()

    async def close_ledger(self, totals: Run) -> None:
        """Put on record what is not; see `DurableLedger.close`."""
        if self._durable is not None:
            await self._durable.close(totals)

    # -- rows that have no fate yet --------------------------------------------------------

    def read(self, chunk: Chunk) -> list[Flight]:
        """Enter rows that were read; returns those that may be sent, in hand."""
        batches = self._flights.keyed(chunk.batches)
        if self._durable is not None:
            self._durable.read(chunk.first, chunk.source, batches, chunk.rejected)
        flights = [self._flights.add(batch) for batch in batches]
        if chunk.rejected:
            self._record(chunk.rejected)
        return flights

    def exhausted(self) -> None:
        """Enter that the source has no more."""
        if self._durable is not None:
            self._durable.exhausted()

    def baseline(self, ids: array[int]) -> None:
        """Enter the ids that were in the group before the upload."""
        if self._durable is not None:
            self._durable.baseline(ids)

    def existing(self, keys: array[int]) -> None:
        """Enter the numbers that were in the group before the upload, as `Skipping` has them."""
        if self._durable is not None:
            self._durable.existing(keys)

    async def sending(self, batch: Batch) -> None:
        """Return once it is on record that a request with this batch may leave."""
        if self._durable is not None:
            await self._durable.sending(batch)

    def waiting(self, batch: Batch) -> None:
        """Enter that this request will not leave now."""
        if self._durable is not None:
            self._durable.waiting(batch)

    def recut(self, flight: Flight, pieces: Sequence[Batch]) -> list[Flight]:
        """Enter that a batch which was not sent yet was cut into pieces; returns those."""
        return self._replace([flight], again=pieces)

    # -- fates -----------------------------------------------------------------------------

    def settle(self, flights: Sequence[Flight], decision: Decision) -> list[Flight]:
        """Enter what became of the rows of these batches; returns those that go out again."""
        if self._closed:
            return []
        if decision.stop is not None:
            for flight, entry in zip(flights, decision.entries, strict=True):
                self.leave(flight, entry)
            return []
        again = self._replace(
            flights, entries=decision.entries, again=decision.again, doubt=decision.doubt
        )
        self._record(decision.entries)
        return again

    def leave(self, flight: Flight, entry: Entry) -> None:
        """Enter that these rows are left behind, and what is said of them."""
        if self._durable is not None:
            batch = flight.batch
            if entry.problem is not None:
                batch = batch.because(entry.problem, entry.status, entry.request_id)
            self._durable.leave(batch, entry)
        self._flights.close(flight)
        self._record([entry])

    def _replace(
        self,
        flights: Sequence[Flight],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[Batch] = (),
        doubt: Sequence[Batch] = (),
    ) -> list[Flight]:
        if again or doubt:
            again, doubt = self._flights.keyed(again), self._flights.keyed(doubt)
        if self._durable is not None:
            old = [flight.batch.key for flight in flights]
            self._durable.replace(old, entries=entries, again=again, doubt=doubt)
        for flight in flights:
            self._flights.close(flight)
        for batch in doubt:
            self._flights.add(batch, Stage.DOUBTFUL)
        return [self._flights.add(batch, Stage.WAITING) for batch in again]

    def _record(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        if self._closed:
            return
        for entry in entries:
            self.ledger.count(entry)
            self.timeline.settled(self._clock(), len(entry))
            if self._channel is None:
                self.ledger.retain(entry)
            else:
                self._channel.put(entry)
        self._entered(entries)  # of none as well: an answer without a fate is waited for, too
