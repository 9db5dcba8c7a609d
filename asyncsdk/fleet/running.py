"""One run of a partition."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from asyncsdk.client import Client
from asyncsdk.config import Journal
from asyncsdk.errors import JournalInUseError
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.fleet.opening import opened
from asyncsdk.fleet.settings import as_options
from asyncsdk.ledger.journal.lock import is_locked
from asyncsdk.report import UploadReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

    from asyncsdk.fleet.manifest import Manifest, Partition
    from asyncsdk.progress import Progress

__all__ = ["run"]

_OFTEN = 0.2
"""Seconds between two looks at a journal that another process writes."""


async def run(
    manifest: Manifest | str | PathLike[str],
    index: int,
    *,
    client: Client | None = None,
    wait: bool = True,
    deadline: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> UploadReport:
    """Upload one partition, or go on with it; or do nothing, where it is complete.

    It may be called any number of times, later or at the same time, by any process of this host:
    one at a time uploads, the others wait for it and then find the partition complete. What a
    process left that died is taken up: nothing that was answered is sent again, and what was under
    way is treated as the plan's `on_unknown` says. What failed and is certainly not in the group
    is sent once more.

    Args:
        manifest: What `plan` gave, or the folder that it is in.
        index: Which partition, from 0.
        client: Sends; None for one of its own, `Client.from_env()`.
        wait: Whether to wait for another run of the same partition.
        deadline: Seconds after which the upload ends, whatever is under way.
        on_progress: Called with a `Progress`, at most ten times a second.

    Returns:
        The account of the partition, over all its runs.

    Raises:
        ConfigurationError: There is no such plan or partition, or the client cannot be used.
        SourceError: The list is not what was planned, or cannot be read.
        JournalInUseError: Another run is at it, and `wait` is False.
        UploadStopped: It cannot go on.
    """
    plan = manifest_at(manifest)
    partition = plan.partition(index)
    journal = plan.folder.journal(index)
    while True:
        await _released(journal, wait=wait)
        if (report := await asyncio.to_thread(_finished, journal)) is not None:
            return report
        try:
            return await _upload(plan, partition, journal, client, deadline, on_progress)
        except JournalInUseError:  # another that waited was faster
            if not wait:
                raise


async def _upload(
    plan: Manifest,
    partition: Partition,
    journal: Path,
    client: Client | None,
    deadline: float | None,
    on_progress: Callable[[Progress], object] | None,
) -> UploadReport:
    source = await asyncio.to_thread(opened, plan, partition)
    options: dict[str, Any] = as_options(plan.options)
    async with AsyncExitStack() as stack:
        if client is None:
            client = await stack.enter_async_context(Client.from_env())
        return await client.phones.upload(
            plan.group_id,
            source,
            journal=Journal(journal, notes={"partition": partition.index}),
            deadline=deadline,
            on_progress=on_progress,
            **options,
        )


def _finished(journal: Path) -> UploadReport | None:
    """The account of a partition of which nothing is left to be done."""
    if not journal.exists():
        return None
    report = UploadReport.open(journal)
    again = report.failed_count - report.unknown_count
    return report if report.complete and not again else None


async def _released(journal: Path, *, wait: bool) -> None:
    """Return when no process of this host writes to a journal.

    Raises:
        JournalInUseError: One does, and nobody waits.
    """
    while await asyncio.to_thread(is_locked, journal):
        if not wait:
            msg = f"the journal {journal} is in use: another run of the partition is at it"
            raise JournalInUseError(msg)
        await asyncio.sleep(_OFTEN)
