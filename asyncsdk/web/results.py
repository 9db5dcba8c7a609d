"""What became of the rows of a job, page by page, out of its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.export.reasons import reason_for
from asyncsdk.report import UploadReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncsdk.results import Outcome, PhoneResult

__all__ = ["ResultPage", "RowResult", "page"]


@frozen
class RowResult:
    """What became of one row."""

    index: int
    """0-based among the rows of the list."""
    phone: str
    """As it stands in the list."""
    number: str | None
    """As it was sent, where that differs."""
    outcome: str
    delivery: str
    status: int | None
    reason: str
    attempts: int
    id: int | None
    """Of the created phone."""

    @classmethod
    def of(cls, result: PhoneResult) -> RowResult:
        """A result as it is shown."""
        return cls(
            index=result.index,
            phone=result.phone.phone,
            number=result.number,
            outcome=result.outcome.value,
            delivery=result.delivery.value,
            status=result.status,
            reason="" if result.error is None else reason_for(result),
            attempts=result.attempts,
            id=result.created.id if result.created else None,
        )


@frozen
class ResultPage:
    """Some of the rows of a job that met one fate."""

    total: int
    """How many there are."""
    rows: tuple[RowResult, ...]
    next: int | None
    """The offset of the next page, if there is one."""


def page(journal: Path, outcome: Outcome, offset: int, limit: int) -> ResultPage:
    """Some rows that met a fate; this blocks.

    Args:
        journal: Of the upload.
        outcome: The fate.
        offset: How many to leave out.
        limit: How many at most.

    Raises:
        JournalError: The journal cannot be read.
    """
    kept: Sequence[PhoneResult] = getattr(UploadReport.open(journal), outcome.value)
    total = len(kept)
    rows = tuple(map(RowResult.of, kept[offset : offset + limit]))
    after = offset + len(rows)
    return ResultPage(total, rows, after if after < total else None)
