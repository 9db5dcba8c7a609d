"""The rows that were not created, each with its file, its line, its cells and the reason."""

from __future__ import annotations

import csv
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.export.atomic import replacing
from asyncsdk.export.reasons import shortened, told
from asyncsdk.export.rows import UNREAD
from asyncsdk.results import Delivery
from asyncsdk.sources import CsvSource, ManySources
from asyncsdk.sources.inert import as_text, escape
from asyncsdk.sources.rejects import DUPLICATE, REJECT_COLUMNS, is_rejects, own_columns
from asyncsdk.words import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from asyncsdk.ledger.account import UploadAccount
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import Row, Source

__all__ = ["UNREAD", "Rejected", "rejected_rows", "twins", "write_rejects"]


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
    """The file."""
    several: bool = False
    """Whether its line alone does not say where it is."""
    duplicate: bool = False
    """Whether it was left out because another row has its number."""

    @property
    def place(self) -> str:
        """`17`, or `contacts.csv:17` where there are several files."""
        line = str(self.line or "?")
        return f"{Path(self.path).name}:{line}" if self.path and self.several else line

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with others."""
        return self.outcome, self.delivery, shortened(self.reason)

    @property
    def columns(self) -> list[object]:
        """Its cells under `REJECT_COLUMNS`."""
        outcome = DUPLICATE if self.duplicate else self.outcome
        held_back = self.duplicate or self.delivery == Delivery.UNKNOWN
        phone_was = as_text(self.phone) if held_back else ""
        path = escape(self.path or "")
        return [path, self.line, outcome, self.delivery, escape(self.reason), phone_was]

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


def rejected_rows(
    source: Source, report: UploadAccount, skipped: Mapping[int, int] | None = None
) -> Iterator[Rejected]:
    """Every row that was not created, in the order of the file, which is read once more.

    Those that the upload did not come to are among them: what is yielded is all that is missing.

    Args:
        source: What was uploaded.
        report: What became of it.
        skipped: Rows that are duplicates all the same, because the upload did not come to them, or
            they are invalid besides (see `twins`): their indices, and those of the rows with their
            numbers.
    """
    results = merge(report.invalid, report.failed, key=attrgetter("index"))
    result = next(results, None)
    if result is None and report.complete:
        return
    lines = _Lines(source, report, skipped or {})
    for row in source.rows():
        lines.note(row)
        if result is not None and row.index == result.index:
            yield _settled(source, row, result, lines)
            result = next(results, None)
        elif not report.complete and row.index >= report.submitted:
            yield _unread(source, row, lines)
        elif result is None and report.complete:
            return
    # The file lost rows since it was sent: the account still has them.
    for lost in chain([result] if result else [], results):
        yield _settled(source, None, lost, lines)


def twins(source: Source, report: UploadAccount, normal: Callable[[str], object]) -> dict[int, int]:
    """Invalid rows whose numbers other rows have that are not: their indices, and those of these.

    Once mended, they would be stored a second time. The source is read once more, if there is
    anything to look for.

    Args:
        source: What was uploaded.
        report: What became of it.
        normal: The form in which numbers are compared; what is no text is no number.
    """
    invalid = {result.index: result for result in report.invalid}
    wanted: dict[object, list[int]] = {}
    for index, result in invalid.items():
        number = normal(result.phone.phone)
        if isinstance(number, str) and number.strip() and not _is_duplicate(result):
            wanted.setdefault(number, []).append(index)
    if not wanted:
        return {}
    found: dict[int, int] = {}
    for index, phone in enumerate(source):
        if index not in invalid and index < report.submitted:
            found |= dict.fromkeys(wanted.get(normal(phone.phone), ()), index)
    return found


def write_rejects(path: str | PathLike[str], source: Source, rows: Iterable[Rejected]) -> int:
    """Write a file that can be mended and uploaded again; returns the number of rows.

    It is CSV, written the way the input was, with `REJECT_COLUMNS` before its columns, as UTF-8
    with a byte order mark, which spreadsheets need to see. To them no cell is a formula, nor a
    number that they would round; reading the file gives the cells back as they were. `phone_was`
    holds the numbers of rows that must not go out again unless they are changed: duplicates, and
    those that may be in the group.
    """
    own = own_columns(source.columns)
    delimiter, quotechar = ",", '"'
    if isinstance(source, CsvSource):
        delimiter, quotechar = source.dialect.delimiter, source.dialect.quotechar or '"'
    count = 0
    with replacing(path, "utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter, quotechar=quotechar)
        writer.writerow([*REJECT_COLUMNS, *_without(own, source.columns)])
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            writer.writerow([*row.columns, *map(as_text, _without(own, row.cells))])
    return count


def _without(own: frozenset[int], cells: Sequence[str]) -> Sequence[str]:
    """The cells of the input, if the source is a rejects file itself."""
    return [cell for at, cell in enumerate(cells) if at not in own] if own else cells


class _Lines:
    """The lines of the rows that later ones are duplicates of: people count lines, not indices."""

    def __init__(self, source: Source, report: UploadAccount, skipped: Mapping[int, int]) -> None:
        self.skipped = skipped
        self.several = _several(source)
        found = (_duplicate_of(result) for result in report.invalid)
        self._wanted = {at for at in (*found, *skipped.values()) if at is not None}
        self._lines: dict[int, str] = {}

    def note(self, row: Row) -> None:
        """Remember a row's line if it is wanted; each row comes before its duplicates."""
        if row.index in self._wanted:
            named = f" of {Path(row.path).name}" if row.path and self.several else ""
            self._lines[row.index] = f"line {row.line}{named}"

    def told(self, result: PhoneResult) -> str:
        """Why a phone was not created."""
        reason = told(result)
        if result.index in self.skipped:
            return f"{reason}; another row with the same number was sent"
        earlier = _duplicate_of(result)
        if earlier is None or earlier not in self._lines:
            return reason
        return reason.replace(f"row {earlier}", self._lines[earlier])

    def unread(self, row: Row) -> str:
        """Why a row that the upload did not come to was not created."""
        earlier = self.skipped.get(row.index)
        reason = "the upload ended before this row"
        return reason if earlier is None else f"{reason}: the same number as {self._lines[earlier]}"


def _several(source: Source) -> bool:
    """Whether lines need their file's name: there are several, or they were lines of others."""
    return isinstance(source, ManySources) or is_rejects(source.columns)


def _duplicate_of(result: PhoneResult) -> int | None:
    """The index of the row that has the same number, if that is why it was rejected."""
    return result.error.duplicate_of if result.error else None


def _is_duplicate(result: PhoneResult) -> bool:
    """Whether it was left out, here or before, because another row has its number."""
    codes = (one.code for one in result.error.violations) if result.error else ()
    return result.status is None and DUPLICATE in codes


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
        path=row.path if row else None,
        several=lines.several,
        duplicate=_is_duplicate(result) or result.index in lines.skipped,
    )


def _unread(source: Source, row: Row, lines: _Lines) -> Rejected:
    at = source.mapping["phone"].position
    return Rejected(
        line=row.line,
        index=row.index,
        phone=row.cells[at] if at < len(row.cells) else "",
        outcome=UNREAD,
        delivery=Delivery.NOT_SENT.value,
        reason=lines.unread(row),
        status=None,
        cells=row.cells,
        path=row.path,
        several=lines.several,
        duplicate=row.index in lines.skipped,
    )


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
