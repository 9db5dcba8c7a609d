"""Reports made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk import Delivery, Outcome, Phone, Problem, StoppedBy, UploadReport, Violation
from asyncsdk.ledger.entry import Entry
from asyncsdk.ledger.memory import MemoryLedger
from asyncsdk.report import Run
from asyncsdk.results import IN_GROUP
from asyncsdk.wire.rows import encode_rows, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

REFUSED = Problem("Invalid phone", violations=(Violation("phone", "is too long", "too-long"),))
LOST = Problem("Outcome unknown", "the connection was lost")


def created_entry(indices: Sequence[int]) -> Entry:
    """Created phones, with the id 100 + index."""
    members = [{"status": 201, "body": {"id": str(100 + i), "phone": f"+49{i}"}} for i in indices]
    return Entry(
        Outcome.CREATED,
        Delivery.ANSWERED,
        indices,
        rows_sent(indices),
        members=msgspec.json.encode({"hydra:member": members}),
        attempts=1,
        request_id="r" * 32,
    )


def invalid_entry(indices: Sequence[int]) -> Entry:
    return Entry(Outcome.INVALID, Delivery.NOT_SENT, indices, rows_sent(indices), problem=REFUSED)


def failed_entry(indices: Sequence[int], delivery: Delivery = Delivery.UNKNOWN) -> Entry:
    return Entry(Outcome.FAILED, delivery, indices, rows_sent(indices), problem=LOST, attempts=2)


def skipped_entry(indices: Sequence[int], problem: Problem = IN_GROUP) -> Entry:
    return Entry(Outcome.SKIPPED, Delivery.NOT_SENT, indices, rows_sent(indices), problem=problem)


def rows_sent(indices: Sequence[int]) -> bytes:
    return encode_rows(rows_of([Phone(f"+49{i}", a=f"row {i}") for i in indices]))


def report_of(
    *entries: Entry,
    elapsed: float = 1.5,
    throttled: float = 0.0,
    complete: bool = True,
) -> UploadReport:
    """The report of an upload that had these results."""
    ledger = MemoryLedger()
    for entry in entries:
        ledger.count(entry)
        ledger.retain(entry)
    run = Run(
        ledger.counts,
        requests=3,
        retries=1,
        throttled=throttled,
        elapsed=elapsed,
        complete=complete,
        stopped_by=None if complete else StoppedBy.STOP,
    )
    return UploadReport(run, ledger.results)
