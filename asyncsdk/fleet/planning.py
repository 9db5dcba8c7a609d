"""The plan of an upload in partitions: every list is read once, and cut."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from asyncsdk.client import Client
from asyncsdk.config import RetryPolicy, UploadOptions
from asyncsdk.fleet.cutting import Limits
from asyncsdk.fleet.drafting import Draft, kept, planned_before
from asyncsdk.fleet.places import places
from asyncsdk.fleet.remote import Remote, is_remote
from asyncsdk.fleet.settings import as_written
from asyncsdk.fleet.skips import Scan
from asyncsdk.ledger.journal.disks import network_disk
from asyncsdk.ledger.state import StateFolder
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.many import ManySources
from asyncsdk.sources.opening import FileInput
from asyncsdk.sources.read import read
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.upload.intake.numbers import skipping_of
from asyncsdk.upload.intake.source import options_noted
from asyncsdk.validators import whole_number

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from asyncsdk.config import Adaptive, Duplicates, Existing, Normalize, OnUnknown
    from asyncsdk.fleet.manifest import Manifest
    from asyncsdk.sources.columns import Column
    from asyncsdk.sources.questions import Question
    from asyncsdk.sources.read import Format
    from asyncsdk.sources.table import Source
    from asyncsdk.upload.intake.skipping import Skipping

__all__ = ["plan"]

_DEFAULT_RETRY = RetryPolicy()


async def plan(
    sources: str | PathLike[str] | Sequence[str | PathLike[str]],
    group: int,
    state: str | PathLike[str],
    *,
    partition_rows: int | None = 100_000,
    partition_bytes: int | None = None,
    format: Format | None = None,  # noqa: A002 - as `asyncsdk.sources.read` has it
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    quotechar: str | None = '"',
    sheet: str | Sequence[str] | None = None,
    hidden: str = "skip",
    send_unknown: bool = False,
    max_bytes: int | None = None,
    batch_size: int = 1000,
    max_batch_bytes: int = 1_000_000,
    concurrency: int | Adaptive = 8,
    retry: RetryPolicy = _DEFAULT_RETRY,
    on_unknown: OnUnknown = "reconcile",
    quiet_period: float = 30.0,
    validate: bool = True,
    normalize: str | Normalize | None = None,
    duplicates: Duplicates = "send",
    existing: Existing = "send",
    keep_created: bool = True,
    client: Client | None = None,
    shared: bool | None = None,
    replace: bool = False,
) -> Manifest:
    """Plan an upload in partitions: what is to be sent, which any process can then `run` a part of.

    Every list is read once, to its end: what breaks it is found before anything is sent. How it is
    written, and which of its columns are read, is decided by the whole of it, and holds for each of
    its partitions. A partition is a part of a CSV file, some row groups of a Parquet file, or one
    file of any other kind: workbooks, JSON, vCards, what is packed, and rejects files are not cut.

    Planned once more with the same lists and options, it changes nothing.

    Args:
        sources: A path, a pattern (`lists/*.parquet`), or several of them; also URLs of whatever
            fsspec opens (`s3://lists/*.csv`, needs `asyncsdk[fleet]`). Such a list is copied to a
            private file while it is planned; a run copies what its partition has.
        group: The id of the group to upload into.
        state: A folder for the plan and for the accounts; it is made where there is none. It holds
            phones once something runs, and is for its owner alone.
        partition_rows: A partition ends with the row, or row group, by which it has so many; None
            for no such limit.
        partition_bytes: The same for the bytes that it has in its file.
        format: As for `asyncsdk.sources.read`, and so are the next ones.
        columns: Fields of `Phone` to columns.
        names: What the group calls its columns.
        country: The column that says in which country a phone is.
        ask: Who answers what a list leaves open.
        delimiter: Of CSV, the character between cells.
        encoding: Of CSV and JSON.
        header: Whether the first row names the columns.
        skip_lines: Lines above the table.
        quotechar: Of CSV, the character around cells that hold a delimiter.
        sheet: Of a spreadsheet.
        hidden: Of a spreadsheet, what to do with rows that are hidden.
        send_unknown: Of a rejects file.
        max_bytes: Bytes that a packed file may unpack to.
        batch_size: As for `client.phones.upload`, and so are the next ones.
        max_batch_bytes: Bytes per request body at most.
        concurrency: Requests of one partition under way at once.
        retry: How often and how patiently to resend.
        on_unknown: What to do with phones whose request left without an answer.
        quiet_period: Seconds.
        validate: Whether to check the provider's limits before sending.
        normalize: A default region, or a `Normalize`.
        duplicates: Whether to `send` a number that came before in these lists, in whatever
            partition, or to `skip` it; compared as `client.phones.upload` does.
        existing: Whether to `send` a number that the group holds when this plan is made, or to
            `skip` it. The group's export is read once, now.
        keep_created: Whether the reports keep the created phones, or only count them.
        client: Reads the group, with `existing="skip"`; None for one of its own,
            `Client.from_env()`.
        shared: Whether the folder is on a disk of several hosts: see `Journal`. None: where it can
            be seen that it is.
        replace: Whether to put this plan in the place of another one that is there, of which
            nothing was begun.

    Returns:
        The manifest, which is in the folder, too.

    Raises:
        ConfigurationError: An option makes no sense, or another plan is there.
        SourceError: A list cannot be read, or has what `asyncsdk.sources.read` refuses.
        UndecidedError: Something must be chosen first.
        ImportError: Something of an extra is needed and not installed.
        OSError: The folder cannot be written.
    """
    whole_number("group", group)
    reading = {
        "format": format,
        "columns": None if columns is None else dict(columns),
        "names": None if names is None else dict(names),
        "country": country,
        "delimiter": delimiter,
        "encoding": encoding,
        "header": header,
        "skip_lines": skip_lines,
        "quotechar": quotechar,
        "sheet": sheet,
        "hidden": hidden,
        "send_unknown": send_unknown,
        "max_bytes": max_bytes,
    }
    options = {
        "batch_size": batch_size,
        "max_batch_bytes": max_batch_bytes,
        "concurrency": concurrency,
        "retry": retry,
        "on_unknown": on_unknown,
        "quiet_period": quiet_period,
        "validate": validate,
        "normalize": normalize,
        "duplicates": duplicates,
        "existing": existing,
        "keep_created": keep_created,
    }
    _checked(options)
    for name, most in (("partition_rows", partition_rows), ("partition_bytes", partition_bytes)):
        if most is not None:
            whole_number(name, most)
    folder = StateFolder.at(state)
    limits = Limits(partition_rows, partition_bytes)
    if shared is None:
        shared = await asyncio.to_thread(network_disk, folder.path) is not None
    with ExitStack() as copies:
        lists = await asyncio.to_thread(_opened, sources, reading, ask, copies)
        together = _together(lists)
        checked = _checked(options | options_noted(together, options))
        options = as_written({name: getattr(checked, name) for name in options})
        draft = Draft(group, reading, options, lists, limits, shared)
        skipping = skipping_of(together, checked.duplicates, checked.existing, checked.normalize)
        try:
            if skipping is None:
                return await _kept_plain(draft, folder, replace=replace)
            return await _kept_marked(draft, folder, checked, skipping, client, replace=replace)
        finally:
            draft.stopped.set()  # where this is cancelled, the thread is to end, too


async def _kept_plain(draft: Draft, folder: StateFolder, *, replace: bool) -> Manifest:
    """The manifest of lists of which every row is sent."""
    made = await asyncio.to_thread(draft.manifest)
    return await asyncio.to_thread(kept, folder, made, None, None, replace=replace)


async def _kept_marked(
    draft: Draft,
    folder: StateFolder,
    options: UploadOptions,
    skipping: Skipping,
    client: Client | None,
    *,
    replace: bool,
) -> Manifest:
    """The manifest of lists of which some rows are not to be sent."""
    if await asyncio.to_thread(folder.manifest.exists):  # then the group may hold its own by now
        made = await asyncio.to_thread(draft.manifest)
        before = await asyncio.to_thread(planned_before, folder, made, replace=replace)
        if before is not None:
            return before
    ids = None
    if options.existing == "skip":
        ids = await _noted_group(client, draft.group_id, skipping, options.retry)
    normalize = normalizer(options.normalize)
    scan = Scan(Checker(options.validate, normalize, skipping=skipping))
    made = await asyncio.to_thread(draft.manifest, scan)
    ids = ids if options.on_unknown == "reconcile" else None
    return await asyncio.to_thread(kept, folder, made, scan.marks, ids, replace=replace)


def _checked(options: Mapping[str, Any]) -> UploadOptions:
    """The options of an upload.

    Raises:
        ConfigurationError: One of them makes no sense.
        ImportError: `normalize` is given and phonenumbers is not installed.
    """
    found = UploadOptions(**_OF_A_RUN, **options)
    normalizer(found.normalize)
    return found


_OF_A_RUN: Mapping[str, Any] = {
    "rate": None,
    "linger": None,
    "stop_when": None,
    "deadline": None,
    "journal": None,
    "on_progress": None,
    "dry_run": False,
}
"""Options that no plan has."""


def _opened(
    sources: Any,
    reading: Mapping[str, Any],
    ask: Callable[[Question], str | None] | None,
    copies: ExitStack,
) -> list[tuple[FileInput, Source]]:
    """The lists, of which it is known what is in which column; what is elsewhere is copied."""
    most = reading["max_bytes"] or MAX_BYTES
    inputs = [_input(path, most, copies) for path in places(sources)]
    return [(one, read(one, **reading, ask=ask)) for one in inputs]


def _input(path: str, most: int, copies: ExitStack) -> FileInput:
    if not is_remote(path):
        return FileInput(path, most)
    remote = Remote(path)
    place, _ = copies.enter_context(remote.copied([(0, remote.size())]))
    return FileInput(place, most, path)


def _together(lists: Sequence[tuple[FileInput, Source]]) -> Source:
    """All of them as one list."""
    tables: list[Any] = [table for _, table in lists]
    return tables[0] if len(tables) == 1 else ManySources([t for one in tables for t in one.parts])


async def _noted_group(
    client: Client | None, group: int, skipping: Skipping, retry: RetryPolicy
) -> array[int]:
    """The ids that the group holds; `skipping` knows its numbers from here on."""
    if client is not None:
        return await client.phones.note_group(group, skipping, retry)
    async with Client.from_env() as made:
        return await made.phones.note_group(group, skipping, retry)
