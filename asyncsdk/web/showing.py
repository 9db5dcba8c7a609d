"""What pages show of jobs, in words and figures; nothing here knows of HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from math import log10
from typing import TYPE_CHECKING

from attrs import frozen
from babel import Locale
from phonenumbers import SUPPORTED_REGIONS

from asyncsdk.export.languages import N_
from asyncsdk.export.page import NAMES
from asyncsdk.models import FIELDS
from asyncsdk.web.caller import EVERYBODY
from asyncsdk.web.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asyncsdk.export.languages import Language
    from asyncsdk.models import Group
    from asyncsdk.web.job import Check, Choices, Job, JobProgress
    from asyncsdk.web.reading import Inspection, ListView

__all__ = [
    "Field",
    "HistoryLine",
    "Line",
    "amount",
    "counts_of",
    "duration",
    "fields_of",
    "group_of",
    "kinds_of",
    "lines_of",
    "moment",
    "name_of_region",
    "regions",
    "share_done",
    "state_name",
    "told",
    "uses",
]

_STATES = {
    JobState.DRAFT: N_("not checked yet"),
    JobState.CHECKING: N_("being checked"),
    JobState.CHECKED: N_("checked, not started"),
    JobState.RUNNING: N_("being sent"),
    JobState.STOPPING: N_("stopping"),
    JobState.STOPPED: N_("stopped"),
    JobState.DONE: N_("finished"),
    JobState.UNDOING: N_("being undone"),
    JobState.UNDO_STOPPING: N_("undoing is being stopped"),
    JobState.UNDO_STOPPED: N_("undoing was stopped"),
    JobState.UNDONE: N_("undone"),
}
_UNDOING = {JobState.UNDOING, JobState.UNDO_STOPPING, JobState.UNDO_STOPPED, JobState.UNDONE}
_NAMES = {
    "phone": N_("Phone number"),
    "a": N_("Field a"),
    "b": N_("Field b"),
    "c": N_("Field c"),
    "d": N_("Field d"),
    "e": N_("Field e"),
    "callback_data": N_("Your own reference"),
    "country": N_("Country of the number"),
}
_KINDS = {
    "mobile": N_("mobile numbers"),
    "landline": N_("landline numbers"),
    "mobile_or_landline": N_("mobile or landline numbers"),
    "service": N_("numbers of services, such as toll-free ones"),
    "not_in_plan": N_("numbers that are in no numbering plan: mistyped, or very new"),
    "plus_lost": N_("read as international though there is no +"),
    "zero_lost": N_("read as national though there is no leading 0"),
    "as_they_are": N_("sent as they are"),
}
_USUAL = ("DE", "AT", "CH")
_JOINED = re.compile("[,+]")
_MINUTE = 60
_KILO = 1000
_UNITS = ("B", "kB", "MB", "GB")
_TWO_DIGITS = 10


def group_of(job: Job, groups: Iterable[Group] | None) -> str:
    """What the group of a job is called; its id where the name is not known."""
    names = {group.id: group.name for group in groups or ()}
    return job.group_name or names.get(job.group_id or 0) or str(job.group_id or "")


def state_name(job: Job, language: Language) -> str:
    """How far a job is."""
    return language.gettext(_STATES[job.state])


def moment(seconds: float, language: Language) -> str:
    """When something was."""
    return language.moment(datetime.fromtimestamp(seconds, UTC).astimezone())


def amount(size: int, language: Language) -> str:
    """So many bytes."""
    if size < _KILO:
        return f"{language.number(size)} B"
    power = min(len(_UNITS) - 1, int(log10(size)) // 3)
    shown = size / _KILO**power
    return f"{language.number(shown, int(shown < _TWO_DIGITS))} {_UNITS[power]}"


def duration(seconds: float, language: Language) -> str:
    """How long something takes, in the words of whoever waits."""
    if round(seconds) < _MINUTE:
        least = max(1, round(seconds))
        return language.ngettext("{count} second", "{count} seconds", least)
    if round(seconds / _MINUTE) < _MINUTE:
        return language.ngettext("{count} minute", "{count} minutes", round(seconds / _MINUTE))
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    told = language.ngettext("{count} hour", "{count} hours", hours)
    if not minutes:
        return told
    return f"{told} {language.ngettext('{count} minute', '{count} minutes', minutes)}"


# -- columns ----------------------------------------------------------------------------------


@frozen
class Field:
    """What a phone has, and the column that it is read from."""

    name: str
    title: str
    suggested: str
    """The column that is taken if nothing is chosen; empty where there is none."""
    reason: str
    """Why that one."""
    chosen: str
    """The column that was chosen; empty where nothing was."""
    otherwise: str
    """The one that was chosen for rows in which that one is empty."""
    columns: Sequence[str]
    """Those that there are to choose from."""


def fields_of(
    inspection: Inspection, choices: Choices, group: Group | None, language: Language
) -> list[Field]:
    """The fields of a phone, with the columns of a list for each."""
    columns = list(dict.fromkeys(each.name for one in inspection.lists for each in one.columns))
    found: dict[str, list[tuple[str, str]]] = {}
    for one in inspection.lists:
        for each in one.chosen:
            found.setdefault(each.field, []).append((each.column, each.reason))
    asked = {question.about for question in inspection.questions}
    titles = {} if group is None else {field: name for name, field in group.columns.items()}
    fields = []
    for name in (*FIELDS, "country"):
        title = language.gettext(_NAMES[name])
        if name in titles:
            title = f"{title} ({titles[name]})"
        chosen = choices.country if name == "country" else choices.columns.get(name)
        suggestions = [] if chosen or name in asked else found.get(name, [])
        first, otherwise = _in_two(chosen or "", columns)
        fields.append(
            Field(
                name,
                title,
                " / ".join(dict.fromkeys(column for column, _ in suggestions)),
                "; ".join(dict.fromkeys(reason for _, reason in suggestions)),
                first,
                otherwise,
                columns if not first or first in columns else [first, *columns],
            )
        )
    return fields


def _in_two(chosen: str, columns: Sequence[str]) -> tuple[str, str]:
    """A choice as a form shows it: a column, and one for where that is empty."""
    first, _, otherwise = chosen.rpartition(",")
    return (first, otherwise) if first in columns and otherwise in columns else (chosen, "")


def uses(one: ListView, column: str) -> list[str]:
    """The fields that are read from a column."""
    return [
        each.field
        for each in one.chosen
        if column == each.column or column in _JOINED.split(each.column)
    ]


@cache
def regions(language: Language) -> tuple[tuple[str, str], ...]:
    """The countries whose numbers are known, by their codes; those that are usual here first."""
    named = sorted((name_of_region(code, language), code) for code in SUPPORTED_REGIONS)
    first = [(name_of_region(code, language), code) for code in _USUAL]
    rest = [pair for pair in named if pair[1] not in _USUAL]
    return tuple((code, name) for name, code in (*first, *rest))


def name_of_region(code: str, language: Language) -> str:
    """What a country is called."""
    return str(Locale(language.code).territories.get(code, code))


# -- a check ----------------------------------------------------------------------------------


def kinds_of(check: Check, language: Language) -> Iterator[tuple[str, int]]:
    """What the numbers are that would be sent, and how many of each kind."""
    for kind, text in _KINDS.items():
        if check.survey and (count := check.survey.get(kind)):
            yield language.gettext(text), count


# -- progress and results -----------------------------------------------------------------------


@frozen
class Line:
    """How many phones met a fate."""

    outcome: str
    name: str
    count: int


def counts_of(progress: JobProgress, language: Language) -> list[Line]:
    """How many phones met each fate."""
    counts = {
        "created": progress.created,
        "invalid": progress.invalid,
        "failed": progress.failed - progress.unknown,
        "unknown": progress.unknown,
        "skipped": progress.skipped,
    }
    return [
        Line(outcome, language.gettext(NAMES[outcome]), count)
        for outcome, count in counts.items()
        if count or outcome == "created"
    ]


def told(job: Job, language: Language) -> str:
    """How it went, in a sentence."""
    progress = job.progress
    if progress is None or job.undo is not None:  # what is in the group now, its account says
        return ""
    rows = progress.total or progress.settled
    if progress.complete and progress.created == progress.settled == rows:
        line = language.ngettext(
            "The phone of this list is in the group.",
            "All {count} phones of this list are in the group.",
            rows,
        )
    else:
        line = language.ngettext(
            "{created} of {count} row is in the group.",
            "{created} of {count} rows are in the group.",
            rows,
            created=language.number(progress.created),
        )
    took = language.gettext("It took {time}.", time=duration(progress.elapsed, language))
    return f"{line} {took}"


def share_done(job: Job) -> float | None:
    """How much of the work is done, from 0 to 1; None where nobody knows."""
    if job.state in _UNDOING:
        undo = job.undo
        return min(1.0, undo.settled / undo.total) if undo and undo.total else None
    progress = job.progress
    if progress is None or not progress.total:
        return None
    return min(1.0, (progress.settled or progress.read) / progress.total)


@frozen
class HistoryLine:
    """A job among others."""

    job: Job
    group: str
    state: str
    when: str
    who: str
    counts: Sequence[Line]


def lines_of(
    jobs: Sequence[Job], groups: Sequence[Group] | None, language: Language
) -> list[HistoryLine]:
    """Jobs, as a history shows them."""
    return [
        HistoryLine(
            job,
            group_of(job, groups),
            state_name(job, language),
            moment(job.created, language),
            "" if job.owner == EVERYBODY else job.owner,
            counts_of(job.progress, language) if job.progress and job.started else (),
        )
        for job in jobs
    ]
