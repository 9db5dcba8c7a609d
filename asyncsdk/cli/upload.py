"""`asyncsdk upload` and `asyncsdk check`: contact lists, to a group or only through the rules."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import typer

from asyncsdk.cli import parameters as given
from asyncsdk.cli.asking import Answers
from asyncsdk.cli.begun import begun, differing
from asyncsdk.cli.destination import Destination, check_credentials
from asyncsdk.cli.job import Job, failed
from asyncsdk.cli.lists import answered, opened
from asyncsdk.cli.options import (
    parse_concurrency,
    parse_map,
    parse_quotechar,
    parse_rate,
    parse_sheets,
    typed,
)
from asyncsdk.cli.output import Output, tell_requests
from asyncsdk.cli.shown import fail
from asyncsdk.config import Journal
from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.ledger.journal.disks import network_disk
from asyncsdk.sources.noted import as_noted

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.cli.begun import Begun
    from asyncsdk.sources import Source

__all__ = ["check", "upload"]

_SENDING = (
    "batch_size",
    "on_unknown",
    "quiet_period",
    "duplicates",
    "existing",
    "normalize",
    "bare",
    "mobile_only",
)
"""Arguments that the package has by the same name: of an upload, and of `read`."""
_READING = (
    "country",
    "hidden",
    "delimiter",
    "encoding",
    "header",
    "skip_lines",
    "send_unknown",
)


def upload(
    files: given.Files,
    group: given.Group,
    create_group: given.CreateGroup = False,
    columns: given.Map = [],
    country: given.Country = None,
    rejects: given.Rejects = None,
    report: given.Report = None,
    html: given.Html = None,
    lang: given.Lang = "en",
    journal: given.Journal = None,
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
    rate: given.Rate = "10/1s",
    on_unknown: given.OnUnknown = "reconcile",
    quiet_period: given.QuietPeriod = 30.0,
    deadline: given.Deadline = None,
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Upload the phones of contact lists into a group.

    The credentials come from the environment variables ASYNCSDK_CLIENT_ID and ASYNCSDK_API_KEY.

    Exit codes: 0 every phone was created that was not to be skipped, 1 some were rejected or
    failed, 2 usage, 3 credentials refused, 4 stopped before the end, 130 interrupted.
    """
    command: dict[str, Any] = {
        "files": [file if file == "-" else os.path.abspath(file) for file in files],
        "columns": columns,
        "country": country,
        "normalize": normalize,
        "bare": bare,
        "mobile_only": mobile_only,
        "duplicates": duplicates,
        "existing": existing,
        "send_unknown": send_unknown,
        "kind": kind,
        "sheet": sheet,
        "all_sheets": all_sheets,
        "hidden": hidden,
        "delimiter": delimiter,
        "encoding": encoding,
        "header": header,
        "skip_lines": skip_lines,
        "quotechar": quotechar,
        "max_bytes": max_bytes,
        "batch_size": batch_size,
        "concurrency": concurrency,
        "rate": rate,
        "on_unknown": on_unknown,
        "quiet_period": quiet_period,
    }
    before = begun(journal)
    answers = Answers([] if before is None else before.answers)
    notes = {"upload": command, "answers": answers.known}
    options = {name: command[name] for name in _SENDING} | {
        "concurrency": parse_concurrency(concurrency),
        "rate": parse_rate(rate),
        "deadline": deadline,
        "keep_created": report is not None or journal is not None,
        "journal": journal
        and Journal(journal, notes=notes, shared=network_disk(journal) is not None),
    }
    chosen = parse_map(columns)
    output = Output(show, as_json, quiet, verbose, rejects, report, html, journal, lang)
    output.check(files)
    tell_requests(verbose)
    if before is not None and columns:
        _go_on_alike(before, {"columns": columns}, journal)
    check_credentials()
    destination = Destination(group, create_group)
    reading = {name: command[name] for name in _READING} | {
        "columns": chosen,
        "names": _names(destination, chosen),
        "format": kind,
        "quotechar": parse_quotechar(quotechar),
        "max_bytes": max_bytes,
        "sheet": parse_sheets(sheet, all_sheets=all_sheets),
    }
    with opened(files, ask=answers, **reading) as (source, name):
        columns += answered(source)
        _adopt(source, options, command, output)
        if before is not None:
            _go_on_alike(before, command, journal)
        raise typer.Exit(Job(source, name, destination, options, output, before).run())


def check(
    files: given.Files,
    group: given.GroupForNames = None,
    columns: given.Map = [],
    country: given.Country = None,
    rejects: given.Rejects = None,
    report: given.Listing = None,
    html: given.Html = None,
    lang: given.Lang = "en",
    normalize: given.Normalize = None,
    bare: given.Bare = None,
    mobile_only: given.MobileOnly = False,
    duplicates: given.Duplicates = "send",
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
    rate: given.Rate = "10/1s",
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Check the phones of contact lists by the local rules; nothing is sent.

    It tells how many may be sent, why the others may not, and how many requests it takes; --report
    lists every row with the number that would go out. A group is asked for its column names only
    where --map uses them.

    Exit codes: 0 every row may be sent, 1 some are invalid, 2 usage.
    """
    options = {
        "normalize": normalize,
        "bare": bare,
        "mobile_only": mobile_only,
        "duplicates": duplicates,
        "batch_size": batch_size,
        "rate": parse_rate(rate),
        "dry_run": True,
    }
    chosen = parse_map(columns)
    output = Output(show, as_json, quiet, verbose, rejects, report, html, lang=lang, listing=True)
    output.check(files)
    tell_requests(verbose)
    reading: dict[str, Any] = {
        "columns": chosen,
        "names": _names(Destination(group), chosen) if group else None,
        "format": kind,
        "country": country,
        "sheet": parse_sheets(sheet, all_sheets=all_sheets),
        "hidden": hidden,
        "delimiter": delimiter,
        "encoding": encoding,
        "header": header,
        "skip_lines": skip_lines,
        "quotechar": parse_quotechar(quotechar),
        "max_bytes": max_bytes,
        "send_unknown": send_unknown,
    }
    with opened(files, **reading) as (source, name):
        _adopt(source, options, {}, output)
        raise typer.Exit(Job(source, name, None, options, output).run())


def _adopt(
    source: Source, options: dict[str, Any], command: dict[str, Any], output: Output
) -> None:
    """Take over what a rejects file notes of the upload that it is of, where nothing else is said.

    Args:
        source: The list.
        options: Of the upload.
        command: What the journal keeps of it.
        output: Is told.
    """
    try:
        found = as_noted(source, options)
    except ConfigurationError as error:
        fail(error)
    options |= found
    command |= found
    if found:
        output.say(f"as noted in {source.parts[0].path}: {typed(found)}")


def _go_on_alike(before: Begun, command: dict[str, Any], journal: Path | None) -> None:
    """Refuse to go on with other options: the same list would be other phones."""
    if others := differing(before.command, command):
        begin = f"{before.typed(upload)} --journal" if before.piped else "asyncsdk resume"
        how = f"'{begin} {journal}'"
        fail(
            f"{journal} was begun with other options ({', '.join(others)}): "
            f"{how} goes on with those it was begun with"
        )


def _names(destination: Destination, columns: dict[str, str]) -> dict[str, str]:
    """What the group calls its columns, if they may be meant."""
    try:
        return asyncio.run(destination.columns(columns))
    except (AsyncSDKError, OSError) as error:
        failed(error, destination)
