"""One job is sent: a journalled upload, watched from the table of jobs, which it keeps posted."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import define, evolve

from asyncsdk.config import Journal
from asyncsdk.errors import AsyncSDKError, JournalError
from asyncsdk.ledger.journal.lock import holder
from asyncsdk.progress import Phase
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.sources.noted import NORMALIZE
from asyncsdk.web.job import JobProgress, JobState
from asyncsdk.web.reading import opened, sending
from asyncsdk.workflow.numbers import parse_normalize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.client import Client
    from asyncsdk.progress import Progress
    from asyncsdk.sources import Source
    from asyncsdk.upload.handle import Upload
    from asyncsdk.web.async_table import AsyncJobTable
    from asyncsdk.web.job import Job
    from asyncsdk.web.receiving import Limits
    from asyncsdk.web.storage import JobFolder, Storage

__all__ = ["Uploader"]

_OFTEN = 0.5
"""Seconds between two times that the table hears how far an upload is."""
_TRIES = 20


@define(eq=False)
class Uploader:
    """Sends jobs.

    Args:
        table: The table of jobs.
        storage: Their files.
        client: Sends, at one pace for all.
        limits: How much a list may be.
        settings: Options of each upload that no job chooses.
        departing: Is set when the process is to end: uploads come to rest then.
        now: Gives unix seconds.
    """

    table: AsyncJobTable
    storage: Storage
    client: Client
    limits: Limits
    settings: dict[str, Any]
    departing: asyncio.Event
    now: Callable[[], float]

    async def send(self, job: Job) -> None:
        """Send a job, or go on with it, and enter how that ended.

        Raises:
            AsyncSDKError: It cannot go on.
        """
        folder = self.storage.folder(job.id)
        await _released(folder.journal)
        assert job.group_id is not None, "it has one since it was started"
        source = await asyncio.to_thread(self._opened, folder, job)
        upload = self._upload(job, folder, job.group_id, source).start()
        try:
            await self._follow(job.id, upload, job.check.rows if job.check else None)
        finally:
            upload.cancel()
            await upload.wait_closed()

    async def settle(self, job: Job) -> None:
        """Bring a job to rest whose worker died when it was to stop: the journal is its account."""
        journal = self.storage.folder(job.id).journal
        progress = await asyncio.to_thread(_noted, journal, job.progress)
        complete = progress is not None and progress.complete
        state = JobState.DONE if complete else JobState.STOPPED
        await self.table.change(
            job.id, lambda job: evolve(job, state=state, progress=progress, ended=self.now())
        )

    def _opened(self, folder: JobFolder, job: Job) -> Source:
        return opened(folder.list, job.name, job.choices, self.limits.unpacked_bytes)

    def _upload(self, job: Job, folder: JobFolder, group_id: int, source: Source) -> Upload:
        options = sending(source, job.choices)
        rest = {key: value for key, value in options.items() if key not in NORMALIZE}
        chosen: dict[str, Any] = {"on_unknown": "reconcile", **self.settings, **rest}
        return self.client.phones.upload(
            group_id,
            source,
            normalize=parse_normalize(options),
            journal=Journal(folder.journal, notes={"job": job.id}),
            **chosen,
        )

    async def _follow(self, job_id: str, upload: Upload, total: int | None) -> None:
        """Keep the table posted, and hear from it whether to stop, until the upload ends."""
        stopping: asyncio.Task[object] | None = None
        departing = asyncio.create_task(self.departing.wait())
        ending = asyncio.create_task(_ended(upload))
        try:
            while not ending.done():
                waits = {ending} if departing.done() else {ending, departing}
                await asyncio.wait(waits, timeout=_OFTEN, return_when=asyncio.FIRST_COMPLETED)
                job = await self.table.change(job_id, _posted(_progress_of(upload.progress, total)))
                if stopping is None and (departing.done() or job.state is JobState.STOPPING):
                    stopping = asyncio.create_task(_stop(upload))
            cause = ending.result()
        finally:
            departing.cancel()
            ending.cancel()
        await self._enter(job_id, upload, total, cause)

    async def _enter(
        self, job_id: str, upload: Upload, total: int | None, cause: BaseException | None
    ) -> None:
        """Enter how an upload ended."""
        report = upload.report
        progress = evolve(_progress_of(upload.progress, total), complete=report.complete)
        now = self.now()

        def ended(job: Job) -> Job:
            job = evolve(job, progress=progress, tries=0)
            if report.complete:
                return evolve(job, state=JobState.DONE, reason="", ended=now)
            if cause is not None:
                reason = self.storage.folder(job_id).without_paths(cause)
                return evolve(job, state=JobState.STOPPED, reason=reason, ended=now)
            if job.state is JobState.STOPPING:
                return evolve(job, state=JobState.STOPPED, reason="", ended=now)
            return job  # another worker goes on with it

        await self.table.change(job_id, ended)


async def _released(journal: Path) -> None:
    """Wait a moment for a dead worker to let go of a journal: its locks go one after the other."""
    for _ in range(_TRIES):
        if await asyncio.to_thread(holder, journal) is None:
            return
        await asyncio.sleep(_OFTEN)


def _noted(journal: Path, before: JobProgress | None) -> JobProgress | None:
    """How far a job came by its journal; as before where nothing stands there yet."""
    try:
        report = UploadReport.open(journal)
    except JournalError:
        return before
    return evolve(
        before or JobProgress(),
        read=report.submitted,
        created=report.created_count,
        invalid=report.invalid_count,
        failed=report.failed_count,
        skipped=report.skipped_count,
        unknown=report.unknown_count,
        in_flight=0,
        phase=Phase.ENDED.value,
        seconds_left=None,
        complete=report.complete,
    )


async def _ended(upload: Upload) -> BaseException | None:
    """Wait for its end; what stopped it, if something did."""
    try:
        await upload
    except UploadStopped as stopped:
        return stopped.cause or stopped
    except JournalError as error:
        return error
    return None


async def _stop(upload: Upload) -> None:
    with suppress(AsyncSDKError):  # what ends the upload is told where it is awaited
        await upload.stop()


def _posted(progress: JobProgress) -> Callable[[Job], Job]:
    """Enters how far a job is; one that gets on has not killed its worker."""

    def post(job: Job) -> Job:
        before = job.progress or JobProgress()
        if progress == before:
            return job
        tries = 0 if progress.settled > before.settled else job.tries
        return evolve(job, progress=progress, tries=tries)

    return post


def _progress_of(progress: Progress, total: int | None) -> JobProgress:
    """The progress of an upload as that of its job."""
    left = None if total is None else max(0, total - progress.settled)
    going = progress.phase is Phase.UPLOADING and progress.rate > 0
    return JobProgress(
        read=progress.read,
        total=total if progress.total is None else progress.total,
        created=progress.created,
        invalid=progress.invalid,
        failed=progress.failed,
        skipped=progress.skipped,
        unknown=progress.unknown,
        in_flight=progress.in_flight,
        requests=progress.requests,
        retries=progress.retries,
        throttled=round(progress.throttled, 1),
        elapsed=round(progress.elapsed, 1),
        rate=round(progress.rate, 1),
        paused=round(progress.paused, 1),
        paused_by=progress.paused_by,
        phase=progress.phase.value,
        sought=progress.lookup.sought if progress.lookup else 0,
        found=progress.lookup.found if progress.lookup else None,
        seconds_left=round(left / progress.rate, 1) if left is not None and going else None,
    )
