"""One run of a partition."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from asyncsdk.client import Client
from asyncsdk.config import Journal
from asyncsdk.errors import (
    AsyncSDKError,
    ConfigurationError,
    FencedError,
    JournalError,
    JournalInUseError,
)
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.fleet.neighbours import Others
from asyncsdk.fleet.opening import opened
from asyncsdk.fleet.settings import as_options
from asyncsdk.fleet.skips import planned_skips
from asyncsdk.fleet.taking import is_fencing, taken, taken_over
from asyncsdk.ledger.journal.disks import network_disk
from asyncsdk.ledger.journal.partitions import begun, note_totals
from asyncsdk.ledger.journal.reader import account
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.upload.part import Part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from os import PathLike

    from asyncsdk.fleet.manifest import Manifest, Partition
    from asyncsdk.fleet.taking import Fencing, Taken
    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.progress import Progress
    from asyncsdk.upload.handle import Upload

__all__ = ["connected", "run"]


async def run(
    manifest: Manifest | str | PathLike[str],
    index: int,
    *,
    client: Client | None = None,
    pace: Any = None,
    wait: bool = True,
    stop: asyncio.Event | None = None,
    deadline: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> UploadReport:
    """Upload one partition, or go on with it; or do nothing, where it is complete.

    It may be called any number of times, later or at the same time. What a process left that died
    is taken up: nothing that was answered is sent again, and what was under way is treated as the
    plan's `on_unknown` says. What failed and is certainly not in the group is sent once more.

    Without a shared pace all runs are on one host: one at a time uploads a partition, the others
    wait for it and then find it complete. With one they may be on any host, and the last one that
    began has the partition: the one before ends at its next request, with a `FencedError`, whether
    it was slow, cut off, or stopped and continued. See `asyncsdk.fleet.taking`.

    Args:
        manifest: What `plan` gave, or the folder that it is in.
        index: Which partition, from 0.
        client: Sends; None for one of its own, `Client.from_env()`.
        pace: A pace that is shared with the other processes, such as
            `asyncsdk.integrations.redis.SharedPace`; None for that of the client.
        wait: Without a shared pace: whether to wait for another run of the same partition.
        stop: Once it is set nothing new begins, and what is in flight is waited for.
        deadline: Seconds after which the upload ends, whatever is under way.
        on_progress: Called with a `Progress`, at most ten times a second.

    Returns:
        The account of the partition, over all its runs.

    Raises:
        ConfigurationError: There is no such plan or partition, or client and pace cannot be used.
        SourceError: The list is not what was planned, or cannot be read.
        JournalInUseError: Another run is at it, and `wait` is False.
        FencedError: A later run has taken the partition over.
        UploadStopped: It cannot go on.
    """
    plan = await asyncio.to_thread(manifest_at, manifest)
    partition = plan.partition(index)
    if (report := await asyncio.to_thread(_finished, plan.folder, index)) is not None:
        return report
    async with connected(client, pace) as sends:
        while True:
            found = await _taken(plan, index, sends, wait=wait)
            if (report := await asyncio.to_thread(_finished, plan.folder, index)) is not None:
                return report
            try:
                return await _upload(
                    plan, partition, found, sends, stop, deadline=deadline, on_progress=on_progress
                )
            except JournalInUseError:  # another that waited was faster
                if not wait:
                    raise


@asynccontextmanager
async def connected(client: Client | None, pace: Any) -> AsyncIterator[Client]:
    """The client that is given, or one of the environment; its pace is the one that is given."""
    if client is None:
        async with Client.from_env(pace=pace) as made:
            yield made
        return
    if pace is not None and client.pace is not pace:
        msg = "the client has another pace: give none here, or make it with Client(…, pace=pace)"
        raise ConfigurationError(msg)
    yield client


async def _taken(plan: Manifest, index: int, client: Client, *, wait: bool) -> Taken:
    """The partition, once it may be sent here."""
    pace: Any = client.pace
    if not is_fencing(pace):
        return await taken(plan.folder, index, wait=wait)
    fencing: Fencing = pace
    name = f"{plan.id}/{index}"
    return await taken_over(plan.folder, index, fencing, name, client.timeout)


async def _upload(
    plan: Manifest,
    partition: Partition,
    found: Taken,
    client: Client,
    stop: asyncio.Event | None,
    **options: Any,
) -> UploadReport:
    stack = ExitStack()
    skips = await asyncio.to_thread(planned_skips, plan.folder, partition)
    margin = getattr(client.pace, "margin", 0.0)  # for whoever takes it over
    notes = {"partition": partition.index, "margin": margin, "timeout": client.timeout}
    shared = plan.shared or await asyncio.to_thread(network_disk, plan.state) is not None
    options |= as_options(plan.options) | {
        "duplicates": "send",  # the plan has said which rows are not to be
        "existing": "send",
        "journal": Journal(found.journal, notes=notes, shared=shared),
    }
    others = Others(plan.folder, partition.index)
    part = Part(pace=found.pace, begin=found.check, neighbours=others, skips=skips)
    try:
        source = await asyncio.to_thread(stack.enter_context, opened(plan, partition))
        upload = client.phones.upload_part(plan.group_id, source, part, options)
        async with _stopped_by(stop, upload):
            return await upload
    except UploadStopped as stopped:
        if isinstance(stopped.cause, JournalError):
            await found.check()  # whoever has taken it over may have removed this one
        if not isinstance(stopped.cause, FencedError):
            raise
        fenced = stopped.cause
    finally:
        stack.close()
        await asyncio.to_thread(note_totals, plan.folder, partition.index, found.journal)
    raise fenced  # by itself: the report of a run whose journal is gone would go along with it


@asynccontextmanager
async def _stopped_by(stop: asyncio.Event | None, upload: Upload) -> AsyncIterator[None]:
    """A block in which an upload runs, and is stopped when this is set."""
    if stop is None:
        yield
        return
    stopping = asyncio.create_task(_stop(stop, upload))
    try:
        yield
    finally:
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await stopping


async def _stop(stop: asyncio.Event, upload: Upload) -> None:
    await stop.wait()
    with suppress(AsyncSDKError):  # it is raised where the upload is awaited
        await upload.stop()


def _finished(folder: StateFolder, index: int) -> UploadReport | None:
    """The account of a partition of which nothing is left to be done."""
    reader = begun(folder, index)
    if reader is None:
        return None
    report = UploadReport(*account(reader))
    reader.close()
    again = report.failed_count - report.unknown_count
    return report if report.complete and not again else None
