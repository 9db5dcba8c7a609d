"""What `check --report` writes: every row of the lists, with the number that would go out."""

from __future__ import annotations

from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

from asyncsdk.export.counting import Counting
from asyncsdk.export.reasons import reason_for
from asyncsdk.export.sheet import needs_semicolons, write_sheet
from asyncsdk.results import WOULD_BE_SENT
from asyncsdk.sources.rejects import LISTING_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import Row, Source

__all__ = ["write_listing"]


def write_listing(path: Path, source: Source, report: UploadReport, region: object) -> int:
    """Write it, in the order of the lists; returns the number of rows.

    Args:
        path: The file: a workbook if its name ends in `.xlsx`, else CSV.
        source: The lists, which are read once more.
        report: Of a dry run.
        region: Where it is opened, as far as that is known.
    """
    rows = Counting(_rows(source, report))
    delimiter = ";" if needs_semicolons(region) else ","
    write_sheet(path, LISTING_COLUMNS, rows, delimiter=delimiter)
    return rows.count


def _rows(source: Source, report: UploadReport) -> Iterator[list[str]]:
    kinds = (report.skipped, report.invalid, report.failed)
    for row, result in zip(source.rows(), merge(*kinds, key=attrgetter("index")), strict=False):
        yield _cells(row, result)


def _cells(row: Row, result: PhoneResult) -> list[str]:
    sent = result.error == WOULD_BE_SENT
    number = (result.number or result.phone.phone) if sent else ""
    outcome, reason = ("would be sent", "") if sent else (result.outcome.value, reason_for(result))
    return [row.path or "", str(row.line), result.phone.phone, number, outcome, reason]
