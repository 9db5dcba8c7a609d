"""`asyncsdk plan` and `asyncsdk run`: one upload in partitions, by any number of processes."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from asyncsdk import fleet
from asyncsdk.cli import parameters as given
from asyncsdk.cli.asking import ask
from asyncsdk.cli.closing import print_totals
from asyncsdk.cli.connecting import client_from_env
from asyncsdk.cli.destination import Destination, check_credentials
from asyncsdk.cli.job import failed
from asyncsdk.cli.lists import asked_as_typed
from asyncsdk.cli.live import view_for
from asyncsdk.cli.options import (
    parse_concurrency,
    parse_map,
    parse_quotechar,
    parse_rate,
    parse_sheets,
)
from asyncsdk.cli.output import Output, tell_requests
from asyncsdk.cli.running import Ending
from asyncsdk.cli.shown import Exit, fail, plain, print_json, stderr, stdout
from asyncsdk.cli.signals import handled
from asyncsdk.errors import AsyncSDKError, FencedError
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.integrations.redis import SharedPace
from asyncsdk.ledger.journal.partitions import accounts
from asyncsdk.progress import Progress
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.secret import Secret
from asyncsdk.words import counted
from asyncsdk.workflow.numbers import parse_normalize

if TYPE_CHECKING:
    from asyncsdk.cli.live import View
    from asyncsdk.config import Rate
    from asyncsdk.fleet import Manifest

__all__ = ["plan", "run"]

State = Annotated[
    Path, typer.Argument(metavar="STATE", file_okay=False, help="The folder of the upload.")
]


def plan(
    state: State,
    files: given.Files,
    group: given.Group,
    create_group: given.CreateGroup = False,
    partition_rows: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rows of a partition, or a little more.")
    ] = 100_000,
    partition_bytes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Bytes of a partition, likewise.")
    ] = None,
    columns: given.Map = [],
    country: given.Country = None,
    normalize: given.Normalize = None,
    bare: given.Bare = None,
    mobile_only: given.MobileOnly = False,
    duplicates: given.Duplicates = "send",
    existing: given.Existing = "send",
    send_unknown: given.SendUnknown = False,
    kind: given.Format = None,
    sheet: given.Sheet = [],
    all_sheets: given.AllSheets = False,
    hidden: given.Hidden = "skip",
    delimiter: given.Delimiter = None,
    encoding: given.Encoding = None,
    header: given.Header = None,
    skip_lines: given.SkipLines = 0,
    quotechar: given.Quotechar = '"',
    max_bytes: given.MaxBytes = None,
    batch_size: given.BatchSize = 1000,
    concurrency: given.Concurrency = "8",
    on_unknown: given.OnUnknown = "reconcile",
    quiet_period: given.QuietPeriod = 30.0,
    shared: Annotated[
        bool | None,
        typer.Option(
            "--shared/--local",
            help="Whether STATE is on a disk of several hosts; else as it looks.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up another plan, of which nothing was begun.")
    ] = False,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Plan an upload in partitions, of which any process can run one, on any host.

    Every list is read once. A partition is a part of a CSV file, some row groups of a Parquet
    file, or a file of another kind. 'asyncsdk run STATE 0' uploads the first, 'asyncsdk report
    STATE' tells of all. Planned once more, nothing changes.

    Exit codes: 0 it is planned, 2 usage, 3 credentials refused, 4 the group could not be read.
    """
    tell_requests(verbose)
    chosen = parse_map(columns)
    destination = Destination(group, create_group)
    options: dict[str, Any] = {
        "partition_rows": partition_rows,
        "partition_bytes": partition_bytes,
        "columns": chosen or None,
        "country": country,
        "normalize": parse_normalize(
            {"normalize": normalize, "bare": bare, "mobile_only": mobile_only}
        ),
        "duplicates": duplicates,
        "existing": existing,
        "send_unknown": send_unknown,
        "format": kind,
        "sheet": parse_sheets(sheet, all_sheets=all_sheets),
        "hidden": hidden,
        "delimiter": delimiter,
        "encoding": encoding,
        "header": header,
        "skip_lines": skip_lines,
        "quotechar": parse_quotechar(quotechar),
        "max_bytes": max_bytes,
        "batch_size": batch_size,
        "concurrency": parse_concurrency(concurrency),
        "on_unknown": on_unknown,
        "quiet_period": quiet_period,
        "shared": shared,
        "replace": replace,
        "ask": ask,
    }
    try:
        with asked_as_typed():
            made = asyncio.run(_planned(state, files, destination, options))
    except KeyboardInterrupt:
        fail("interrupted: nothing is planned", Exit.INTERRUPTED)
    except (AsyncSDKError, OSError, ImportError) as error:
        failed(error, destination)
    if as_json:
        print_json(_about(made))
    elif not quiet:
        _tell(made, state)


async def _planned(
    state: Path, files: list[str], destination: Destination, options: dict[str, Any]
) -> Manifest:
    names = await destination.columns(options["columns"] or {})
    if destination.group_id is not None and options["existing"] == "send":
        return await fleet.plan(files, destination.group_id, state, names=names, **options)
    check_credentials()
    async with client_from_env() as client:
        group = await destination.id(client)
        return await fleet.plan(files, group, state, names=names, client=client, **options)


def _about(made: Manifest) -> dict[str, object]:
    parts = [
        {"index": part.index, "file": made.files[part.file].path, "rows": part.rows}
        for part in made.partitions
    ]
    skips = sum(part.skips for part in made.partitions)
    return {
        "state": str(made.state),
        "group": made.group_id,
        "rows": made.rows,
        "marked": skips,
        "partitions": parts,
    }


def _tell(made: Manifest, state: Path) -> None:
    parts = counted(len(made.partitions), "partition")
    lists = counted(len(made.files), "list")
    console = stdout()
    console.print(
        Text(f"{parts} of {counted(made.rows, 'row')} in {lists}", style="bold"), soft_wrap=True
    )
    first, last = "0", str(len(made.partitions) - 1)
    which = first if first == last else f"{first} to {last}"
    console.print(
        plain(
            f"'asyncsdk run {state} INDEX' uploads one of them ({which}), "
            f"'asyncsdk run {state} --all' all; 'asyncsdk report {state}' tells how far they are."
        ),
        soft_wrap=True,
    )


def run(
    state: State,
    index: Annotated[
        int | None, typer.Argument(metavar="[INDEX]", help="Which partition, from 0.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All partitions that are not complete.")
    ] = False,
    index_from: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="The environment variable that has INDEX: SLURM_ARRAY_TASK_ID, "
            "JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX, …",
        ),
    ] = None,
    pace: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="ASYNCSDK_REDIS_URL",
            show_envvar=True,
            help="The Redis through which all processes share one rate, such as "
            "redis://host:6379/0: then they may be on any host.",
        ),
    ] = None,
    pace_name: Annotated[
        str, typer.Option(metavar="NAME", help="Whose pace it is, as 'asyncsdk pace' has it.")
    ] = "lox24",
    rate: given.Rate = "10/1s",
    at_once: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --all: partitions at a time.")
    ] = 4,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Whether to wait for another run of INDEX."),
    ] = True,
    deadline: given.Deadline = None,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Upload a partition of a plan, or go on with it; what is complete is left alone.

    It may be run any number of times, also at the same time, after any kind of end. The
    credentials come from the environment variables ASYNCSDK_CLIENT_ID and ASYNCSDK_API_KEY. A
    password in the URL of --pace is seen by who lists processes: the environment variable is not.

    Exit codes: 0 every phone was created that was not to be skipped, 1 some were rejected or
    failed, 2 usage, 3 credentials refused, 4 stopped before the end, 130 interrupted.
    """
    tell_requests(verbose)
    which = _index(index, index_from, every=every)
    check_credentials()
    options: dict[str, Any] = {"at_once": at_once} if which is None else {"wait": wait}
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    try:
        made = manifest_at(state)
        total = made.rows if which is None else made.partition(which).rows
        view = view_for(total, quiet=not output.live, quiet_period=made.options["quiet_period"])
        limits = _limits(pace, pace_name, parse_rate(rate))
        ending = asyncio.run(_followed(made, which, limits, options, view, deadline))
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)
    except (AsyncSDKError, OSError, ImportError) as error:
        failed(error)
    _close(ending, state, which, output)
    raise typer.Exit(ending.code)


def _limits(url: str | None, name: str, rate: Rate | None) -> dict[str, Any]:
    """What limits the client: a rate of its own, or one that it shares."""
    if url is None:
        return {"rate": rate}
    if rate is None:
        fail("--rate of a shared pace must be a rate such as 20/1s: it cannot be without")
    return {"pace": SharedPace(Secret(url), name=name, rate=rate)}


def _index(index: int | None, variable: str | None, *, every: bool) -> int | None:
    """Which partition is meant; None for all."""
    said = (index is not None) + (variable is not None) + every
    if said != 1:
        fail("say which partition: INDEX, --index-from VARIABLE, or --all")
    if variable is None:
        return index
    text = os.environ.get(variable, "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        fail(f"--index-from {variable}: that variable has no index of a partition")
    return int(text)


_DIGITS = 9
"""Of an index at most."""
_REFRESH = 0.1
"""Seconds."""
_STOPPING = "Stopping: waiting for what is in flight. Ctrl-C again gives that up."


async def _followed(
    made: Manifest,
    which: int | None,
    limits: dict[str, Any],
    options: dict[str, Any],
    view: View,
    deadline: float | None,
) -> Ending:
    """Run it and show how far it is; Ctrl-C stops it, a second one at once."""
    stop, shown = asyncio.Event(), [Progress()]
    interrupts: list[int] = []
    if deadline is not None:
        asyncio.get_running_loop().call_later(deadline, stop.set)

    def show(progress: Progress) -> None:
        shown[0] = progress

    async with client_from_env(**limits) as client:
        about = {"client": client, "stop": stop, "on_progress": show, **options}
        work = fleet.run_all(made, **about) if which is None else fleet.run(made, which, **about)
        task = asyncio.create_task(work)

        def interrupt() -> None:
            if interrupts:
                task.cancel()
            interrupts.append(1)
            stop.set()
            view.note(_STOPPING)

        with view, handled(interrupt, signal.SIGINT):
            while not task.done():
                await asyncio.wait({task}, timeout=_REFRESH if view.live else None)
                view.show(shown[0])
    return _ending(made, which, task, interrupted=bool(interrupts))


def _ending(
    made: Manifest, which: int | None, task: asyncio.Task[UploadReport], *, interrupted: bool
) -> Ending:
    """How it ended.

    Raises:
        AsyncSDKError: It never came to a report.
    """
    failure = None if task.cancelled() else task.exception()
    if failure is None and not task.cancelled():
        return Ending(task.result(), interrupted=interrupted)
    if failure is not None and not isinstance(failure, (UploadStopped, FencedError)):
        raise failure
    cause = failure.cause if isinstance(failure, UploadStopped) else failure
    stopped = interrupted and failure is None
    return Ending(_report(made, which), cause, interrupted=stopped)


def _report(made: Manifest, which: int | None) -> UploadReport:
    """What is on record of a partition, or of all."""
    if which is None:
        return UploadReport.open_all(made.state)
    return UploadReport.of(islice(accounts(made.folder), which, which + 1))


def _close(ending: Ending, state: Path, which: int | None, output: Output) -> None:
    if ending.interrupted:
        stderr().print(plain("Interrupted.", "bold red"))
    if ending.cause is not None:
        stderr().print(plain(f"Stopped: {ending.cause}", "bold red"), soft_wrap=True)
    if output.as_json:
        print_json({"partition": which, **ending.report.summary()})
    elif not output.quiet:
        unfinished = not ending.report.complete
        print_totals(stdout(), ending.report, going_on=unfinished)
        again = "the same command goes on" if unfinished else f"'asyncsdk report {state}' has all"
        output.say(f"{again[0].upper()}{again[1:]}." if unfinished else f"{again}.")
