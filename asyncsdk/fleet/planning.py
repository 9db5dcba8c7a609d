"""The plan of an upload in partitions: every list is read once, and cut."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from asyncsdk.config import RetryPolicy, UploadOptions
from asyncsdk.errors import ConfigurationError
from asyncsdk.fleet.cutting import Limits, cut
from asyncsdk.fleet.manifest import ListFile, Manifest, Partition, manifest_at
from asyncsdk.fleet.places import places
from asyncsdk.fleet.settings import as_written
from asyncsdk.ledger.state import MOST_PARTITIONS, StateFolder
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.opening import FileInput
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.validators import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from asyncsdk.config import Adaptive, Normalize, OnUnknown
    from asyncsdk.models import Phone
    from asyncsdk.sources.columns import Column
    from asyncsdk.sources.questions import Question
    from asyncsdk.sources.read import Format

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
    keep_created: bool = True,
    replace: bool = False,
) -> Manifest:
    """Plan an upload in partitions: what is to be sent, which any process can then `run` a part of.

    Every list is read once, to its end: what breaks it is found before anything is sent. How it is
    written, and which of its columns are read, is decided by the whole of it, and holds for each of
    its partitions. A partition is a part of a CSV file, some row groups of a Parquet file, or one
    file of any other kind: workbooks, JSON, vCards, what is packed, and rejects files are not cut.

    Planned once more with the same lists and options, it changes nothing.

    Args:
        sources: A path, a pattern (`lists/*.parquet`), or several of them.
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
        keep_created: Whether the reports keep the created phones, or only count them.
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
    options = _checked(
        batch_size=batch_size,
        max_batch_bytes=max_batch_bytes,
        concurrency=concurrency,
        retry=retry,
        on_unknown=on_unknown,
        quiet_period=quiet_period,
        validate=validate,
        normalize=normalize,
        keep_created=keep_created,
    )
    for name, most in (("partition_rows", partition_rows), ("partition_bytes", partition_bytes)):
        if most is not None:
            whole_number(name, most)
    folder = StateFolder.at(state)
    wanted = Wanted(group, folder, reading, options, Limits(partition_rows, partition_bytes))
    stopped = Event()
    try:
        return await asyncio.to_thread(
            _planned, wanted, places(sources), ask, stopped, replace=replace
        )
    finally:
        stopped.set()  # where this is cancelled, the thread is to end, too


def _checked(**options: Any) -> dict[str, Any]:
    """Options as a manifest has them.

    Raises:
        ConfigurationError: One of them makes no sense.
        ImportError: `normalize` is given and phonenumbers is not installed.
    """
    rest = {
        "rate": None,
        "duplicates": "send",
        "existing": "send",
        "linger": None,
        "stop_when": None,
        "deadline": None,
        "journal": None,
        "on_progress": None,
        "dry_run": False,
    }
    checked = UploadOptions(**{**rest, **options})
    normalizer(checked.normalize)
    return as_written({name: getattr(checked, name) for name in options})


@frozen
class Wanted:
    """What was asked for."""

    group_id: int
    folder: StateFolder
    reading: dict[str, Any]
    options: dict[str, Any]
    limits: Limits


class _StoppedError(Exception):
    """Nobody waits for the plan any more."""


def _planned(
    wanted: Wanted,
    paths: Sequence[str],
    ask: Callable[[Question], str | None] | None,
    stopped: Event,
    *,
    replace: bool,
) -> Manifest:
    """The manifest of these lists, which is in its folder when this returns."""
    files: list[ListFile] = []
    parts: list[Partition] = []
    first = 0

    def seen(_: Phone) -> None:
        if stopped.is_set():
            raise _StoppedError

    for path in paths:
        source = FileInput(path, wanted.reading["max_bytes"] or MAX_BYTES)
        file, found = cut(source, {**wanted.reading, "ask": ask}, wanted.limits, seen)
        for part in found:
            parts.append(evolve(part, index=len(parts), file=len(files), first=first))
            first += part.rows
        files.append(file)
    if len(parts) > MOST_PARTITIONS:
        msg = (
            f"there would be {len(parts):,} partitions, and there may be {MOST_PARTITIONS:,}: give "
            "a larger partition_rows"
        )
        raise ConfigurationError(msg)
    made = Manifest(wanted.group_id, files, parts, wanted.reading, wanted.options)
    return _kept(made, wanted.folder, replace=replace)


def _kept(made: Manifest, folder: StateFolder, *, replace: bool) -> Manifest:
    """The manifest once it is in its folder: that one, if there is the same already."""
    made = evolve(made.as_read(), state=folder.path)
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.manifest.exists():
        before = manifest_at(folder.path)
        if before == made:
            return before
        _check_replaceable(before, made, folder, replace=replace)
    made.write()
    return made


def _check_replaceable(
    before: Manifest, made: Manifest, folder: StateFolder, *, replace: bool
) -> None:
    """Do nothing if this plan may take the place of the one before.

    Raises:
        ConfigurationError: It may not.
    """
    names = [name for name in _COMPARED if getattr(before, name) != getattr(made, name)]
    what = f"{folder.path} has another plan (other {' and '.join(names)})"
    if folder.all_journals():
        msg = f"{what}, of which something was sent: give another folder for this one"
        raise ConfigurationError(msg)
    if not replace:
        msg = f"{what}: give another folder, or replace=True (--replace) to give that one up"
        raise ConfigurationError(msg)


_COMPARED = ("group_id", "files", "partitions", "reading", "options", "shared")
