"""A check: every row goes through the rules of its upload, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from asyncsdk.export.reasons import Ranking
from asyncsdk.results import WOULD_BE_SENT
from asyncsdk.sources import UndecidedError
from asyncsdk.sources.apart.book import ALL
from asyncsdk.sources.columns import NO_PHONES, NoPhonesError
from asyncsdk.sources.noted import NORMALIZE
from asyncsdk.survey import Surveying
from asyncsdk.web.errors import FileRefusedError
from asyncsdk.web.job import Check, Count, Doubt
from asyncsdk.web.reading import normalizing, opened, sending
from asyncsdk.workflow.doubts import doubts
from asyncsdk.workflow.dryrun import least_seconds, nobody

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.config import Rate
    from asyncsdk.report import UploadReport
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import Source
    from asyncsdk.survey import Survey
    from asyncsdk.web.job import Choices
    from asyncsdk.web.receiving import Limits

__all__ = ["check"]

_OFTEN = 5_000
"""Rows between two times that somebody hears how far it is."""


@define
class _Found:
    """What a dry run finds, row by row: nothing is kept of a row."""

    normal: bool
    """Whether numbers are read in their normal form, so that it can be told what they are."""
    _rows: int = field(default=0, init=False)
    _surveying: Surveying = field(factory=Surveying, init=False)
    _ranking: Ranking = field(factory=Ranking, init=False)

    def add(self, result: PhoneResult) -> int:
        """Count a row. Returns how many there are."""
        if self.normal:
            self._surveying.add(result)
        if result.error != WOULD_BE_SENT:
            self._ranking.add(result)
        self._rows += 1
        return self._rows

    @property
    def survey(self) -> Survey | None:
        return self._surveying.survey if self.normal else None

    @property
    def reasons(self) -> tuple[Count, ...]:
        return tuple(Count(one.text, one.count, one.outcome) for one in self._ranking.ranked())


async def check(
    path: Path,
    name: str,
    choices: Choices,
    limits: Limits,
    *,
    rate: Rate | None,
    settings: dict[str, Any],
    heard: Callable[[int], None],
) -> Check:
    """What would become of a list; this blocks the event loop, which is to be one of its own.

    Args:
        path: Where the list is.
        name: What it is called.
        choices: How it is read.
        limits: How much it may be.
        rate: That of the account.
        settings: Options of the upload that its owner does not choose.
        heard: Is called now and then with how many rows were checked.

    Raises:
        FileRefusedError: It has too many rows, or something must be chosen first.
        SourceError: It cannot be read.
        ConfigurationError: A choice cannot work.
    """
    source = _decided(path, name, choices, limits.unpacked_bytes)
    options = sending(source, choices)
    how = normalizing(options)
    rest = {key: value for key, value in options.items() if key not in {*NORMALIZE, "existing"}}
    found = _Found(how is not None)
    async with nobody() as client:
        upload = client.phones.upload(
            1, iter(source), dry_run=True, keep_created=False, normalize=how, **rest, **settings
        )
        async for result in upload:
            rows = found.add(result)
            limits.check_rows(rows)
            if rows % _OFTEN == 0:
                heard(rows)
    return _check(source, upload.report, found, rate)


def _decided(path: Path, name: str, choices: Choices, max_bytes: int) -> Source:
    """The list, with nothing left to choose; what is left is said in the words of a page."""
    try:
        return opened(path, name, choices, max_bytes)
    except UndecidedError as error:
        if error.question is None:
            raise
        answers = ", ".join(each.answer for each in error.question.options if each.answer != ALL)
        msg = f"choose first: {error.question.text} ({answers})"
        raise FileRefusedError(msg) from error
    except NoPhonesError as error:
        msg = f"{NO_PHONES}: choose the one that has them; {error.found}"
        raise FileRefusedError(msg) from error


def _check(source: Source, report: UploadReport, found: _Found, rate: Rate | None) -> Check:
    survey = found.survey
    counts = None if survey is None else survey.to_dict()
    wrong = () if survey is not None else doubts(source)
    return Check(
        rows=report.submitted,
        would_be_sent=report.would_be_sent_count,
        invalid=report.invalid_count,
        skipped=report.skipped_count - report.would_be_sent_count,
        doubtful=report.unknown_count,
        requests=report.batches,
        bytes=report.bytes,
        seconds_at_least=least_seconds(report.batches, rate),
        survey=None if counts is None else {k: n for k, n in counts.items() if isinstance(n, int)},
        countries=dict(survey.countries) if survey is not None else {},
        reasons=found.reasons,
        doubts=tuple(Doubt(one.what, one.count, one.place.line or 0) for one in wrong),
    )
