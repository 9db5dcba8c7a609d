"""`asyncsdk report` and `asyncsdk retry`: a report that was written, shown again or sent again."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import evolve

from asyncsdk.cli import parameters as given
from asyncsdk.cli.begun import begun, going_on
from asyncsdk.cli.closing import print_reasons, print_rejected, print_totals
from asyncsdk.cli.destination import Destination, check_credentials
from asyncsdk.cli.job import Job, failed
from asyncsdk.cli.options import parse_concurrency, parse_rate
from asyncsdk.cli.output import Output, tell_requests
from asyncsdk.cli.shown import Exit, fail, plain, print_json, stdout
from asyncsdk.errors import AsyncSDKError
from asyncsdk.export.html import About
from asyncsdk.export.load import SavedReport
from asyncsdk.export.reasons import has_twin, ranked, row_number, skipped_in
from asyncsdk.fleet import to_rejects
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.ledger.journal.database import is_journal
from asyncsdk.ledger.journal.lock import holder
from asyncsdk.ledger.run import Counts
from asyncsdk.models import FIELDS
from asyncsdk.places import ROW
from asyncsdk.rejects import Rejected
from asyncsdk.report import Run, UploadReport
from asyncsdk.results import WOULD_BE_SENT, Delivery, Outcome, StoppedBy
from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.table import Table
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.results import PhoneResult

__all__ = ["report", "retry"]

_ELSEWHERE = "--show N lists more, --csv FILE and --jsonl FILE write them all"
_RUNNING = "This upload still runs: these are the rows that are settled so far."
_OF_THE_RUN = ("requests", "retries", "throttled", "elapsed")
_REJECTED = (Outcome.INVALID, Outcome.FAILED)

File = Annotated[
    Path,
    typer.Argument(
        metavar="REPORT", help="What --report wrote (.jsonl, .csv, .parquet), or a journal."
    ),
]
FileOrState = Annotated[
    Path,
    typer.Argument(
        metavar="REPORT",
        help="What --report wrote (.jsonl, .csv, .parquet), a journal, or the folder of "
        "'asyncsdk plan'.",
    ),
]


Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write it as CSV.")
]
Jsonl = Annotated[
    Path | None,
    typer.Option("--jsonl", metavar="FILE", dir_okay=False, help="Write it as JSON lines."),
]
Only = Annotated[
    list[Outcome],
    typer.Option(
        "--only", help="Write only these: created, invalid, failed or skipped. Repeatable."
    ),
]


def report(
    file: FileOrState,
    csv: Csv = None,
    jsonl: Jsonl = None,
    only: Only = [],
    rejects: given.Rejects = None,
    html: given.Html = None,
    lang: given.Lang = "en",
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Tell what a report or a journal says: the totals, the reasons, the rows not created.

    Rows are counted from 1, without the header; of an upload in partitions through all lists.
    --rejects is for such an upload once it is complete, and reads its lists once more.

    Exit codes: 0 every phone was created that was not to be skipped, 1 some were not, 2 usage.
    """
    output = Output(show, as_json, quiet, verbose, rejects, html=html, lang=lang)
    output.check(_read_by(file), **{"--csv": csv, "--jsonl": jsonl})
    _check_rejects(file, rejects)
    tell_requests(verbose)
    saved, parts = SavedReport(file), file.is_dir()
    try:
        loaded = _opened(file, saved)
        running = loaded.stopped_by is StoppedBy.RUNNING
        if not loaded.complete and not running and not parts:
            saved.unread_from = loaded.submitted
        _export_rejects(file, output)
        _export(loaded, csv, jsonl, only, output)
        ended = (parts or is_journal(file)) and not loaded.complete and not running
        goes_on = _going_on(file) if ended else ""
        about = partial(_about, file, unfinished=bool(goes_on), rejects=str(rejects or ""))
        output.write(loaded, about)
    except (AsyncSDKError, OSError, ImportError) as error:
        failed(error)
    rejected = loaded.invalid_count + loaded.failed_count
    if as_json:
        reasons = [
            {"reason": reason.text, "outcome": reason.outcome, "count": reason.count}
            for reason in ranked(_not_created(loaded))
        ]
        rows = [_counted_from_one(row) for row in map(Rejected.numbered, loaded.results(_REJECTED))]
        totals = loaded.summary() | {"unread_from": saved.unread_from}
        if not (parts or is_journal(file)):
            totals |= dict.fromkeys(_OF_THE_RUN)  # files do not know
        skipped = [_counted_from_one(Rejected.numbered(result)) for result in skipped_in(loaded)]
        whole = totals | {"reasons": reasons, "rejected": rows, "skipped": skipped}
        print_json(whole)
    elif not quiet:
        print_totals(stdout(), loaded, going_on=running or bool(goes_on))
        print_reasons(stdout(), _not_created(loaded))
        twins = [result for result in skipped_in(loaded) if has_twin(result)]
        first = map(Rejected.numbered, chain(loaded.results(_REJECTED), twins))
        listed = rejected + len(twins)
        print_rejected(stdout(), islice(first, show), listed, show, _ELSEWHERE)
        if parts and not loaded.complete:
            stdout().print(plain(_how_far(file, loaded)), soft_wrap=True)
        elif running:
            stdout().print(plain(_RUNNING), soft_wrap=True)
        if saved.unread_from is not None:
            stdout().print(plain(_unread(saved.unread_from, file)), soft_wrap=True)
    raise typer.Exit(Exit.ALL_CREATED if loaded.ok else Exit.SOME_NOT_CREATED)


def _opened(file: Path, saved: SavedReport) -> UploadReport:
    """What is in a file, or a folder."""
    if file.is_dir():
        return UploadReport.open_all(file)
    return UploadReport.open(file) if is_journal(file) else _loaded(saved)


def _read_by(file: Path) -> list[str]:
    """The files that belong to an upload: nothing that is written may take their place."""
    if not file.is_dir():
        before = begun(file)
        lists = before.command.get("files", []) if before is not None else []
        return [str(file), *lists]
    try:
        lists = [one.path for one in manifest_at(file).files]
    except AsyncSDKError:  # it is told when the report is opened
        lists = []
    return [*lists, *map(str, file.iterdir())]


def _check_rejects(file: Path, rejects: Path | None) -> None:
    """End the command if a rejects file is wanted and nothing says which lists it is of."""
    if rejects is None or file.is_dir() or not file.exists():
        return
    again = "--csv FILE --only invalid --only failed writes the rows, without the list's columns"
    if (file.parent / "manifest.json").exists():
        again = f"'asyncsdk report {file.parent} --rejects {rejects}' is of all partitions"
    elif (before := begun(file)) is not None and before.command:
        ends = "writes it" if before.complete else "sends the rest, and writes it"
        again = f"'asyncsdk resume {file} --rejects {rejects}' {ends}"
    fail(f"--rejects is for the folder of 'asyncsdk plan': {again}")


def _going_on(file: Path) -> str:
    """How an upload goes on that did not come to its end."""
    return f"'asyncsdk run {file} --all' goes on" if file.is_dir() else going_on(file)


def _how_far(state: Path, report: UploadReport) -> str:
    """How much of an upload in partitions is settled, and how it goes on."""
    rows, all_rows = report.submitted, manifest_at(state).rows
    left = f"{rows:,} of {counted(all_rows, 'row')} are settled so far"
    return f"{left}; {_going_on(state)}."


def retry(
    file: File,
    group: given.GroupIfAny = None,
    rejects: given.Rejects = None,
    report: given.Report = None,
    html: given.Html = None,
    lang: given.Lang = "en",
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
    that are invalid (mend them first) and those that may be in the group. Rows that the upload
    did not come to are not in its report: its rejects file has them.

    Exit codes: as for upload, and 1 if the report is of an upload that ended early.
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
    output = Output(show, as_json, quiet, verbose, rejects, report, html, lang=lang)
    output.check([str(file)])
    try:
        source = Failed(file)
    except (AsyncSDKError, ImportError) as error:
        failed(error)
    if is_journal(file) and holder(file.resolve()):
        fail(f"the upload of {file} still runs: wait for its end")
    if is_journal(file) and source.saved.unread_from is not None:
        fail(f"the upload of {file} was not finished: {going_on(file)}")
    if len(source.saved.groups) > 1:
        fail(f"{file} has phones of several groups ({_listed(source.saved.groups)}): part it first")
    if group is None and source.saved.group_id is None:
        fail(f"{file} does not say which group it is of: give --group")
    if source.unknown:
        output.say(f"{counted(source.unknown, 'phone')} left out: perhaps in the group already")
    check_credentials()
    destination = Destination(group or str(source.saved.group_id))
    code = Job(source, f"{file} (what is safe to send)", destination, options, output).run()
    if source.saved.unread_from is not None:
        output.say(_unread(source.saved.unread_from, file))
        code = code or Exit.SOME_NOT_CREATED
    raise typer.Exit(code)


class Failed(Table):
    """The phones of a report that failed and certainly did not reach the group.

    A row's line is its number in the list that was uploaded; its phone has the form in which it was
    to be sent.

    Attributes:
        saved: The report.
        unknown: How many others may be in the group.
    """

    reopenable = True
    unit = ROW

    def __init__(self, path: Path) -> None:
        mapping = {name: ColumnChoice(name, at, "") for at, name in enumerate(FIELDS)}
        super().__init__(str(path), FIELDS, mapping)
        self.saved: SavedReport = SavedReport(path)
        self.unknown: int = sum(result.delivery is Delivery.UNKNOWN for result in self.saved)

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        for result in self.saved:
            if result.outcome is Outcome.FAILED and result.delivery is not Delivery.UNKNOWN:
                sent = evolve(result.phone, phone=result.number or result.phone.phone)
                cells = [getattr(sent, name) or "" for name in FIELDS]
                yield result.index + 1, cells


def _export(
    report: UploadReport,
    csv: Path | None,
    jsonl: Path | None,
    only: list[Outcome],
    output: Output,
) -> None:
    for path, write in ((csv, report.to_csv), (jsonl, report.to_jsonl)):
        if path is not None:
            count = write(path, only=only or None)
            output.say(f"{counted(count, 'result')} written to {path}")


def _export_rejects(state: Path, output: Output) -> None:
    if output.rejects is not None:
        count = to_rejects(state, output.rejects)
        output.say(f"{counted(count, 'row')} written to {output.rejects}")


def _about(file: Path, *, unfinished: bool, rejects: str) -> About:
    """What a page says besides what it reads in this file."""
    before = begun(file)
    lists = [] if before is None else before.command.get("files", [])
    return About(
        name=", ".join(Path(str(one)).name for one in lists if one != "-"),
        when=datetime.fromtimestamp(file.stat().st_mtime).astimezone(),
        report="" if before else str(file),
        rejects=rejects,
        journal=str(file) if before else "",
        unfinished=unfinished,
        by_command=before is None or bool(before.command),
    )


def _not_created(report: UploadReport) -> Iterator[PhoneResult]:
    """The phones that say why they were not, or would not be, created."""
    return chain(report.results(_REJECTED), skipped_in(report))


def _listed(groups: set[int | None]) -> str:
    named = sorted(group for group in groups if group is not None)
    return ", ".join([*map(str, named), *(["some do not say which"] if None in groups else [])])


def _unread(first: int, file: Path) -> str:
    if is_journal(file):
        return (
            f"This upload did not come to its end: {counted(first, 'row')} of the list were read. "
            f"{_sentence(going_on(file))}"
        )
    return (
        f"The upload that this report is of ended before {row_number(first)} of the list: that one "
        "and all after it are not in the report. Its rejects file, if --rejects wrote one, has "
        "them; else upload those rows of the list."
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _loaded(results: SavedReport) -> UploadReport:
    """The report of these results; what a run was like is not in them."""
    counts = Counts()
    kept: dict[Outcome, list[PhoneResult]] = {outcome: [] for outcome in Outcome}
    for result in results:
        kept[result.outcome].append(result)
        counts.add_rows(result.outcome, result.delivery, 1)
        counts.would_be_sent += result.error == WOULD_BE_SENT
    run = Run(
        counts,
        complete=results.unread_from is None,
        group_id=results.group_id,
        dry_run=counts.would_be_sent > 0,
    )
    return UploadReport(run, kept.__getitem__)


def _counted_from_one(row: Rejected) -> dict[str, object]:
    """A report knows no lines: its rows are counted from 1, and their indices from 0."""
    values = row.to_dict()
    return {"row": values.pop("line")} | values
