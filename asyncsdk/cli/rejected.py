"""The rows that were not created, each with its line, its cells and the reason."""

from __future__ import annotations

import csv
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.cli.shown import visible
from asyncsdk.export.atomic import replacing
from asyncsdk.export.reasons import told
from asyncsdk.results import Delivery
from asyncsdk.sources import CsvSource, ManySources
from asyncsdk.sources.inert import escape
from asyncsdk.sources.table import REJECT_COLUMNS, is_rejects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import Row, Source

__all__ = ["UNREAD", "Rejected", "rejected_rows", "write_rejects"]

UNREAD = "unread"
"""The outcome of rows that the upload did not come to."""


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
    path: str | None = None
    """The file, where there are several."""

    @property
    def place(self) -> str:
        """`17`, or `contacts.csv:17` where there are several files."""
        line = str(self.line or "?")
        return f"{Path(self.path).name}:{line}" if self.path else line

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return ({"file": self.path} if self.path else {}) | {
            "line": self.line,
            "index": self.index,
            "phone": self.phone,
            "outcome": self.outcome,
            "delivery": self.delivery,
            "status": self.status,
            "reason": self.reason,
        }


def rejected_rows(source: Source, report: UploadReport) -> Iterator[Rejected]:
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


def write_rejects(path: Path, source: Source, rows: Iterator[Rejected]) -> int:
    """Write a file that can be mended and uploaded again; returns the number of rows.

    It is CSV, written the way the input was, with `REJECT_COLUMNS` before its columns (and the file
    where there are several), as UTF-8 with a byte order mark, which spreadsheets need to see. No
    cell is a formula to them; reading the file gives the cells back as they were.
    """
    several = isinstance(source, ManySources)
    skip = _own(source)
    own = ("file", *REJECT_COLUMNS) if several else REJECT_COLUMNS
    delimiter, quotechar = ",", '"'
    if isinstance(source, CsvSource):
        delimiter, quotechar = source.dialect.delimiter, source.dialect.quotechar or '"'
    count = 0
    with replacing(path, "utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter, quotechar=quotechar)
        writer.writerow([*own, *source.columns[skip:]])
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            cells = [row.line, row.outcome, row.delivery, escape(row.reason)]
            place = [escape(row.path or "")] if several else []
            writer.writerow([*place, *cells, *map(escape, row.cells[skip:])])
    return count


def _own(source: Source) -> int:
    """How many columns a rejects file has of its own, if the source is one."""
    if not is_rejects(source.columns):
        return 0
    return len(REJECT_COLUMNS) + (source.columns[0] == "file")


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
        reason = told(result)
        earlier = _duplicate_of(result)
        if earlier is None or earlier not in self._lines:
            return reason
        return reason.replace(f"row {earlier}", f"line {self._lines[earlier]}")


def _duplicate_of(result: PhoneResult) -> int | None:
    """The index of the row that has the same number, if that is why it was rejected."""
    return result.error.duplicate_of if result.error else None


def _settled(source: Source, row: Row | None, result: PhoneResult, lines: _Lines) -> Rejected:
    return Rejected(
        line=row.line if row else None,
        index=result.index,
        phone=result.phone.phone,
        outcome=result.outcome.value,
        delivery=result.delivery.value,
        reason=visible(lines.told(result) + _misread(source, row)),
        status=result.status,
        cells=row.cells if row else _cells(source, result),
        path=_path(source, row),
    )


def _unread(source: Source, row: Row) -> Rejected:
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
        path=_path(source, row),
    )


def _path(source: Source, row: Row | None) -> str | None:
    return row.path if row and isinstance(source, ManySources) else None


def _misread(source: Source, row: Row | None) -> str:
    """A hint where the row itself is broken."""
    if row is None:
        return "; the file has changed since"
    width = len(source.columns)
    if len(row.cells) == width or isinstance(source, ManySources):
        return ""
    return f" (the row has {len(row.cells)} cells, the file {width} columns)"


def _cells(source: Source, result: PhoneResult) -> list[str]:
    cells = [""] * len(source.columns)
    for field, choice in source.mapping.items():
        cells[choice.position] = getattr(result.phone, field) or ""
    return cells
