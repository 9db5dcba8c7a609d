"""The report of an upload: its account with files, and the errors that carry it."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk.errors import AsyncSDKError, reason_of
from asyncsdk.ledger.account import UploadAccount, UploadSummary
from asyncsdk.ledger.run import Run
from asyncsdk.ledger.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from asyncsdk.ledger.account import Only
    from asyncsdk.places import Place
    from asyncsdk.sources import Source
    from asyncsdk.survey import Survey

__all__ = ["Run", "UploadFailed", "UploadReport", "UploadStopped", "UploadSummary"]


@frozen(eq=False, repr=False, init=False)
class UploadReport(UploadAccount):
    """What became of every phone.

    `submitted == created_count + invalid_count + failed_count + skipped_count`, and every index of
    the source that was read occurs exactly once. `print(report)` says it in one
    line; `a + b` adds the reports of two uploads: the results keep their index within their own
    upload, and stand in the order of the uploads.
    """

    @classmethod
    def open(cls, path: str | PathLike[str]) -> UploadReport:
        """The report in a journal, whole or of an upload that still runs or was interrupted.

        It is read from the file when it is looked at. What has no fate yet counts as failed: with
        delivery UNKNOWN if a request may have left with it. While the upload still runs nobody
        knows: then only what is settled is in it, and `stopped_by` is "running".

        Args:
            path: The file that was given as `journal=`.

        Raises:
            JournalError: There is no journal, not all of it, or it cannot be read.
        """
        from asyncsdk.ledger.journal.reader import Reader, account

        return cls(*account(Reader(Path(path))))

    @classmethod
    def open_all(cls, state: str | PathLike[str]) -> UploadReport:
        """The report of an upload in partitions, at any moment, from any process.

        It is the sum of those of the partitions, in their order; rows are counted through all of
        them. Of one that was not begun nothing was read, so it is not `complete`. Of each only the
        counts are read before somebody looks further. `elapsed` is the sum of what all processes
        took.

        Args:
            state: The folder that `asyncsdk.fleet.plan` made.

        Raises:
            ConfigurationError: There is no such folder.
            JournalError: What is there of a partition cannot be read.
        """
        from asyncsdk.ledger.journal.partitions import accounts

        return cls.of(accounts(StateFolder.at(state)))

    def raise_for_failures(self) -> None:
        """Do nothing if `ok`.

        Raises:
            UploadFailed: Some phone that was to be sent was not created, or the upload did not run
                to its end.
        """
        if not self.ok:
            raise UploadFailed(self)

    def survey(self) -> Survey:
        """What the numbers are that were, or in a dry run would be, sent; kept ones alone.

        Raises:
            ImportError: phonenumbers is not installed: `pip install 'asyncsdk[phone]'`.
        """
        from asyncsdk.survey import survey_of

        return survey_of(chain(self.created, self.skipped, self.invalid))

    def to_csv(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as CSV, one row per phone, in source order within each outcome.

        Where the upload ended before its source did, one more row stands for all that were not
        read: its outcome is `unread`, and its index that of the first of them.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole.
            only: An outcome, or several, to write; None for all.

        Returns:
            The number of results written.
        """
        from asyncsdk.export.csv import write_csv

        return write_csv(path, self, only)

    def to_jsonl(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as JSON lines; arguments and result as for `to_csv`."""
        from asyncsdk.export.jsonl import write_jsonl

        return write_jsonl(path, self, only)

    def to_parquet(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as Parquet; arguments and result as for `to_csv`.

        Raises:
            ImportError: polars is not installed.
        """
        from asyncsdk.export.parquet import write_parquet

        return write_parquet(path, self, only)

    def to_frame(self, only: Only = None) -> Any:
        """The results as a data frame with the columns of `to_csv`: of polars, else of pandas.

        Args:
            only: An outcome, or several; None for all.

        Returns:
            A `polars.DataFrame` if polars is installed, else a `pandas.DataFrame`.

        Raises:
            ImportError: Neither is installed.
        """
        from asyncsdk.export.frame import frame_of

        return frame_of(self, only)

    def to_rejects(
        self,
        path: str | PathLike[str],
        source: Source | Iterable[object],
        *,
        options: Mapping[str, object] | None = None,
    ) -> int:
        """Write the invalid and failed rows, with their reasons, to be mended and uploaded.

        It is a CSV file with the columns of the list; what was skipped is not in it. Read by
        `asyncsdk.sources.read`, what must not be sent again is left out: numbers that other rows
        have, and what may be in the group (see `send_unknown` there), unless they were changed.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole. A name
                that ends in `.xlsx` makes it a workbook.
            source: What was uploaded, which is read once more: of `asyncsdk.sources`, a data frame,
                or any iterable of rows that can be iterated again, such as a list.
            options: Those of the upload, such as `{"normalize": "DE", "duplicates": "skip"}`: what
                decides which phones are sent is noted in the file, and holds again when that is
                uploaded, unless the upload says otherwise.

        Returns:
            The number of rows written.

        Raises:
            ConfigurationError: The source can be read only once, as a generator can.
            SourceError: The source cannot be read any more.
        """
        from asyncsdk.rejects import rejected_rows
        from asyncsdk.rejects_file import write_rejects
        from asyncsdk.sources.listed import source_of

        again = source_of(source)
        return write_rejects(path, again, rejected_rows(again, self), options)

    def to_html(
        self,
        path: str | PathLike[str],
        *,
        title: str = "",
        source: Source | Iterable[object] | None = None,
        group: str = "",
        rejects: str | PathLike[str] = "",
        when: datetime | None = None,
        places: Mapping[int, Place] | None = None,
        lang: str = "en",
    ) -> None:
        """Write a page that needs nothing else: the rejected rows, why, how to go on, pictures.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole.
            title: Its heading.
            source: What was uploaded, as for `to_rejects`: the page then has the list's name, its
                lines and its names of columns.
            group: The name of the group.
            rejects: The file that `to_rejects` wrote: the page has the command that uploads it.
            when: The date on it; None for now.
            places: Where rows stand in their file, by index, if not as the source says: see
                `asyncsdk.places`.
            lang: Its language: `en` or `de`.

        Raises:
            ImportError: jinja2 or Babel is not installed.
            ConfigurationError: There is no such language, or the source can be read only once.
            SourceError: The source cannot be read any more.
        """
        from asyncsdk.export.html import About, write_html

        about = About(
            title=title,
            group=group,
            when=when or datetime.now().astimezone(),
            places=places or {},
            rejects=fspath(rejects),
        )
        if source is not None:
            from asyncsdk.rejects import about_list
            from asyncsdk.sources.listed import source_of

            about = about_list(about, source_of(source), self)
        write_html(path, self, about, lang=lang)

    def _repr_html_(self) -> str | None:
        from asyncsdk.export.html import notebook

        return notebook(self)


class _ReportError(AsyncSDKError):
    """An error that carries the account of the upload it ended."""

    def __init__(self, report: UploadReport, cause: BaseException | None = None) -> None:
        super().__init__(report)
        self.report = report
        self.cause = cause
        self.__cause__ = cause

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.report, _picklable(self.cause))


class UploadStopped(_ReportError):
    """An upload could not go on; what it did until then is in `report`.

    Attributes:
        report: The whole account: every row read from the source is in it.
        cause: The error that ended it (also its `__cause__`; survives pickling).
    """

    def __str__(self) -> str:
        reason = "" if self.cause is None else f": {reason_of(self.cause)}"
        return f"upload stopped{reason} [{self.report}; the rest is in .report]"


class UploadFailed(_ReportError):
    """Raised by `UploadReport.raise_for_failures`: not every phone was created.

    Attributes:
        report: The report it was called on.
    """

    def __str__(self) -> str:
        return (
            f"not every phone was created [{self.report}]; see .report.invalid and .report.failed"
        )


def _picklable(cause: BaseException | None) -> BaseException | None:
    """Foreign exceptions need not pickle; their text does."""
    if cause is None or isinstance(cause, AsyncSDKError):
        return cause
    return AsyncSDKError(reason_of(cause))
