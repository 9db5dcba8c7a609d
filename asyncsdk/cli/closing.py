"""What is printed when an upload has ended: the totals, and the rows that were not created."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from asyncsdk.cli.live import clock
from asyncsdk.cli.shown import plain
from asyncsdk.export.reasons import ranked, reason_for, shortened, skipped_in
from asyncsdk.results import Delivery
from asyncsdk.words import counted, visible
from asyncsdk.workflow.dryrun import least_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from asyncsdk.config import Rate
    from asyncsdk.rejects import Rejected
    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult
    from asyncsdk.survey import Survey
    from asyncsdk.workflow.doubts import Doubt

__all__ = [
    "print_check",
    "print_doubts",
    "print_groups",
    "print_reasons",
    "print_rejected",
    "print_survey",
    "print_totals",
]

_REASONS = 10
_COUNTRIES = 12
_SHORT = 60
"""Characters beyond which a reason is not said twice in a row."""
_PLACE = 24
"""Characters of a line that a place takes, if it is more than a number."""
_ALIKE = 3
"""More phones than these that failed for one reason are said in one line."""
_DISTINCT = 1000
"""Reasons that are counted apart."""


def print_totals(console: Console, report: UploadReport, *, going_on: bool = False) -> None:
    """The report in a line and a table.

    Args:
        console: Where to.
        report: What it tells.
        going_on: Whether a journal goes on, and looks after the phones in doubt by itself.
    """
    console.print(Text(str(report), style="bold"))
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    rows = [("would be sent", report.would_be_sent_count, "green")] if report.dry_run else []
    if not report.dry_run or report.created_count:
        rows.append(("created", report.created_count, "green"))
    rows += [
        ("invalid", report.invalid_count, "yellow"),
        ("failed", report.failed_count, "red"),
    ]
    if report.unknown_count:
        rows.append(("  perhaps created", report.unknown_count, "red"))
    if skipped := report.skipped_count - report.would_be_sent_count:
        rows.append(("skipped", skipped, "cyan"))
    for name, count, style in rows:
        share = f"{count / report.submitted:.1%}" if report.submitted else ""
        table.add_row(name, f"{count:,}", share, style=style if count else "dim")
    if report.elapsed:  # else nobody knows what the run was like
        table.add_section()
        table.add_row("requests", f"{report.requests:,}", _retries(report))
    if report.throttled:
        table.add_row("paused", f"{report.throttled:.1f} s", "")
    console.print(table)
    if report.unknown_count and not going_on:
        phones = counted(report.unknown_count, "phone")
        console.print(_DOUBT.format(phones=phones), style="red")


def print_check(console: Console, report: UploadReport, rate: Rate | None) -> None:
    """What a dry run found, and what it takes to send the rest."""
    invalid, doubtful = report.invalid_count, report.unknown_count
    good = report.would_be_sent_count
    line = f"{counted(report.submitted, 'row')}: {good:,} may be sent, {invalid:,} invalid"
    if skipped := report.skipped_count - good:
        line += f", {skipped:,} skipped"
    if doubtful:
        line += f", {doubtful:,} perhaps in the group"
    console.print(Text(f"{line}. Nothing was sent.", style="bold"))
    cost = f"{counted(report.batches, 'request')}, {counted(report.bytes, 'byte')}"
    if rate is not None and report.batches:
        seconds = least_seconds(report.batches, rate)
        least = f"at least {clock(seconds)} " if seconds >= 1 else ""
        cost += f", {least}at {counted(rate.requests, 'request')} per {rate.per:g} s"
    console.print(Text(f"{cost}."))
    print_reasons(console, chain(report.invalid, skipped_in(report)))


def print_doubts(console: Console, found: Iterable[Doubt]) -> None:
    """What looks wrong with numbers that are sent as they are, and what helps."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for doubt in found:
        table.add_row(f"{doubt.count:,}", f"{doubt.what} ({doubt.place})")
    if table.row_count:
        text = "Warning: without --normalize numbers are sent as they are, and some look wrong:"
        console.print(Text(text, style="yellow"))
        console.print(table)


def print_survey(console: Console, survey: Survey) -> None:
    """What the numbers are that would be sent."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    if survey.countries:
        common = list(survey.countries.items())
        shown = [f"{region} {count:,}" for region, count in common[:_COUNTRIES]]
        rest = sum(count for _, count in common[_COUNTRIES:])
        others = [f"others {rest:,}"] if rest else []
        table.add_row(f"{survey.total - survey.as_they_are:,}", ", ".join(shown + others))
    for count, what in (
        (survey.mobile, "mobile"),
        (survey.landline, "landline"),
        (survey.mobile_or_landline, "mobile or landline: their plan does not tell"),
        (survey.service, "numbers of services: toll-free, premium rate and the like"),
        (survey.not_in_plan, "not in the plan of numbers: mistyped, or too new for it"),
        (survey.plus_lost, "without their +, read as international"),
        (survey.zero_lost, "without their leading 0, read as national"),
        (survey.two_readings, "not sent, for they can be two numbers: see --bare"),
    ):
        if count:
            table.add_row(f"{count:,}", what)
    if table.row_count:
        console.print(table)


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


_DOUBT = (
    "{phones} sent without an answer may be in the group: look there before you upload again. "
    "A rejects file that is uploaded leaves them out."
)


def print_groups(console: Console, report: UploadReport) -> dict[tuple[str, str, str], int]:
    """Phones that failed for one reason, in a line for each reason; returns which, and how many."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for result in report.failed:
        kind = (result.outcome.value, result.delivery.value, shortened(visible(reason_for(result))))
        if kind in counts or len(counts) < _DISTINCT:
            counts[kind] += 1
    alike = {kind: count for kind, count in counts.most_common() if count > _ALIKE}
    if alike:
        table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold", ratio=1)
        for (outcome, delivery, reason), count in alike.items():
            table.add_row(f"{count:,}", _what(outcome, delivery), plain(reason))
        console.print(table)
    return alike


def _what(outcome: str, delivery: str) -> str:
    return outcome if delivery != Delivery.UNKNOWN else "perhaps created"


def print_rejected(
    console: Console,
    rows: Iterable[Rejected],
    total: int,
    limit: int,
    elsewhere: str = "",
) -> None:
    """The first rows that were not created.

    Args:
        console: Where to.
        rows: All of them; no more than needed are drawn.
        total: How many there are.
        limit: How many to show.
        elsewhere: Where the others are.
    """
    shown = list(islice(rows, limit))
    if not shown:
        return
    table = Table(box=box.SIMPLE, pad_edge=False, header_style="bold")
    first = shown[0].place
    if first.alone:
        table.add_column(first.unit, justify="right", no_wrap=True)
    else:
        table.add_column("place", overflow="fold", max_width=_PLACE)
    table.add_column("phone", overflow="fold", max_width=32)
    table.add_column("what")
    table.add_column("reason", overflow="fold", ratio=1)
    before = ""
    for row in shown:
        what = _what(row.outcome, row.delivery)
        reason = "as above" if row.reason == before and len(before) > _SHORT else row.reason
        table.add_row(plain(row.place.label), plain(row.phone), what, plain(reason))
        before = row.reason
    console.print(table)
    if total > len(shown):
        more = f"… and {total - len(shown):,} more"
        console.print(plain(f"{more}: {elsewhere}." if elsewhere else f"{more}."), soft_wrap=True)


def _retries(report: UploadReport) -> str:
    if not report.retries:
        return ""
    return f"{report.retries:,} repeated"
