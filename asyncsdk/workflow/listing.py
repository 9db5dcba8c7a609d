"""What `check --report` writes: every row of the lists, with the number that would go out."""

from __future__ import annotations

from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

from asyncsdk.export.counting import Counting
from asyncsdk.export.reasons import reason_for
from asyncsdk.export.sheet import needs_semicolons, write_sheet
from asyncsdk.places import list_name
from asyncsdk.results import WOULD_BE_SENT
from asyncsdk.sources.rejects import LISTING_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from asyncsdk.places import Place
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
    firsts = dict.fromkeys(
        result.error.duplicate_of for kind in kinds for result in kind if result.error is not None
    )
    places: dict[int, Place] = {}  # of those rows, which come before the ones with their numbers
    naming = source.naming
    for row, result in zip(source.rows(), merge(*kinds, key=attrgetter("index")), strict=False):
        if row.index in firsts:
            places[row.index] = row.place(**naming)
        yield _cells(row, result, places)


def _cells(row: Row, result: PhoneResult, places: Mapping[int, Place]) -> list[str]:
    sent = result.error == WOULD_BE_SENT
    number = (result.number or result.phone.phone) if sent else ""
    outcome = "would be sent" if sent else result.outcome.value
    reason = "" if sent else reason_for(result, lambda index: str(places[index]))
    name = list_name(row.path, row.sheet)
    return [name, str(row.line), result.phone.phone, number, outcome, reason]
