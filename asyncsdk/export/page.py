"""What a page says of a report, in its language: numbers, pictures, reasons and rows. Pure."""

from __future__ import annotations

import re
import shlex
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from asyncsdk.export.drawing import LEAST_REQUESTS, Bars, Box, Course, course, latencies, shares
from asyncsdk.export.languages import N_
from asyncsdk.export.reasons import Reason, ranked, reason_for, skipped_in
from asyncsdk.export.sentences import Translator
from asyncsdk.models import FIELDS
from asyncsdk.places import LINE, ROW, Place
from asyncsdk.results import Delivery, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from asyncsdk.export.languages import Language
    from asyncsdk.ledger.account import UploadAccount
    from asyncsdk.results import PhoneResult

__all__ = ["NAMES", "About", "Page", "command"]

_ROWS = 1000
_ROOM = 700_000
"""Bytes for the rows, so that the page stays below a megabyte whatever the rows hold."""
_CELL = 80
_REASON = 300
_NUMBERED = re.compile(r"(.*?)(?:-(\d+))?")

NAMES = {
    "created": N_("created"),
    "would-be-sent": N_("would be sent"),
    "invalid": N_("invalid"),
    "failed": N_("failed"),
    "unknown": N_("perhaps created"),
    "skipped": N_("skipped"),
}
"""What each kind of outcome is called."""
_PHONE = N_("Phone")
_UNITS = {ROW: N_("Row"), LINE: N_("Line")}
_STOPPED = {
    "error": N_("an error"),
    "stop": N_("it was stopped"),
    "cancelled": N_("it was cancelled"),
    "deadline": N_("its time was up"),
    "stop_when": N_("too many phones had failed"),
    "crash": N_("its process ended without a word"),
    "running": N_("it still runs"),
}
"""What stopped an upload."""


@frozen(kw_only=True)
class About:
    """What a page says besides its report, as far as it is known."""

    title: str = ""
    """Its heading; empty for that of its kind."""
    name: str = ""
    """The list: the name of its file."""
    group: str = ""
    """The name of the group."""
    when: datetime | None = None
    """Of which moment it is."""
    places: Mapping[int, Place] = Factory(dict)
    """Where rows stand in their file, by index."""
    columns: Mapping[str, str] = Factory(dict)
    """What the list calls the fields of a phone."""
    rejects: str = ""
    """The file that the rows were written to that are to be mended."""
    report: str = ""
    """The file that the whole report was written to."""
    journal: str = ""
    """That of the upload."""
    unfinished: bool = False
    """Whether the journal sends the rest."""
    by_command: bool = True
    """Whether the command line began it."""
    known: bool = False
    """Whether it is known which of these files there are: those that are not named are not."""

    @property
    def next_rejects(self) -> str:
        """Another name for what is rejected the next time."""
        path = PurePath(self.rejects)
        found = _NUMBERED.fullmatch(path.stem)
        assert found is not None  # whatever it is
        return str(path.with_name(f"{found[1]}-{int(found[2] or 1) + 1}{path.suffix}"))


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
    numbered: bool
    """Whether numbers are all that is said of where the rows stand."""

    @classmethod
    def of(cls, report: UploadAccount, about: About, language: Language) -> Page:
        """The page of a report."""
        counts = [(language.gettext(NAMES[kind]), kind, n) for kind, n in _counts(report)]
        columns = {name: _column(name, text, language) for name, text in about.columns.items()}
        table = _Table(language, about.places, columns)
        names, rows = table.rows(_not_created(report))
        rejected = report.invalid_count + report.failed_count
        return cls(
            line=_line(report, language),
            dry=report.dry_run,
            stopped="" if report.complete else _stopped(report, language),
            submitted=report.submitted,
            unknown=report.unknown_count,
            safe=report.failed_count - report.unknown_count,
            rejected=rejected,
            listed=rejected + report.skipped_count - report.would_be_sent_count,
            counts=counts,
            boxes=shares(counts, language),
            tiles=_tiles(report, language),
            course=None if _nothing_sent(report) else course(report.history, language),
            latencies=None if _nothing_sent(report) else latencies(report.history, language),
            shares=_latency_shares(report, language),
            reasons=ranked(_not_created(report), say=table.say),
            names=names,
            rows=rows,
            numbered=all(place.alone for place in about.places.values()),
        )


def _line(report: UploadAccount, language: Language) -> str:
    """The report in one line, as `str()` says it in English."""
    fates = ", ".join(
        f"{language.number(count)} {language.gettext(NAMES[kind])}"
        for kind, count in report.fates()
    )
    phones = language.ngettext("{count} phone", "{count} phones", report.submitted)
    line = f"{phones}: {fates}"
    if report.elapsed:
        took = language.number(report.elapsed, 1)
        line = language.gettext("{line} in {seconds} s", line=line, seconds=took)
    if "created" not in dict(report.fates()):
        line = language.gettext("{line} (a dry run: nothing was sent)", line=line)
    return line


def _stopped(report: UploadAccount, language: Language) -> str:
    return language.gettext(_STOPPED[report.stopped_by or "stop"])


def _column(field: str, name: str, language: Language) -> str:
    """What a column is called; in a file without a header it has a number alone."""
    if not name.isdecimal():
        return name
    column = language.gettext("column {number}", number=name)
    return f"{language.gettext(_PHONE) if field == 'phone' else field} ({column})"


def _counts(report: UploadAccount) -> list[tuple[str, int]]:
    """Kind and number of each outcome; of the rarer ones only those that occurred."""
    always = [
        ("created", report.created_count),
        ("invalid", report.invalid_count),
        ("failed", report.failed_count - report.unknown_count),
    ]
    if report.dry_run and not report.created_count:
        always = [("would-be-sent", report.would_be_sent_count), always[1]]
    elif report.dry_run:  # a sum of both
        always.insert(1, ("would-be-sent", report.would_be_sent_count))
    rarer = [
        ("unknown", report.unknown_count),
        ("skipped", report.skipped_count - report.would_be_sent_count),
    ]
    return [*always, *(part for part in rarer if part[1])]


def _not_created(report: UploadAccount) -> Iterator[PhoneResult]:
    """The phones that say why they were not created; in a dry run not those that it would send."""
    return chain(report.results((Outcome.INVALID, Outcome.FAILED)), skipped_in(report))


def _nothing_sent(report: UploadAccount) -> bool:
    """Whether how fast it went says nothing of an upload."""
    return report.dry_run and not report.requests


def _tiles(report: UploadAccount, language: Language) -> list[tuple[str, str]]:
    """What it took, as far as anybody knows."""
    if not report.elapsed:
        return []
    if _nothing_sent(report):
        return [(language.gettext("requests it takes"), language.number(report.batches))]
    elapsed = report.elapsed
    rate = language.number(report.submitted / elapsed)
    tiles = [
        (language.gettext("phones"), language.number(report.submitted)),
        (
            language.gettext("time"),
            language.seconds(elapsed) if elapsed < 1 else f"{language.number(elapsed, 1)} s",
        ),
        (language.gettext("phones a second"), rate),
        (language.gettext("requests"), language.number(report.requests)),
    ]
    if report.retries:
        tiles.append((language.gettext("of them repeated"), language.number(report.retries)))
    if report.throttled:
        tiles.append((language.gettext("paused"), f"{language.number(report.throttled, 1)} s"))
    return tiles


def _latency_shares(report: UploadAccount, language: Language) -> list[tuple[str, str]]:
    if _nothing_sent(report) or len(report.history) != 1:
        return []
    if sum(report.history[0].latencies) < LEAST_REQUESTS:
        return []
    named = [(N_("half within"), 0.5), (N_("95% within"), 0.95), (N_("99% within"), 0.99)]
    found = ((name, report.history[0].latency(share)) for name, share in named)
    return [
        (language.gettext(name), language.seconds(value))
        for name, value in found
        if value is not None
    ]


@frozen
class _Table:
    """Rows that were not created, as the list has them."""

    language: Language
    places: Mapping[int, Place]
    columns: Mapping[str, str]

    def rows(self, results: Iterable[PhoneResult]) -> tuple[list[str], list[list[str]]]:
        """The columns that hold anything, and the rows as far as there is room for them."""
        first = list(islice(results, _ROWS))
        extra = [f for f in FIELDS[1:] if any(getattr(result.phone, f) for result in first)]
        rows: list[list[str]] = []
        room = _ROOM
        for result in first:
            row = self._row(result, extra)
            room -= sum(_size(cell) + 40 for cell in row)
            if room < 0:
                break
            rows.append(row)
        return self._names(extra), rows

    def say(self, result: PhoneResult | None, reason: str) -> str:
        """A reason in the language of the page."""
        translate = self._translator
        return translate(reason) if result is None else translate.of(result, reason)

    def _names(self, extra: list[str]) -> list[str]:
        language = self.language
        return [
            self._unit(),
            self.columns.get("phone") or language.gettext(_PHONE),
            language.gettext("What"),
            language.gettext("Reason"),
            *(self.columns.get(field) or field for field in extra),
        ]

    def _row(self, result: PhoneResult, extra: list[str]) -> list[str]:
        unknown = result.delivery is Delivery.UNKNOWN
        kind = "unknown" if unknown else result.outcome.value
        columns = (getattr(result.phone, field) or "" for field in extra)
        return [
            self._label(result.index),
            _cut(result.phone.phone, _CELL),
            self.language.gettext(NAMES[kind]),
            _cut(self.say(result, reason_for(result, self._place)), _REASON),
            *(_cut(text, _CELL) for text in columns),
        ]

    def _unit(self) -> str:
        """What the numbers of the rows count, as far as numbers are all that is said of them."""
        if not self.places:
            return self.language.gettext(_UNITS[ROW])
        first = next(iter(self.places.values()))
        if not first.alone:
            return self.language.gettext("Place")
        return self.language.gettext(_UNITS[first.unit])

    def _label(self, index: int) -> str:
        """Where a row stands, under the name of that column."""
        place = self.places.get(index)
        if place is None:
            place = Place(index, None if self.places else index + 1)
        return place.label if place.alone else self._translator.place(str(place))

    def _place(self, index: int) -> str:
        """What the page calls a row in a sentence."""
        return str(self.places.get(index, Place(index)))

    @property
    def _translator(self) -> Translator:
        return Translator(self.language, self.columns)


def command(*words: str) -> str:
    """A command as it is typed."""
    return shlex.join(words)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _size(text: str) -> int:
    """Bytes it takes on the page at most."""
    return len(text.encode(errors="replace")) + 5 * sum(text.count(char) for char in "<>&'\"")
