"""The jobs without a server, in one event loop with the sandbox."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from asyncsdk.sandbox import Sandbox
from asyncsdk.web import UploadJobs
from tests.rig import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from asyncsdk.web import Job

__all__ = ["at_rest", "opened", "pieces", "sent"]


@asynccontextmanager
async def opened(folder: Path, **options: Any) -> AsyncIterator[tuple[Sandbox, UploadJobs]]:
    """A sandbox with these options, and jobs that are sent there."""
    sandbox = Sandbox(**options)
    jobs = UploadJobs(
        folder / "uploads", client=lambda: client_of(sandbox), settings={"quiet_period": 0.1}
    )
    async with sandbox, jobs.lifespan():
        yield sandbox, jobs


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """A file as it comes."""
    for piece in given:
        yield piece


async def at_rest(jobs: UploadJobs, job_id: str) -> Job:
    """The job, once nothing is to be done for it."""
    while (job := await jobs.get("ann", job_id)).active:
        await asyncio.sleep(0.1)
    return job


async def sent(jobs: UploadJobs, body: bytes, group_id: int) -> Job:
    """A job that was sent whole."""
    job = await jobs.receive(pieces(body), owner="ann", name="list.csv")
    await jobs.choose("ann", job.id, group_id=group_id)
    await jobs.check("ann", job.id)
    checked = await at_rest(jobs, job.id)
    assert checked.check is not None, checked.reason
    await jobs.start("ann", job.id)
    return await at_rest(jobs, job.id)
