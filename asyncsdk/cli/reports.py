"""`asyncsdk report` and `asyncsdk retry`: a report that was written, told again or sent again."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncsdk.cli import parameters as given  # noqa: TC001 - typer reads it at run time
from asyncsdk.cli.closing import print_reasons, print_rejected, print_totals
from asyncsdk.cli.destination import Destination
from asyncsdk.cli.job import Job, failed
from asyncsdk.cli.options import parse_concurrency, parse_rate
from asyncsdk.cli.output import Output
from asyncsdk.cli.rejected import Rejected
from asyncsdk.cli.shown import Exit, stdout
from asyncsdk.errors import AsyncSDKError
from asyncsdk.export.load import load_results
from asyncsdk.export.reasons import ranked, told
from asyncsdk.ledger.run import Counts
from asyncsdk.models import FIELDS
from asyncsdk.report import Run, UploadReport
from asyncsdk.results import Delivery, Outcome
from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asyncsdk.results import PhoneResult

__all__ = ["report", "retry"]

_REJECTED = (Outcome.INVALID, Outcome.FAILED)

File = Annotated[
    Path,
    typer.Argument(metavar="REPORT", help="What --report wrote: .jsonl, .csv or .parquet."),
]


def report(
    file: File,
    html: given.Html = None,
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
) -> None:
    """Tell what a report says: the totals, the reasons, the rows that were not created.

    Exit codes: 0 every phone was created, 1 some were not, 2 usage.
    """
    output = Output(show, as_json, quiet, html=html)
    output.check([str(file)])
    try:
        loaded = _loaded(load_results(file))
        output.write(loaded, file.name, {})
    except (AsyncSDKError, OSError, ImportError) as error:
        failed(error)
    rejected = loaded.invalid_count + loaded.failed_count
    if as_json:
        reasons = [
            {"reason": reason.text, "outcome": reason.outcome, "count": reason.count}
            for reason in ranked(loaded.results(_REJECTED))
        ]
        rows = [row.to_dict() for row in _rows(loaded)]
        plain = loaded.summary() | {"reasons": reasons, "rejected": rows}
        sys.stdout.write(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    elif not quiet:
        print_totals(stdout(), loaded)
        print_reasons(stdout(), loaded.results(_REJECTED))
        print_rejected(stdout(), islice(_rows(loaded), show), rejected, show)
    raise typer.Exit(Exit.ALL_CREATED if loaded.ok else Exit.SOME_NOT_CREATED)


def retry(
    file: File,
    group: given.Group,
    rejects: given.Rejects = None,
    report: given.Report = None,
    html: given.Html = None,
    normalize: given.Normalize = None,
    batch_size: given.BatchSize = 1000,
    concurrency: given.Concurrency = "8",
    rate: given.Rate = "10/1s",
    on_unknown: given.OnUnknown = "reconcile",
    quiet_period: given.QuietPeriod = 30.0,
    deadline: given.Deadline = None,
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Upload again what failed and is safe to send.

    That is every phone of the report that certainly did not reach the group. Left out are those
    that are invalid (mend them first) and those that may be in the group.

    Exit codes: as for upload.
    """
    options = {
        "batch_size": batch_size,
        "concurrency": parse_concurrency(concurrency),
        "rate": parse_rate(rate),
        "on_unknown": on_unknown,
        "quiet_period": quiet_period,
        "normalize": normalize,
        "deadline": deadline,
        "keep_created": report is not None,
    }
    output = Output(show, as_json, quiet, verbose, rejects, report, html)
    output.check([str(file)])
    try:
        source = Failed(file)
    except (AsyncSDKError, ImportError) as error:
        failed(error)
    if source.unknown:
        output.say(f"{source.unknown:,} phones may be in the group and are left out")
    job = Job(source, f"{file} (what is safe to send)", Destination(group), options, output)
    raise typer.Exit(job.run())


class Failed(Table):
    """The phones of a report that failed and certainly did not reach the group.

    A row's line is its number in the list that was uploaded.

    Attributes:
        unknown: How many others may be in the group.
    """

    reopenable = True

    def __init__(self, path: Path) -> None:
        mapping = {name: ColumnChoice(name, at, "as sent") for at, name in enumerate(FIELDS)}
        super().__init__(str(path), FIELDS, mapping)
        self._path = path
        self.unknown = sum(result.delivery is Delivery.UNKNOWN for result in load_results(path))

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        for result in load_results(self._path):
            if result.outcome is Outcome.FAILED and result.delivery is not Delivery.UNKNOWN:
                cells = [getattr(result.phone, name) or "" for name in FIELDS]
                yield result.index + 1, cells


def _loaded(results: Iterable[PhoneResult]) -> UploadReport:
    """The report of these results; what a run was like is not in them."""
    counts = Counts()
    kept: dict[Outcome, list[PhoneResult]] = {outcome: [] for outcome in Outcome}
    for result in results:
        kept[result.outcome].append(result)
        counts.unknown += result.delivery is Delivery.UNKNOWN
    counts.created = len(kept[Outcome.CREATED])
    counts.invalid, counts.failed = (len(kept[outcome]) for outcome in _REJECTED)
    return UploadReport(Run(counts), kept.__getitem__)


def _rows(report: UploadReport) -> Iterator[Rejected]:
    for result in report.results(_REJECTED):
        yield Rejected(
            line=result.index + 1,
            index=result.index,
            phone=result.phone.phone,
            outcome=result.outcome.value,
            delivery=result.delivery.value,
            reason=told(result),
            status=result.status,
            cells=(),
        )
