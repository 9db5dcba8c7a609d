"""What serves the jobs in one process while its application runs."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk.client import Client
from asyncsdk.web.async_table import AsyncJobTable
from asyncsdk.web.cleaning import Cleaner
from asyncsdk.web.destinations import Destinations
from asyncsdk.web.job import JobState
from asyncsdk.web.offloading import Offloader
from asyncsdk.web.scanning import Scanner
from asyncsdk.web.shutdown import noticing_shutdown
from asyncsdk.web.undoing import Undoer
from asyncsdk.web.uploading import Uploader
from asyncsdk.web.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from asyncsdk.web.receiving import Limits
    from asyncsdk.web.storage import Storage

__all__ = ["Plan", "Service", "serving"]

_CHECKS = 2
"""Lists that are checked at once."""
_PATIENCE = 4.0
"""Seconds that what is under way may take to come to rest when the process is to end."""


@frozen(eq=False, kw_only=True)
class Plan:
    """How jobs are served."""

    storage: Storage
    client: Client | Callable[[], Client] | None
    """Sends; or makes who does; None: as the environment says."""
    limits: Limits
    keep: float
    """Seconds that a job at rest is kept."""
    settings: dict[str, Any]
    """Options of each upload that no job chooses."""
    scan: Callable[[Path], object] | None
    """Looks at each file before anybody else does."""
    running: int
    """Jobs that are sent at once."""
    look_every: float
    """Seconds between two looks for jobs that nobody works on."""


@frozen(eq=False)
class Service:
    """The parts of it."""

    table: AsyncJobTable
    client: Client
    scanner: Scanner
    groups: Destinations
    offloader: Offloader
    worker: Worker
    cleaner: Cleaner
    departing: asyncio.Event
    """Is set when the process is to end."""


@asynccontextmanager
async def serving(plan: Plan) -> AsyncIterator[Service]:
    """Serve until the block is left; what is under way comes to rest then, to be gone on with.

    Raises:
        ConfigurationError: The credentials are not in the environment.
        OSError: The folder cannot be used.
    """
    async with AsyncExitStack() as closing:
        await asyncio.to_thread(plan.storage.prepare)
        service = _assembled(plan, await _client(plan, closing))
        closing.push_async_callback(service.table.close)
        closing.push_async_callback(service.offloader.close)
        with noticing_shutdown(service.departing):
            looking = asyncio.create_task(service.worker.run())
            tasks = [
                looking,
                asyncio.create_task(service.cleaner.run()),
                asyncio.create_task(_ended_with(looking, service.departing)),
            ]
            try:
                yield service
            finally:
                service.departing.set()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                await service.worker.drained(_PATIENCE)


async def _client(plan: Plan, closing: AsyncExitStack) -> Client:
    """Who sends; one that is made here is closed here."""
    if isinstance(plan.client, Client):
        return plan.client
    make = Client.from_env if plan.client is None else plan.client
    return await closing.enter_async_context(make())


def _assembled(plan: Plan, client: Client) -> Service:
    table, storage, departing = AsyncJobTable(plan.storage.table), plan.storage, asyncio.Event()
    offloader = Offloader(table, storage, plan.limits, client.rate, plan.settings)
    uploader = Uploader(table, storage, client, plan.limits, plan.settings, departing, time.time)
    undoer = Undoer(table, storage, client, departing, time.time)
    works = {
        JobState.CHECKING: offloader.check,
        JobState.RUNNING: uploader.send,
        JobState.STOPPING: uploader.settle,
        JobState.UNDOING: undoer.undo,
        JobState.UNDO_STOPPING: undoer.settle,
    }
    room = dict.fromkeys(works, plan.running) | {JobState.CHECKING: _CHECKS}
    worker = Worker(table, storage, works, room, plan.look_every, time.time)
    cleaner = Cleaner(table, storage, plan.keep, time.time)
    return Service(
        table,
        client,
        Scanner(plan.scan),
        Destinations(client, storage),
        offloader,
        worker,
        cleaner,
        departing,
    )


async def _ended_with(looking: asyncio.Task[None], departing: asyncio.Event) -> None:
    """Have no more jobs taken from the moment on in which the process is to end."""
    await departing.wait()
    looking.cancel()
