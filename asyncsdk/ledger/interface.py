"""What an upload enters in its accounts and asks of them, wherever they are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from attrs import field, frozen

from asyncsdk.ledger.run import Counts, Run

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable, Sequence

    from asyncsdk.ledger.entry import Entry, Results
    from asyncsdk.ledger.held import BatchLike, Held
    from asyncsdk.models import Phone
    from asyncsdk.results import Outcome

__all__ = ["DurableLedger", "Ledger", "Resumed"]


@frozen
class Resumed:
    """What an earlier run of the same upload left on record."""

    begun: bool = False
    """Whether there was one."""
    read: int = 0
    """Rows it read from the source."""
    exhausted: bool = False
    """Whether that was all of them."""
    held: Sequence[Held] = ()
    """Batches whose rows have no fate yet."""
    run: Run = field(factory=Run)
    """What it took, and what it had settled."""
    baseline: array[int] | None = None
    """The ids that were in the group before the upload, in order, if they were noted."""
    existing: array[int] | None = None
    """The numbers that were in the group before the upload, if they were noted."""
    last_key: int = 0
    """The highest key of a batch on record: new ones count on from there."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.exhausted and not self.held


class Ledger(ABC):
    """The accounts of an upload: the fate of every row that was read."""

    __slots__ = ()

    counts: Counts
    """How many rows met each fate so far, in earlier runs too."""

    @abstractmethod
    def count(self, entry: Entry) -> None:
        """Add these rows to `counts`."""

    @abstractmethod
    def retain(self, entry: Entry) -> None:
        """Keep these rows for the report; created ones only if they are wanted there."""

    @abstractmethod
    def results(self, outcome: Outcome) -> Results:
        """The rows kept so far, in source order."""

    @abstractmethod
    async def answered(self, wanted: set[int]) -> tuple[set[int], list[Phone]]:
        """Of these ids those that the server answered, and the phones created without an id.

        Raises:
            JournalError: Not all that was answered is on record.
        """


class DurableLedger(Ledger):
    """Accounts that survive the process, and so must know a row before anybody else does.

    An upload enters rows as they are read (`read`), before they leave (`sending`), as they meet
    their fate (`replace`) and when they are given up (`leave`). Whoever hears of a fate can rely
    on it once it is on record, which `flush` waits for.

    The upload numbers its batches (`BatchLike.key`), over all its runs.
    """

    __slots__ = ()

    # -- from beginning to end -------------------------------------------------------------

    @abstractmethod
    async def open(self, totals: Callable[[], Run]) -> Resumed:
        """Begin, or go on where an earlier run stopped.

        Args:
            totals: Gives what the upload took until now; asked now and then until `close`.

        Raises:
            JournalError: It is in use, belongs to another group, is damaged, in doubt, or cannot
                be written.
        """

    @abstractmethod
    async def close(self, run: Run) -> None:
        """Put on record what is not, and how the run ended; nothing more will be entered.

        It is free for others when this returns or raises, a cancellation included.

        Raises:
            JournalError: Not everything could be written.
        """

    # -- rows that have no fate yet --------------------------------------------------------

    @abstractmethod
    def read(
        self, first: int, source: bytes, batches: Sequence[BatchLike], rejected: Sequence[Entry]
    ) -> None:
        """Enter rows that were read from the source, and what was made of them.

        Args:
            first: The index of the first.
            source: All of them as they were read, encoded.
            batches: Those that may be sent; new ones.
            rejected: Those that may not.
        """

    @abstractmethod
    def exhausted(self) -> None:
        """Enter that the source has no more."""

    @abstractmethod
    def baseline(self, ids: array[int]) -> None:
        """Enter the ids that were in the group before the upload."""

    @abstractmethod
    def existing(self, keys: array[int]) -> None:
        """Enter the numbers that were in the group before the upload, each as 64 bits."""

    @abstractmethod
    async def sending(self, batch: BatchLike) -> None:
        """Return once it is on record that a request with this batch may leave.

        Raises:
            JournalError: That cannot be written, or the record is not what it was any more:
                nothing must leave.
        """

    @abstractmethod
    def waiting(self, batch: BatchLike) -> None:
        """Enter that the request of `sending` will not leave now after all."""

    @abstractmethod
    def replace(
        self,
        old: Sequence[int],
        *,
        entries: Sequence[Entry] = (),
        again: Sequence[BatchLike] = (),
        doubt: Sequence[BatchLike] = (),
    ) -> None:
        """Put the fates and the new batches of some rows in the place of their old batches.

        Args:
            old: The keys of the batches that these rows were in.
            entries: Those that met their fate.
            again: Those that are to be sent once more; new ones where `old` has not their key.
            doubt: Those that were sent, and what became of them is not known yet; likewise.
        """

    @abstractmethod
    def leave(self, batch: BatchLike, entry: Entry) -> None:
        """Enter that the upload leaves a batch behind, and what is said of it.

        A later run takes it up again.
        """

    # -- what is on record -----------------------------------------------------------------

    @abstractmethod
    async def room(self) -> None:
        """Return once no more waits to be written than memory should hold.

        Raises:
            JournalError: It cannot be written.
        """

    @abstractmethod
    async def flush(self) -> None:
        """Return once all that was entered is on record, or it is clear that it never will be."""

    @abstractmethod
    def chunks(self) -> AsyncIterator[tuple[int, int, int]]:
        """What earlier runs read, in order: first row, how many, digest."""
