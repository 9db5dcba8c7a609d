"""What is not needed any more goes: jobs that were deleted, old ones, and what was left behind."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.errors import AsyncSDKError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.web.async_table import AsyncJobTable
    from asyncsdk.web.job import Job
    from asyncsdk.web.storage import Storage

__all__ = ["Cleaner"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_EVERY = 600.0
"""Seconds between two times that what is old is removed."""


@frozen(eq=False)
class Cleaner:
    """Removes jobs with all their files.

    Args:
        table: The table of jobs.
        storage: Their files.
        keep: Seconds that a job may be at rest.
        now: Gives unix seconds.
    """

    table: AsyncJobTable
    storage: Storage
    keep: float
    now: Callable[[], float]

    async def run(self) -> None:
        """Remove what is old, now and then, until this is cancelled."""
        while True:
            try:
                await self.clean()
            except (AsyncSDKError, OSError):
                logger.exception("old jobs of the page could not be removed")
            await asyncio.sleep(_EVERY)

    async def clean(self) -> None:
        """Remove the jobs that were at rest for long, and what dead workers left behind."""
        for job in await self.table.at_rest_since(self.now() - self.keep):
            await self.remove(job)
        known = await self.table.ids()
        for stray in await asyncio.to_thread(lambda: list(self.storage.strays(known))):
            lease = await asyncio.to_thread(self.storage.folder(stray).lease)
            if lease is not None:
                await asyncio.to_thread(self.storage.remove, stray)
                lease.release()

    async def remove(self, job: Job) -> bool:
        """Whether a job could be removed: nobody works on it."""
        folder = self.storage.folder(job.id)
        lease = await asyncio.to_thread(folder.lease)
        if lease is None and await asyncio.to_thread(folder.path.exists):
            return False
        try:
            await self.table.remove(job.id)
            await asyncio.to_thread(self.storage.remove, job.id)
        finally:
            if lease is not None:
                lease.release()
        return True
