"""Files that are made of a job, to be downloaded: its report, and the rows to be mended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from asyncsdk.export.html import About, write_html
from asyncsdk.export.rows import COLUMNS, rows
from asyncsdk.export.sheet import write_sheet
from asyncsdk.rejects import about_list, rejected_rows
from asyncsdk.rejects_file import write_rejects
from asyncsdk.report import UploadReport
from asyncsdk.web.reading import opened, sending
from asyncsdk.workflow.repeated import repeated

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.sources import Source
    from asyncsdk.web.job import Choices

__all__ = ["KINDS", "FileKind", "make"]

FileKind = Literal[
    "report.csv", "report.xlsx", "report.html", "bericht.html", "rejects.csv", "rejects.xlsx"
]
"""A file of a job: every row with what became of it; the same as a page, in English or German;
the rows that were not created, to be mended and uploaded again."""

KINDS: dict[FileKind, str] = {
    "report.csv": "text/csv; charset=utf-8",
    "report.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "report.html": "text/html; charset=utf-8",
    "bericht.html": "text/html; charset=utf-8",
    "rejects.csv": "text/csv; charset=utf-8",
    "rejects.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Their media types."""


def make(
    kind: FileKind,
    target: Path,
    *,
    journal: Path,
    path: Path,
    name: str,
    choices: Choices,
    max_bytes: int,
    group: str,
) -> None:
    """Write a file of a job; this blocks.

    Args:
        kind: Which.
        target: Where to; it replaces what is there once it is whole.
        journal: Of the upload.
        path: Where the list is.
        name: What the list is called.
        choices: How it was read.
        max_bytes: Bytes that it may unpack to.
        group: The name of the group.

    Raises:
        SourceError: The list cannot be read any more.
        JournalError: Nor the journal.
    """
    report = UploadReport.open(journal)
    if kind == "report.csv":
        report.to_csv(target)
        return
    if kind == "report.xlsx":
        write_sheet(target, COLUMNS, ([_text(cell) for cell in row] for row in rows(report)))
        return
    source = opened(path, name, choices, max_bytes)
    if kind in {"report.html", "bericht.html"}:
        _page(target, report, source, group, "de" if kind == "bericht.html" else "en")
        return
    options = sending(source, choices)
    found = rejected_rows(source, report, repeated(source, report, options))
    write_rejects(target, source, found, options)


def _page(target: Path, report: UploadReport, source: Source, group: str, lang: str) -> None:
    about = About(group=group, when=datetime.now().astimezone())
    write_html(target, report, about_list(about, source, report), lang=lang)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
