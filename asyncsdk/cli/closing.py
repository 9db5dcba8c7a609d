"""What is printed when an upload has ended: the totals, and the rows that were not created."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from asyncsdk.cli.live import clock
from asyncsdk.cli.shown import plain
from asyncsdk.export.reasons import ranked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from asyncsdk.cli.rejected import Rejected
    from asyncsdk.config import Rate
    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult

__all__ = ["print_check", "print_reasons", "print_rejected", "print_totals"]

_REASONS = 10
_SHORT = 60
"""Characters beyond which a reason is not said twice in a row."""


def print_totals(console: Console, report: UploadReport) -> None:
    """The report in a line and a table."""
    console.print(Text(str(report), style="bold"))
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    rows = [
        ("created", report.created_count, "green"),
        ("invalid", report.invalid_count, "yellow"),
        ("failed", report.failed_count, "red"),
    ]
    if report.unknown_count:
        rows.append(("  perhaps created", report.unknown_count, "red"))
    for name, count, style in rows:
        share = f"{count / report.submitted:.1%}" if report.submitted else ""
        table.add_row(name, f"{count:,}", share, style=style if count else "dim")
    table.add_section()
    table.add_row("requests", f"{report.requests:,}", _retries(report))
    if report.throttled:
        table.add_row("paused", f"{report.throttled:.1f} s", "")
    console.print(table)
    if report.unknown_count:
        console.print(_DOUBT.format(count=report.unknown_count), style="red")


def print_check(console: Console, report: UploadReport, rate: Rate | None) -> None:
    """What a dry run found, and what it takes to send the rest."""
    invalid = report.invalid_count
    line = f"{report.submitted:,} rows: {report.submitted - invalid:,} may be sent"
    console.print(Text(f"{line}, {invalid:,} are invalid. Nothing was sent.", style="bold"))
    duplicates = sum(1 for result in report.invalid if _is_duplicate(result))
    told = f"{report.batches:,} requests, {report.bytes:,} bytes"
    if rate is not None and report.batches:
        seconds = (report.batches - 1) * rate.per / rate.requests
        told += f", at least {clock(seconds)} at {rate.requests} requests per {rate.per:g} s"
    if duplicates:
        told += f"; {duplicates:,} rows are duplicates"
    console.print(Text(f"{told}."))
    print_reasons(console, report.invalid)


def print_reasons(console: Console, results: Iterable[PhoneResult]) -> None:
    """Why phones were not created, ranked."""
    reasons = ranked(results, _REASONS)
    if not reasons:
        return
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for reason in reasons:
        table.add_row(f"{reason.count:,}", plain(reason.text))
    console.print(table)


def _is_duplicate(result: PhoneResult) -> bool:
    return result.error is not None and result.error.duplicate_of is not None


_DOUBT = (
    "{count:,} phones were sent without an answer and may be in the group: look there before you "
    "upload them again."
)


def print_rejected(console: Console, rows: Iterable[Rejected], total: int, limit: int) -> None:
    """The first rows that were not created.

    Args:
        console: Where to.
        rows: All of them; no more than needed are drawn.
        total: How many there are.
        limit: How many to show.
    """
    shown = list(islice(rows, limit))
    if not shown:
        return
    table = Table(box=box.SIMPLE, pad_edge=False, header_style="bold")
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("phone", overflow="fold", max_width=32)
    table.add_column("what")
    table.add_column("reason", overflow="fold", ratio=1)
    told = ""
    for row in shown:
        what = row.outcome if row.delivery != "unknown" else "perhaps created"
        reason = "as above" if row.reason == told and len(told) > _SHORT else row.reason
        table.add_row(plain(row.place), plain(row.phone), what, plain(reason))
        told = row.reason
    console.print(table)
    if total > len(shown):
        console.print(f"… and {total - len(shown):,} more: --rejects FILE writes them all.")


def _retries(report: UploadReport) -> str:
    if not report.retries:
        return ""
    return f"{report.retries:,} repeated"
