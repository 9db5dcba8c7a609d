"""What a result is as a row of a table, said once for all formats; and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.export.reasons import naming_first, same_number
from asyncsdk.ledger.account import outcomes
from asyncsdk.models import FIELDS, CreatedPhone, Phone, Problem, Violation
from asyncsdk.results import IN_GROUP, WOULD_BE_SENT, Delivery, Outcome, PhoneResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asyncsdk.ledger.account import Only, UploadAccount

__all__ = ["COLUMNS", "NUMBERS", "UNREAD", "result_of", "rows", "unread", "whole_number"]

UNREAD = "unread"
"""The outcome of rows that the upload did not come to."""

COLUMNS = (
    *("index", *FIELDS, "number", "outcome", "status", "id", "reason", "duplicate_of"),
    *("delivery", "attempts", "request_id", "group"),
)
"""The phone as submitted, then what became of it."""
NUMBERS = frozenset({"index", "status", "id", "attempts", "duplicate_of", "group"})
"""Those of them that hold whole numbers; the others hold texts."""


def rows(account: UploadAccount, only: Only = None) -> Iterator[tuple[object, ...]]:
    """The cells of each result under `COLUMNS`; None where there is nothing to say."""
    group_id = account.group_id
    for result in account.results(only):
        yield (*_cells(result), group_id)


def unread(account: UploadAccount, only: Only = None) -> dict[str, object] | None:
    """One more row, for all that an upload did not come to: cells by their columns.

    Its index is that of the first of them. None if there are none, or failed phones are not wanted.
    """
    if account.unread_from is None or Outcome.FAILED not in outcomes(only):
        return None
    stopped_by = account.stopped_by or "stopped"
    return {
        "index": account.unread_from,
        "phone": "",
        "outcome": UNREAD,
        "reason": f"the upload ended ({stopped_by}) before this row and all after it",
        "delivery": Delivery.NOT_SENT.value,
        "attempts": 0,
        "group": account.group_id,
    }


def result_of(row: Mapping[str, Any]) -> PhoneResult:
    """The result that a row was made of.

    Raises:
        ValueError: A cell does not hold what belongs there; likewise `KeyError`, `TypeError`.
    """
    created = row["outcome"] == Outcome.CREATED
    return PhoneResult(
        index=int(row["index"]),
        phone=Phone(row["phone"] or "", *(row[name] for name in FIELDS[1:])),
        outcome=Outcome(row["outcome"]),
        status=whole_number(row["status"]),
        created=CreatedPhone(whole_number(row["id"]), row["number"]) if created else None,
        error=None if created else _problem(row),
        delivery=Delivery(row["delivery"]),
        attempts=int(row["attempts"]),
        request_id=row["request_id"],
        number=row["number"],
    )


def whole_number(cell: Any) -> int | None:
    """The number in a cell of any format, or None."""
    return None if cell is None else int(cell)


def _cells(result: PhoneResult) -> tuple[object, ...]:
    error = result.error
    return (
        result.index,
        *(getattr(result.phone, name) for name in FIELDS),
        result.number,
        result.outcome.value,
        result.status,
        result.created.id if result.created else None,
        str(naming_first(error)) if error else None,
        error.duplicate_of if error else None,
        result.delivery.value,
        result.attempts,
        result.request_id,
    )


_SKIPPED = {str(problem): problem for problem in (IN_GROUP, WOULD_BE_SENT)}
"""What says more than its words: a table has these alone."""


def _problem(row: Mapping[str, Any]) -> Problem:
    first, reason = whole_number(row["duplicate_of"]), row["reason"] or ""
    if row["outcome"] == Outcome.SKIPPED and reason in _SKIPPED:
        return _SKIPPED[reason]
    if first is None:
        return Problem(detail=reason)
    twin = Violation("phone", same_number("an earlier row"), "duplicate", duplicate_of=first)
    return Problem(detail=reason, violations=(twin,))
