"""The rows that were not created, each with its line, its cells and the reason."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import IO, TYPE_CHECKING

from attrs import frozen

from asyncsdk.cli.shown import visible
from asyncsdk.export.atomic import replacing
from asyncsdk.results import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import CsvSource, Row

__all__ = ["COLUMNS", "UNREAD", "Rejected", "rejected_rows", "write_rejects"]

COLUMNS = ("line", "outcome", "delivery", "reason")
"""What a rejects file puts before the columns of the input."""
UNREAD = "unread"
"""The outcome of rows that the upload did not come to."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@frozen
class Rejected:
    """A row that was not created."""

    line: int | None
    """1-based in the file; None if the file lost the row since."""
    index: int
    phone: str
    outcome: str
    delivery: str
    reason: str
    status: int | None
    cells: Sequence[str]
    """The row as it stands in the file."""

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "line": self.line,
            "index": self.index,
            "phone": self.phone,
            "outcome": self.outcome,
            "delivery": self.delivery,
            "status": self.status,
            "reason": self.reason,
        }


def rejected_rows(source: CsvSource, report: UploadReport) -> Iterator[Rejected]:
    """Every row that was not created, in the order of the file, which is read once more.

    Those that the upload did not come to are among them: what is yielded is all that is missing.
    """
    results = merge(report.invalid, report.failed, key=attrgetter("index"))
    result = next(results, None)
    if result is None and report.complete:
        return
    lines = _Lines(report)
    for row in source.rows():
        lines.note(row)
        if result is not None and row.index == result.index:
            yield _settled(source, row, result, lines)
            result = next(results, None)
        elif not report.complete and row.index >= report.submitted:
            yield _unread(source, row)
        elif result is None and report.complete:
            return
    # The file lost rows since it was sent: the account still has them.
    for lost in chain([result] if result else [], results):
        yield _settled(source, None, lost, lines)


def write_rejects(path: Path, source: CsvSource, rows: Iterator[Rejected]) -> int:
    """Write a file that can be mended and uploaded again; returns the number of rows.

    It is written the way the input was, with `COLUMNS` before its columns, as UTF-8 with a byte
    order mark, which spreadsheets need to see.
    """
    again = source.columns[: len(COLUMNS)] == COLUMNS
    skip = len(COLUMNS) if again else 0
    count = 0
    with _opened(path) as file:
        writer = csv.writer(
            file, delimiter=source.dialect.delimiter, quotechar=source.dialect.quotechar or '"'
        )
        writer.writerow([*COLUMNS, *source.columns[skip:]])
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            told = [row.line, row.outcome, row.delivery, _inert(row.reason)]
            writer.writerow([*told, *row.cells[skip:]])
    return count


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Replaces a file only once the new one is whole; writes straight into a device or pipe."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    else:
        with replacing(path, "utf-8-sig") as file:
            yield file


def _inert(reason: str) -> str:
    """No spreadsheet takes the reason for a formula. The input's own cells stay as they were."""
    return f"'{reason}" if reason.startswith(_FORMULA) else reason


class _Lines:
    """The lines of the rows that later ones are duplicates of: people count lines, not indices."""

    def __init__(self, report: UploadReport) -> None:
        self._wanted = {at for at in map(_duplicate_of, report.invalid) if at is not None}
        self._lines: dict[int, int] = {}

    def note(self, row: Row) -> None:
        """Remember a row's line if it is wanted; each row comes before its duplicates."""
        if row.index in self._wanted:
            self._lines[row.index] = row.line

    def told(self, result: PhoneResult) -> str:
        """Why a phone was not created."""
        if result.error is None:
            return f"HTTP {result.status or 'reply missing'}"
        reason = str(result.error)
        earlier = _duplicate_of(result)
        if earlier is None or earlier not in self._lines:
            return reason
        return reason.replace(f"row {earlier}", f"line {self._lines[earlier]}")


def _duplicate_of(result: PhoneResult) -> int | None:
    """The index of the row that has the same number, if that is why it was rejected."""
    return result.error.duplicate_of if result.error else None


def _settled(source: CsvSource, row: Row | None, result: PhoneResult, lines: _Lines) -> Rejected:
    return Rejected(
        line=row.line if row else None,
        index=result.index,
        phone=result.phone.phone,
        outcome=result.outcome.value,
        delivery=result.delivery.value,
        reason=visible(lines.told(result) + _misread(source, row)),
        status=result.status,
        cells=row.cells if row else _cells(source, result),
    )


def _unread(source: CsvSource, row: Row) -> Rejected:
    at = source.mapping["phone"].position
    return Rejected(
        line=row.line,
        index=row.index,
        phone=row.cells[at] if at < len(row.cells) else "",
        outcome=UNREAD,
        delivery=Delivery.NOT_SENT.value,
        reason="the upload ended before this row",
        status=None,
        cells=row.cells,
    )


def _misread(source: CsvSource, row: Row | None) -> str:
    """A hint where the row itself is broken."""
    if row is None:
        return "; the file has changed since"
    width = len(source.columns)
    if len(row.cells) == width:
        return ""
    return f" (the row has {len(row.cells)} cells, the file {width} columns)"


def _cells(source: CsvSource, result: PhoneResult) -> list[str]:
    cells = [""] * len(source.columns)
    for field, choice in source.mapping.items():
        cells[choice.position] = getattr(result.phone, field) or ""
    return cells
