"""A report as one HTML page that needs nothing else, by jinja2 (the extra `html`).

Whatever comes from a list or a reply is escaped by the templates. The page's own policy allows
nothing but its own style and script, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk.export.drawing import Bars, Box, Course, course, latencies, seconds, shares
from asyncsdk.export.reasons import Reason, ranked, reason_for, row_number, skipped_in
from asyncsdk.files import replacing
from asyncsdk.models import FIELDS
from asyncsdk.results import Delivery, Outcome
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

    from asyncsdk.ledger.account import UploadAccount
    from asyncsdk.results import PhoneResult

__all__ = ["notebook", "write_html"]

_ROWS = 1000
_ROOM = 700_000
"""Bytes for the rows, so that the page stays below a megabyte whatever the rows hold."""
_CELL = 80
_REASON = 300


def write_html(
    path: str | PathLike[str],
    report: UploadAccount,
    *,
    title: str = "Upload report",
    places: Mapping[int, str] | None = None,
    going_on: str = "",
) -> None:
    """Write the page.

    Args:
        path: The file; an existing one is replaced once the new one is whole.
        report: What it shows.
        title: Its heading.
        places: Where rows stand in their file (`contacts.csv:17`), by index.
        going_on: How the rest is sent, where that is for a journal.

    Raises:
        ImportError: jinja2 is not installed.
    """
    templates = _templates()
    css, js = (_file(templates, name) for name in ("report.css", "report.js"))
    page = templates.get_template("report.html.j2").render(
        page=Page.of(report, places or {}),
        title=title,
        group=report.group_id or "ID",
        going_on=going_on,
        counted=counted,
        css=_trusted(css),
        js=_trusted(js),
        policy=f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(js)}",
    )
    with replacing(path) as file:
        file.write(page)


def notebook(report: UploadAccount) -> str | None:
    """A report as a notebook shows it; None where jinja2 is not installed."""
    try:
        templates = _templates()
    except ImportError:
        return None
    page: str = templates.get_template("notebook.html.j2").render(page=Page.of(report, {}))
    return page


@frozen
class Page:
    """What the page says."""

    line: str
    dry: bool
    """Whether nothing was to be sent."""
    stopped: str
    submitted: int
    unknown: int
    safe: int
    """Phones that failed and were certainly not sent."""
    rejected: int
    """Those that were to be created and were not."""
    listed: int
    """Those, and those that were skipped."""
    counts: list[tuple[str, str, int]]
    """Name, kind and number of each outcome."""
    boxes: list[Box]
    tiles: list[tuple[str, str]]
    course: Course | None
    latencies: Bars | None
    shares: list[tuple[str, str]]
    """Within which latency which share of the requests ended."""
    reasons: list[Reason]
    names: list[str]
    rows: list[list[str]]

    @classmethod
    def of(cls, report: UploadAccount, places: Mapping[int, str]) -> Page:
        """The page of a report."""
        counts = _counts(report)
        names, rows = _rows(_not_created(report), places)
        rejected = report.invalid_count + report.failed_count
        return cls(
            line=str(report),
            dry=report.dry_run,
            stopped="" if report.complete else report.stopped_by or "stopped",
            submitted=report.submitted,
            unknown=report.unknown_count,
            safe=report.failed_count - report.unknown_count,
            rejected=rejected,
            listed=rejected + report.skipped_count - report.would_be_sent_count,
            counts=counts,
            boxes=shares([(kind, count) for _, kind, count in counts]),
            tiles=_tiles(report),
            course=None if _nothing_sent(report) else course(report.history),
            latencies=latencies(report.history),
            shares=_latency_shares(report),
            reasons=ranked(_not_created(report)),
            names=names,
            rows=rows,
        )


def _counts(report: UploadAccount) -> list[tuple[str, str, int]]:
    """Name, kind and number of each outcome; of the rarer ones only those that occurred."""
    always = [
        ("created", "created", report.created_count),
        ("invalid", "invalid", report.invalid_count),
        ("failed", "failed", report.failed_count - report.unknown_count),
    ]
    if report.dry_run and not report.created_count:
        always = [("would be sent", "would-be-sent", report.would_be_sent_count), always[1]]
    elif report.dry_run:  # a sum of both
        always.insert(1, ("would be sent", "would-be-sent", report.would_be_sent_count))
    rarer = [
        ("perhaps created", "unknown", report.unknown_count),
        ("skipped", "skipped", report.skipped_count - report.would_be_sent_count),
    ]
    return [*always, *(part for part in rarer if part[2])]


def _not_created(report: UploadAccount) -> Iterator[PhoneResult]:
    """The phones that say why they were not created; in a dry run not those that it would send."""
    return chain(report.results((Outcome.INVALID, Outcome.FAILED)), skipped_in(report))


def _nothing_sent(report: UploadAccount) -> bool:
    """Whether how fast it went says nothing of an upload."""
    return report.dry_run and not report.requests


def _tiles(report: UploadAccount) -> list[tuple[str, str]]:
    phones = ("phones", f"{report.submitted:,}")
    if not report.elapsed:  # nobody knows what the run was like
        return [phones]
    if _nothing_sent(report):
        return [phones, ("requests it takes", f"{report.batches:,}")]
    rate = report.submitted / report.elapsed
    return [
        phones,
        ("time", seconds(report.elapsed) if report.elapsed < 1 else f"{report.elapsed:,.1f} s"),
        ("phones a second", f"{rate:,.0f}"),
        ("requests", f"{report.requests:,}"),
        ("of them repeated", f"{report.retries:,}"),
        ("paused", f"{report.throttled:,.1f} s"),
    ]


def _latency_shares(report: UploadAccount) -> list[tuple[str, str]]:
    if len(report.history) != 1:
        return []
    named = [("half within", 0.5), ("95% within", 0.95), ("99% within", 0.99)]
    found = ((name, report.history[0].latency(share)) for name, share in named)
    return [(name, seconds(value)) for name, value in found if value is not None]


def _rows(
    results: Iterable[PhoneResult], places: Mapping[int, str]
) -> tuple[list[str], list[list[str]]]:
    """The columns that hold anything, and the rows as far as there is room for them."""
    first = list(islice(results, _ROWS))
    extra = [f for f in FIELDS[1:] if any(getattr(result.phone, f) for result in first)]
    names = ["Line" if places else "Row", "Phone", "What", "Reason", *extra]
    rows: list[list[str]] = []
    room = _ROOM
    for result in first:
        row = _row(result, places, extra)
        room -= sum(_size(cell) + 40 for cell in row)
        if room < 0:
            break
        rows.append(row)
    return names, rows


def _row(result: PhoneResult, places: Mapping[int, str], extra: list[str]) -> list[str]:
    unknown = result.delivery is Delivery.UNKNOWN
    columns = (getattr(result.phone, field) or "" for field in extra)
    return [
        places.get(result.index) or (row_number(result.index) if places else str(result.index + 1)),
        _cut(result.phone.phone, _CELL),
        "perhaps created" if unknown else result.outcome.value,
        _cut(reason_for(result, lambda index: _place(index, places)), _REASON),
        *(_cut(text, _CELL) for text in columns),
    ]


def _place(index: int, places: Mapping[int, str]) -> str:
    """What the page calls a row in a sentence."""
    place = places.get(index)
    if place is None:
        return row_number(index)
    return f"line {place}" if place.isdecimal() else place


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _size(text: str) -> int:
    """Bytes it takes on the page at most."""
    return len(text.encode(errors="replace")) + 5 * sum(text.count(char) for char in "<>&'\"")


@cache
def _templates() -> Any:
    try:
        import jinja2
    except ImportError as error:
        msg = "an HTML report needs jinja2: pip install 'asyncsdk[html]'"
        raise ImportError(msg) from error
    return jinja2.Environment(
        loader=jinja2.PackageLoader("asyncsdk.export", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def _file(templates: Any, name: str) -> str:
    text: str = templates.loader.get_source(templates, name)[0]
    return text


def _trusted(text: str) -> Any:
    """Our own file, which is no data to be escaped."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - it comes from this package


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
