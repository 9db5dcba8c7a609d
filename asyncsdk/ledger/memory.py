"""The accounts in memory."""

from __future__ import annotations

from attrs import define, field

from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.results import Delivery, Outcome

__all__ = ["Counts", "MemoryLedger"]


@define
class Counts:
    """How many rows met each fate."""

    created: int = 0
    invalid: int = 0
    failed: int = 0
    unknown: int = 0
    """Those of the failed that may be in the group all the same."""

    @property
    def settled(self) -> int:
        """Rows whose fate is known."""
        return self.created + self.invalid + self.failed

    def add(self, entry: Entry) -> None:
        """Count the rows of an entry."""
        rows = len(entry)
        if entry.outcome is Outcome.CREATED:
            self.created += rows
        elif entry.outcome is Outcome.INVALID:
            self.invalid += rows
        else:
            self.failed += rows
            if entry.delivery is Delivery.UNKNOWN:
                self.unknown += rows


@define(eq=False)
class MemoryLedger:
    """Entries in lists, one list per outcome."""

    keep_created: bool = True
    counts: Counts = field(factory=Counts)
    _entries: dict[Outcome, list[Entry]] = field(
        factory=lambda: {outcome: [] for outcome in Outcome}, repr=False
    )

    def count(self, entry: Entry) -> None:
        """Enter these rows in the totals."""
        self.counts.add(entry)

    def retain(self, entry: Entry) -> None:
        """Keep these rows for the report; created ones only if they are wanted."""
        if self.keep_created or entry.outcome is not Outcome.CREATED:
            self._entries[entry.outcome].append(entry)

    def results(self, outcome: Outcome) -> Results:
        """The rows kept so far, in source order."""
        return Results(self._entries[outcome])
