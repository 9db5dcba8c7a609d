"""The jobs of a page: what a browser, or whoever stands in for one, does with them."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.completion import completed
from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.web import transitions
from asyncsdk.web.destinations import check_group
from asyncsdk.web.errors import JobError, NoSuchJobError, NotNowError
from asyncsdk.web.job import Choices, Job, JobState, Undo
from asyncsdk.web.making import KINDS
from asyncsdk.web.receiving import Limits, file_name, store
from asyncsdk.web.results import ResultPage, page
from asyncsdk.web.service import Plan, Service, serving
from asyncsdk.web.storage import Storage
from asyncsdk.web.undoing import preview
from asyncsdk.workflow.dryrun import least_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Iterator
    from os import PathLike

    from asyncsdk.client import Client
    from asyncsdk.config import UploadSettings
    from asyncsdk.models import Group
    from asyncsdk.results import Outcome
    from asyncsdk.web.making import FileKind
    from asyncsdk.web.reading import Inspection

__all__ = ["UploadJobs"]

_DAY = 86_400.0
_POLL = 0.5
"""Seconds between two looks of somebody who follows a job."""
_STREAM = 5.0
"""Seconds for which a job is followed: a stream that stays open keeps a server from ending."""
_CHOSEN_HERE = frozenset(
    {
        *("journal", "on_progress", "dry_run", "columns", "keep_created", "deadline"),
        *("normalize", "duplicates", "existing"),
    }
)
"""Options of an upload that are not the host's to choose."""
_NO_JOB = "there is no such job: it may have been deleted"


class UploadJobs:
    """Lists that go up from a browser: stored, looked at, checked, sent, told of, taken back.

    Every process of an application makes one over the same folder, and serves it with its
    `lifespan`. Any of them answers for any job, and one of them works on it: when that one dies,
    the next one that looks takes it up. The folder must be on a disk of this host.

    Every method raises `JobError` (see `asyncsdk.web.errors`), of which `status` is the HTTP
    status. A job of another owner is none: `NoSuchJobError`.

    Args:
        folder: Where lists, journals and the table of jobs are; made if it is not there, for this
            user of the system alone. They hold phone numbers.
        client: Sends for all jobs of this process, at one pace; or a function that makes it.
            By default `Client.from_env`, called when the application starts. One that is given
            stays open.
        max_file_bytes: Bytes that a list may have.
        max_unpacked_bytes: Bytes that it may unpack to, and of memory that reading it may take.
        max_rows: Rows that it may have.
        keep_days: Days after which a job that is at rest is removed with all its files.
        scan: Is called with the path of each new file before anything reads it, as for a virus
            scanner; it refuses the file by raising. An async function, or one that may block.
        choices: What is chosen for a new job, as a beginning.
        settings: Options of each upload that its owner does not choose, such as `concurrency`.
        running: Jobs that this process sends at once.
        look_every: Seconds between two looks for jobs that nobody works on.

    Raises:
        ConfigurationError: An argument cannot work.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        client: Client | Callable[[], Client] | None = None,
        max_file_bytes: int = 256 << 20,
        max_unpacked_bytes: int = 1 << 30,
        max_rows: int = 2_000_000,
        keep_days: float = 30,
        scan: Callable[[Path], object] | None = None,
        choices: Choices | None = None,
        settings: UploadSettings | None = None,
        running: int = 4,
        look_every: float = 2.0,
    ) -> None:
        chosen = dict(settings or {})
        if wrong := sorted(_CHOSEN_HERE & chosen.keys()):
            msg = f"settings cannot have {', '.join(wrong)}: jobs choose that by themselves"
            raise ConfigurationError(msg)
        self.keep_days = keep_days
        self.limits: Limits = Limits(
            file_bytes=max_file_bytes, unpacked_bytes=max_unpacked_bytes, rows=max_rows
        )
        """How much a list may be."""
        self._plan = Plan(
            storage=Storage(Path(folder)),
            client=client,
            limits=self.limits,
            keep=keep_days * _DAY,
            settings=chosen,
            scan=scan,
            running=running,
            look_every=look_every,
        )
        self._choices = choices or Choices()
        self._open: Service | None = None

    # -- its life ----------------------------------------------------------------------------

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Serve the jobs while the application runs: `FastAPI(lifespan=jobs.lifespan)`.

        An application with a lifespan of its own enters this one in it:
        `async with jobs.lifespan(app): …`. When the process is told to end, uploads come to rest;
        the next process goes on with them.

        Raises:
            ConfigurationError: The credentials are not in the environment.
            OSError: The folder cannot be used.
        """
        async with serving(self._plan) as service:
            self._open = service
            try:
                yield
            finally:
                self._open = None

    @property
    def client(self) -> Client:
        """The client of this process, while it serves."""
        return self._opened.client

    @property
    def departing(self) -> bool:
        """Whether the process is to end: whatever streams is to end, too."""
        return self._opened.departing.is_set()

    # -- a list comes -------------------------------------------------------------------------

    async def receive(
        self, chunks: AsyncIterable[bytes], *, owner: str, name: str, size: int | None = None
    ) -> Job:
        """Store a list as it comes, and make a job of it.

        Args:
            chunks: Its bytes.
            owner: Whose it is.
            name: What the browser calls the file; folders in it are left out.
            size: How many bytes are said to come, if somebody said so.

        Raises:
            TooLargeError: It is too large: what is beyond is neither stored nor read.
            FileRefusedError: It is empty, has too many rows, or `scan` refused it.
            NoRoomError: The disk is full.
        """
        service = self._opened
        self.limits.check_size(size)
        job_id, folder = await asyncio.to_thread(self._plan.storage.create)
        lease = await asyncio.to_thread(folder.lease)  # it keeps the folder from being swept
        try:
            size = await store(chunks, folder.list, self.limits)
            await service.scanner.look(folder.list)
            job = Job(
                id=job_id,
                owner=owner,
                name=file_name(name),
                size=size,
                created=round(time.time(), 6),  # as its ISO form has it
                choices=self._choices,
            )
            await service.table.add(job)
        except BaseException:
            await self._forgotten(job_id)
            raise
        finally:
            if lease is not None:
                lease.release()
        return job

    # -- looking ------------------------------------------------------------------------------

    async def jobs(self, owner: str, *, limit: int = 50, before: float | None = None) -> list[Job]:
        """The jobs of an owner, the newest first.

        Args:
            owner: Whose.
            limit: How many at most.
            before: Only those that came before this moment (`Job.created` of the last one shown).
        """
        return await self._opened.table.of_owner(owner, limit, before)

    async def get(self, owner: str, job_id: str) -> Job:
        """One job as it is now, whichever worker works on it."""
        self._plan.storage.folder(job_id)  # refuses what is no id
        job = await self._opened.table.get(job_id)
        if job.owner != owner:
            raise NoSuchJobError(_NO_JOB)
        return job

    async def changes(
        self, owner: str, job_id: str, *, seen: int | None = None, seconds: float = _STREAM
    ) -> AsyncIterator[Job]:
        """The job as it is, and again whenever it has changed.

        It ends when the job is at rest, when so many seconds have gone by, or when the process is
        to end; whoever is still interested comes back with the version seen last.

        Args:
            owner: Whose it is.
            job_id: The job.
            seen: The version (`Job.version`) that is known already.
            seconds: For how long.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            job = await self.get(owner, job_id)
            if job.version != seen:
                seen = job.version
                yield job
            left = until - loop.time()
            if not job.active or left <= 0 or self.departing:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_POLL, left)):
                    await self._opened.departing.wait()

    async def inspect(self, owner: str, job_id: str) -> Inspection:
        """What the list has, read with the job's choices: columns, samples, open questions."""
        job = await self.get(owner, job_id)
        return await self._opened.offloader.inspect(job)

    async def groups(self, allowed: Collection[int] | None = None) -> list[Group]:
        """The groups of the account that this user may use.

        Args:
            allowed: Their ids; None for all.
        """
        return await self._opened.groups.usable(allowed)

    # -- choosing, checking, sending ----------------------------------------------------------

    async def choose(
        self,
        owner: str,
        job_id: str,
        *,
        choices: Choices | None = None,
        group_id: int | None = None,
        group_name: str | None = None,
        allowed: Collection[int] | None = None,
    ) -> Job:
        """Choose how the list is read, and where it goes; what is not given stays as it is.

        Args:
            owner: Whose it is.
            job_id: The job.
            choices: How it is read; a check that was made with others is forgotten.
            group_id: The group.
            group_name: A group's name, which is made when the job is started, if none has it.
            allowed: The ids of the groups that this user may use; None for all.

        Raises:
            NotNowError: The job was started.
            GroupRefusedError: This user may not use this group.
        """
        check_group(group_id, group_name, allowed)
        return await self._changed(
            owner, job_id, lambda job: transitions.choose(job, choices, group_id, group_name)
        )

    async def check(self, owner: str, job_id: str) -> Job:
        """Have it checked; `Job.check` says what was found once its state is `checked`.

        One that cannot be checked is a draft again, and `Job.reason` says why.

        Raises:
            NotNowError: The job was started.
        """
        return await self._changed(owner, job_id, transitions.check)

    async def start(
        self, owner: str, job_id: str, *, allowed: Collection[int] | None = None
    ) -> Job:
        """Have it sent. A job that was started is left as it is: who clicks twice sends once.

        Args:
            owner: Whose it is.
            job_id: The job.
            allowed: The ids of the groups that this user may use; None for all.

        Raises:
            NotNowError: It is not checked, or no group is chosen.
            GroupRefusedError: This user may not use its group.
            JobError: The group cannot be made.
        """
        job = await self.get(owner, job_id)
        if job.started is not None:
            return job
        transitions.expect(job, "started", JobState.CHECKED)
        group = await self._opened.groups.of(job, allowed)
        return await self._changed(
            owner, job_id, lambda job: transitions.start(job, group, time.time())
        )

    async def stop(self, owner: str, job_id: str) -> Job:
        """Have it stop: what is under way is waited for, the rest is kept for going on."""
        return await self._changed(owner, job_id, transitions.stop)

    async def resume(self, owner: str, job_id: str) -> Job:
        """Have it go on where it stopped; of one that is done, send what failed once more.

        Raises:
            NotNowError: There is nothing to go on with.
        """
        return await self._changed(owner, job_id, transitions.resume)

    # -- what became of it --------------------------------------------------------------------

    async def results(
        self,
        owner: str,
        job_id: str,
        outcome: Outcome,
        *,
        offset: int = 0,
        limit: int = 100,
        located: bool = False,
    ) -> ResultPage:
        """Rows that met a fate, page by page, as far as it is known while the job still runs.

        Args:
            owner: Whose it is.
            job_id: The job.
            outcome: The fate.
            offset: How many to leave out.
            limit: How many at most.
            located: Whether to tell their lines, too: the list is read for that.
        """
        job = await self._begun(owner, job_id)
        journal = self._plan.storage.folder(job_id).journal
        with self._without_paths(job_id):
            found = await asyncio.to_thread(page, journal, outcome, offset, limit)
            return await self._opened.offloader.located(job, found) if located else found

    async def file(self, owner: str, job_id: str, kind: FileKind) -> Path:
        """The path of a file of the job, made if it is not there: see `FileKind`.

        Args:
            owner: Whose it is.
            job_id: The job.
            kind: Which file.

        Raises:
            NotNowError: The job is being sent: its report is not whole.
            FileRefusedError: It cannot be made; the message says why.
        """
        if kind not in KINDS:
            msg = f"there is no such file: there are {', '.join(KINDS)}"
            raise NoSuchJobError(msg)
        job = await self._begun(owner, job_id)
        if job.state in {JobState.RUNNING, JobState.STOPPING}:
            msg = "the job is being sent: wait for its end, or stop it"
            raise NotNowError(msg)
        with self._without_paths(job_id):
            return await self._opened.offloader.file(job, kind)

    # -- taking it back -----------------------------------------------------------------------

    async def undo_preview(self, owner: str, job_id: str) -> Undo:
        """What would be deleted: how many phones, and how long that takes.

        Those that were deleted before are counted as such, and take no time.

        Raises:
            NotNowError: The job was not started, or is being sent.
        """
        job = await self._begun(owner, job_id)
        transitions.expect(job, "undone", *transitions.UNDOABLE)
        journal = self._plan.storage.folder(job_id).journal
        with self._without_paths(job_id):
            found = await asyncio.to_thread(preview, journal)
        if job.undo is not None:
            found = evolve(found, deleted=job.undo.deleted, gone=job.undo.gone)
        left = found.total - found.settled
        return evolve(found, seconds_at_least=least_seconds(left, self.client.rate))

    async def undo(self, owner: str, job_id: str) -> Job:
        """Have what the job created deleted; `Job.undo` is the account of that.

        Asked for once more, it deletes what could not be deleted before.

        Raises:
            NotNowError: The job was not started, or is being sent.
        """
        await self._begun(owner, job_id)
        return await self._changed(owner, job_id, transitions.undo)

    async def delete(self, owner: str, job_id: str) -> None:
        """Remove a job with all its files; what it put into the group stays there.

        Raises:
            NotNowError: A worker is at it: stop it first.
        """
        job = await self.get(owner, job_id)
        if job.active or not await self._opened.cleaner.remove(job):
            msg = "the job is worked on: stop it first"
            raise NotNowError(msg)

    # -- inside -------------------------------------------------------------------------------

    @property
    def _opened(self) -> Service:
        if self._open is None:
            msg = "the jobs are not served: FastAPI(lifespan=jobs.lifespan), or enter it in yours"
            raise ConfigurationError(msg)
        return self._open

    async def _changed(self, owner: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """The job after this change, of which the worker hears at once."""
        await self.get(owner, job_id)
        job = await self._opened.table.change(job_id, change)
        if job.active:
            self._opened.worker.wake()
        return job

    @contextmanager
    def _without_paths(self, job_id: str) -> Iterator[None]:
        """What a journal or a list says when it cannot be read, without where it is."""
        try:
            yield
        except JobError as error:
            raise type(error)(self._plan.storage.folder(job_id).without_paths(error)) from error
        except AsyncSDKError as error:
            raise JobError(self._plan.storage.folder(job_id).without_paths(error)) from error

    async def _begun(self, owner: str, job_id: str) -> Job:
        job = await self.get(owner, job_id)
        journal = self._plan.storage.folder(job_id).journal
        if job.started is None or not await asyncio.to_thread(journal.exists):
            msg = "the job has sent nothing yet"
            raise NotNowError(msg)
        return job

    async def _forgotten(self, job_id: str) -> None:
        """Remove the files of what did not become a job, whatever cancels that."""
        await completed(asyncio.ensure_future(asyncio.to_thread(self._plan.storage.remove, job_id)))
