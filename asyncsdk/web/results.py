"""What became of the rows of a job, page by page, out of its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from asyncsdk.export.reasons import reason_for
from asyncsdk.report import UploadReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncsdk.results import Outcome, PhoneResult
    from asyncsdk.sources import Source

__all__ = ["ResultPage", "RowResult", "lines", "page"]


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
    line: int | None = None
    """Where it stands in its file, counted from 1; None where nobody asked, or the file lost it."""
    list: str = ""
    """Which list of the file it is in, where there are several."""

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

    def located(self, places: Sequence[tuple[int, str]]) -> ResultPage:
        """The same with the line and the list of each row, in their order."""
        rows = [
            evolve(row, line=line, list=name)
            for row, (line, name) in zip(self.rows, places, strict=False)
        ]
        return evolve(self, rows=(*rows, *self.rows[len(rows) :]))


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


def lines(source: Source, indices: Sequence[int]) -> list[tuple[int, str]]:
    """The line of each of these rows, and the list that it is in where there are several.

    Args:
        source: The list, which is read as far as they go.
        indices: Ascending.
    """
    several = len(source.parts) > 1
    return [
        (row.line, (row.sheet or row.path or "") if several else "") for row in source.pick(indices)
    ]
