"""What becomes of each row, entered wherever it must be known: ledger, timeline, consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.ledger.interface import DurableLedger
from asyncsdk.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.upload.channel import Channel
    from asyncsdk.upload.intake.batches import Batch
    from asyncsdk.upload.verdict.settlement import Settlement

__all__ = ["Accounts"]


class Accounts:
    """The accounts of one run, from its first row to the moment they are closed.

    It is the `Register` of the batches.

    Args:
        ledger: Holds the fates, and the totals.
        channel: Takes them in its place where somebody iterates.
        clock: Seconds.
        entered: Called when something was entered.
    """

    def __init__(
        self,
        ledger: Ledger,
        channel: Channel | None,
        clock: Callable[[], float],
        entered: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._durable = ledger if isinstance(ledger, DurableLedger) else None
        self._channel = channel
        self._clock = clock
        self._entered = entered
        self._closed = False
        self.timeline = Timeline(clock())

    def drawn(self, first: int, source: bytes, batches: list[Batch], bad: list[Entry]) -> None:
        """Rows were drawn from the source; see `Register`."""
        if self._durable is not None:
            self._durable.read(first, source, batches, bad)
        if bad:
            self._record(bad)

    def exhausted(self) -> None:
        """The source has no more."""
        if self._durable is not None:
            self._durable.exhausted()

    def recut(self, batch: Batch, pieces: list[Batch]) -> None:
        """A batch that was not sent yet was cut into pieces."""
        if self._durable is not None:
            self._durable.replace([batch.key], again=pieces)

    def settle(self, old: list[Batch], settlement: Settlement) -> None:
        """Enter what became of the rows of these batches."""
        if settlement.stop is not None:
            for batch, entry in zip(old, settlement.entries, strict=True):
                if self._durable is not None:
                    self._durable.leave(batch, entry)
        elif self._durable is not None:
            self._durable.replace(
                [batch.key for batch in old],
                entries=settlement.entries,
                again=settlement.again,
                doubt=settlement.doubt,
            )
        self._record(settlement.entries)

    def leave(self, batch: Batch, entry: Entry) -> None:
        """Enter that these rows are left behind, and what is said of them."""
        if self._durable is not None:
            self._durable.leave(batch, entry)
        self._record([entry])

    def close(self) -> None:
        """From here on nothing is entered any more."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()

    def _record(self, entries: Iterable[Entry]) -> None:
        if self._closed:
            return
        for entry in entries:
            self._ledger.count(entry)
            self.timeline.settled(self._clock(), len(entry))
            if self._channel is None:
                self._ledger.retain(entry)
            else:
                self._channel.put(entry)
        self._entered()
