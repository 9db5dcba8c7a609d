"""The totals of an upload: how many rows met each fate, and what that took."""

from __future__ import annotations

import msgspec
from attrs import define

from asyncsdk.ledger.entry import Entry
from asyncsdk.results import WOULD_BE_SENT, Delivery, Outcome, StoppedBy
from asyncsdk.timeline import History
from asyncsdk.value import Value

__all__ = ["Counts", "Run"]


@define
class Counts:
    """How many rows met each fate."""

    created: int = 0
    invalid: int = 0
    failed: int = 0
    unknown: int = 0
    """Those of the failed that may be in the group all the same."""
    skipped: int = 0
    would_be_sent: int = 0
    """Those of the skipped that a dry run would have sent."""

    @property
    def settled(self) -> int:
        """Rows whose fate is known."""
        return self.created + self.invalid + self.failed + self.skipped

    @property
    def bad(self) -> int:
        """Rows that were to be created and were not."""
        return self.invalid + self.failed

    def copy(self) -> Counts:
        """The same, which stand still."""
        return Counts(
            self.created, self.invalid, self.failed, self.unknown, self.skipped, self.would_be_sent
        )

    def add(self, entry: Entry) -> None:
        """Count the rows of an entry."""
        self.add_rows(entry.outcome, entry.delivery, len(entry))
        if entry.outcome is Outcome.SKIPPED and entry.problem == WOULD_BE_SENT:
            self.would_be_sent += len(entry)

    def add_rows(self, outcome: Outcome, delivery: Delivery, rows: int) -> None:
        """Count so many rows of the same fate."""
        if outcome is Outcome.CREATED:
            self.created += rows
        elif outcome is Outcome.INVALID:
            self.invalid += rows
        elif outcome is Outcome.SKIPPED:
            self.skipped += rows
        else:
            self.failed += rows
            if delivery is Delivery.UNKNOWN:
                self.unknown += rows


class Run(Value, frozen=True):
    """The totals of one upload, over all its runs where a journal let it go on."""

    counts: Counts = msgspec.field(default_factory=Counts)
    requests: int = 0
    retries: int = 0
    throttled: float = 0.0
    elapsed: float = 0.0
    complete: bool = True
    stopped_by: StoppedBy | None = None
    batches: int = 0
    bytes: int = 0
    history: tuple[History, ...] = ()
    """What happened when, run by run; empty where nobody noted it."""
    group_id: int | None = None
    """The group that was uploaded into; None where that is not known."""
    dry_run: bool = False
    """Whether nothing was to be sent."""
