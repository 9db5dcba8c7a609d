"""The jobs of a page: what a browser, or whoever stands in for one, does with them."""

from __future__ import annotations

import asyncio
import inspect as python
import logging
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from asyncsdk.client import Client
from asyncsdk.completion import completed
from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.web.departure import noticing
from asyncsdk.web.desk import Desk
from asyncsdk.web.errors import (
    FileRefusedError,
    GroupRefusedError,
    JobError,
    NoRoomError,
    NoSuchJobError,
    NotNowError,
)
from asyncsdk.web.job import Choices, Job, JobState, Undo
from asyncsdk.web.laborious import Laborious
from asyncsdk.web.making import KINDS
from asyncsdk.web.reading import inspect
from asyncsdk.web.receiving import Limits, file_name, store
from asyncsdk.web.results import ResultPage, page
from asyncsdk.web.storage import Storage
from asyncsdk.web.undoing import Undoer, preview
from asyncsdk.web.uploading import Uploader
from asyncsdk.web.worker import Worker
from asyncsdk.workflow.dryrun import least_seconds
from asyncsdk.workflow.groups import group_named, groups_of

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterator,
    )
    from os import PathLike

    from asyncsdk.config import UploadSettings
    from asyncsdk.models import Group
    from asyncsdk.results import Outcome
    from asyncsdk.web.making import FileKind
    from asyncsdk.web.reading import Inspection

__all__ = ["UploadJobs"]

logger = logging.getLogger("asyncsdk")

_DAY = 86_400.0
_CLEANING = 600.0
"""Seconds between two times that what is old is removed."""
_POLL = 0.5
"""Seconds between two looks of somebody who follows a job."""
_STREAM = 5.0
"""Seconds for which a job is followed: a stream that stays open keeps a server from ending."""
_PATIENCE = 4.0
"""Seconds that what is under way may take to come to rest when the process is to end."""
_CHECKS = 2
"""Lists that are checked at once."""
_CHOSEN_HERE = frozenset(
    {
        *("journal", "on_progress", "dry_run", "columns", "keep_created", "deadline"),
        *("normalize", "duplicates", "existing"),
    }
)
"""Options of an upload that are not the host's to choose."""


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
        self.limits = Limits(
            file_bytes=max_file_bytes, unpacked_bytes=max_unpacked_bytes, rows=max_rows
        )
        self.keep_days = keep_days
        self._settings: dict[str, Any] = dict(settings or {})
        if wrong := sorted(_CHOSEN_HERE & self._settings.keys()):
            msg = f"settings cannot have {', '.join(wrong)}: jobs choose that by themselves"
            raise ConfigurationError(msg)
        self._choices = choices or Choices()
        self._make_client = client
        self._scan = scan
        self._running = running
        self._look_every = look_every
        self._storage = Storage(Path(folder))
        self._open: _Open | None = None

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
        async with AsyncExitStack() as closing:
            await asyncio.to_thread(self._storage.prepare)
            client = await self._entered(closing)
            desk = Desk(self._storage.table)
            closing.push_async_callback(desk.close)
            departing = asyncio.Event()
            laborious = Laborious(desk, self._storage, self.limits, client.rate, self._settings)
            closing.push_async_callback(laborious.close)
            worker = self._worker(desk, client, laborious, departing)
            self._open = _Open(desk, client, worker, laborious, departing)
            with noticing(departing):
                looking = asyncio.create_task(worker.run())
                cleaning = asyncio.create_task(self._clean())
                watching = asyncio.create_task(_stop_looking(looking, departing))
                try:
                    yield
                finally:
                    departing.set()
                    for task in (looking, cleaning, watching):
                        task.cancel()
                    await asyncio.wait([looking, cleaning, watching])
                    await worker.drained(_PATIENCE)
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
        self.limits.check_size(size)
        job_id, folder = await asyncio.to_thread(self._storage.create)
        lease = await asyncio.to_thread(folder.lease)  # it keeps the folder from being swept
        try:
            size = await store(chunks, folder.list, self.limits)
            await self._scanned(folder.list)
            job = Job(
                id=job_id,
                owner=owner,
                name=file_name(name),
                size=size,
                created=time.time(),
                choices=self._choices,
            )
            await self._opened.desk.add(job)
        except OSError as error:
            await self._forgotten(job_id)
            msg = f"the file cannot be stored: {error.strerror or error}"
            raise NoRoomError(msg) from error
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
        return await self._opened.desk.of_owner(owner, limit, before)

    async def get(self, owner: str, job_id: str) -> Job:
        """One job as it is now, whichever worker works on it."""
        self._storage.folder(job_id)  # refuses what is no id
        job = await self._opened.desk.get(job_id)
        if job.owner != owner:
            msg = "there is no such job: it may have been deleted"
            raise NoSuchJobError(msg)
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
        folder = self._storage.folder(job_id)
        async with self._opened.laborious.slots:
            return await asyncio.to_thread(
                inspect, folder.list, job.name, job.choices, self.limits.unpacked_bytes
            )

    async def groups(self, allowed: Collection[int] | None = None) -> list[Group]:
        """The groups of the account that this user may use.

        Args:
            allowed: Their ids; None for all.
        """
        found = await groups_of(self.client)
        return [group for group in found if allowed is None or group.id in allowed]

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
        if group_name is not None and allowed is not None:
            msg = "groups can only be chosen from those that are yours to use"
            raise GroupRefusedError(msg)
        if group_id is not None:
            _check_group(group_id, allowed)

        def chosen(job: Job) -> Job:
            _expect(job, "chosen for", JobState.DRAFT, JobState.CHECKED, JobState.CHECKING)
            if group_id is not None:
                job = evolve(job, group_id=group_id, group_name="")
            elif group_name is not None:
                job = evolve(job, group_id=None, group_name=group_name.strip())
            if choices is None or choices == job.choices:
                return job
            return evolve(job, choices=choices, check=None, state=JobState.DRAFT, reason="")

        return await self._changed(owner, job_id, chosen)

    async def check(self, owner: str, job_id: str) -> Job:
        """Have it checked; `Job.check` says what was found once its state is `checked`.

        One that cannot be checked is a draft again, and `Job.reason` says why.

        Raises:
            NotNowError: The job was started.
        """

        def asked(job: Job) -> Job:
            if job.state in {JobState.CHECKING, JobState.CHECKED}:
                return job
            _expect(job, "checked", JobState.DRAFT)
            return evolve(job, state=JobState.CHECKING, reason="", progress=None, tries=0)

        return await self._changed(owner, job_id, asked)

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
        _expect(job, "started", JobState.CHECKED)
        group = await self._group(job, allowed)

        def started(job: Job) -> Job:
            if job.started is not None:
                return job
            _expect(job, "started", JobState.CHECKED)
            return evolve(
                job,
                state=JobState.RUNNING,
                group_id=group.id,
                group_name=group.name,
                started=time.time(),
                reason="",
                waits_for="worker",
                progress=None,
                tries=0,
            )

        return await self._changed(owner, job_id, started)

    async def stop(self, owner: str, job_id: str) -> Job:
        """Have it stop: what is under way is waited for, the rest is kept for going on."""

        def stopped(job: Job) -> Job:
            if job.state is JobState.RUNNING:
                return evolve(job, state=JobState.STOPPING)
            if job.state is JobState.UNDOING:
                return evolve(job, state=JobState.UNDO_STOPPED, ended=time.time())
            if job.state is JobState.CHECKING:
                return evolve(job, state=JobState.DRAFT)
            return job

        return await self._changed(owner, job_id, stopped)

    async def resume(self, owner: str, job_id: str) -> Job:
        """Have it go on where it stopped; of one that is done, send what failed once more.

        Raises:
            NotNowError: There is nothing to go on with.
        """

        def resumed(job: Job) -> Job:
            if job.state is JobState.RUNNING:
                return job
            _expect(job, "resumed", JobState.STOPPED, JobState.DONE)
            failed = job.progress.failed if job.progress else 0
            if job.state is JobState.DONE and not failed:
                msg = "nothing failed that could be sent once more"
                raise NotNowError(msg)
            return evolve(
                job, state=JobState.RUNNING, reason="", ended=None, waits_for="worker", tries=0
            )

        return await self._changed(owner, job_id, resumed)

    # -- what became of it --------------------------------------------------------------------

    async def results(
        self, owner: str, job_id: str, outcome: Outcome, *, offset: int = 0, limit: int = 100
    ) -> ResultPage:
        """Rows that met a fate, page by page, as far as it is known while the job still runs.

        Args:
            owner: Whose it is.
            job_id: The job.
            outcome: The fate.
            offset: How many to leave out.
            limit: How many at most.
        """
        await self._begun(owner, job_id)
        journal = self._storage.folder(job_id).journal
        with self._said(job_id):
            return await asyncio.to_thread(page, journal, outcome, offset, limit)

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
        with self._said(job_id):
            return await self._opened.laborious.file(job, kind)

    # -- taking it back -----------------------------------------------------------------------

    async def undo_preview(self, owner: str, job_id: str) -> Undo:
        """What would be deleted: how many phones, and how long that takes.

        Raises:
            NotNowError: The job was not started, or is being sent.
        """
        job = await self._begun(owner, job_id)
        _expect(job, "undone", *_UNDOABLE)
        journal = self._storage.folder(job_id).journal
        with self._said(job_id):
            found = await asyncio.to_thread(preview, journal)
        return evolve(found, seconds_at_least=least_seconds(found.total, self.client.rate))

    async def undo(self, owner: str, job_id: str) -> Job:
        """Have what the job created deleted; `Job.undo` is the account of that.

        Asked for once more, it deletes what could not be deleted before.

        Raises:
            NotNowError: The job was not started, or is being sent.
        """
        await self._begun(owner, job_id)

        def undone(job: Job) -> Job:
            if job.state is JobState.UNDOING:
                return job
            _expect(job, "undone", *_UNDOABLE)
            return evolve(
                job, state=JobState.UNDOING, reason="", ended=None, waits_for="worker", tries=0
            )

        return await self._changed(owner, job_id, undone)

    async def delete(self, owner: str, job_id: str) -> None:
        """Remove a job with all its files; what it put into the group stays there.

        Raises:
            NotNowError: A worker is at it: stop it first.
        """
        job = await self.get(owner, job_id)
        if job.active or not await self._removed(job):
            msg = "the job is worked on: stop it first"
            raise NotNowError(msg)

    # -- inside -------------------------------------------------------------------------------

    @property
    def _opened(self) -> _Open:
        if self._open is None:
            msg = "the jobs are not served: FastAPI(lifespan=jobs.lifespan), or enter it in yours"
            raise ConfigurationError(msg)
        return self._open

    async def _entered(self, closing: AsyncExitStack) -> Client:
        """The client; one that is made here is closed here."""
        if isinstance(self._make_client, Client):
            return self._make_client
        make = Client.from_env if self._make_client is None else self._make_client
        return await closing.enter_async_context(make())

    def _worker(
        self, desk: Desk, client: Client, laborious: Laborious, departing: asyncio.Event
    ) -> Worker:
        uploader = Uploader(
            desk,
            self._storage,
            client,
            self.limits,
            self._settings,
            departing,
            time.time,
        )
        undoer = Undoer(desk, self._storage, client, departing, time.time)
        works: dict[JobState, Callable[[Job], Awaitable[None]]] = {
            JobState.CHECKING: laborious.check,
            JobState.RUNNING: uploader.send,
            JobState.STOPPING: uploader.settle,
            JobState.UNDOING: undoer.undo,
        }
        room = {
            JobState.CHECKING: _CHECKS,
            JobState.RUNNING: self._running,
            JobState.STOPPING: self._running,
            JobState.UNDOING: self._running,
        }
        return Worker(desk, self._storage, works, room, self._look_every, time.time)

    async def _changed(self, owner: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """The job after this change, of which the worker hears at once."""
        await self.get(owner, job_id)
        job = await self._opened.desk.change(job_id, change)
        if job.active:
            self._opened.worker.wake()
        return job

    @contextmanager
    def _said(self, job_id: str) -> Iterator[None]:
        """What a journal or a list says when it cannot be read, without where it is."""
        try:
            yield
        except JobError as error:
            raise type(error)(self._storage.folder(job_id).said(error)) from error
        except AsyncSDKError as error:
            raise JobError(self._storage.folder(job_id).said(error)) from error

    async def _begun(self, owner: str, job_id: str) -> Job:
        job = await self.get(owner, job_id)
        journal = self._storage.folder(job_id).journal
        if job.started is None or not await asyncio.to_thread(journal.exists):
            msg = "the job has sent nothing yet"
            raise NotNowError(msg)
        return job

    async def _forgotten(self, job_id: str) -> None:
        """Remove the files of what did not become a job, whatever cancels that."""
        await completed(asyncio.ensure_future(asyncio.to_thread(self._storage.remove, job_id)))

    async def _scanned(self, path: Path) -> None:
        """Have the host's own scanner look at a file.

        Raises:
            FileRefusedError: It refuses it.
        """
        if self._scan is None:
            return
        try:
            if python.iscoroutinefunction(self._scan):
                await self._scan(path)
            else:
                found = await asyncio.to_thread(self._scan, path)
                if python.isawaitable(found):
                    await found
        except Exception as error:
            msg = f"the file was refused: {error}"
            raise FileRefusedError(msg) from error

    async def _group(self, job: Job, allowed: Collection[int] | None) -> Group:
        """The group of a job that is to be started, which is made if it is to be.

        Raises:
            NotNowError: None is chosen.
            GroupRefusedError: This user may not use it.
            JobError: It is not there, or cannot be made.
        """
        try:
            if job.group_id is not None:
                _check_group(job.group_id, allowed)
                return await self.client.groups.get(job.group_id)
            if not job.group_name:
                msg = "no group is chosen"
                raise NotNowError(msg)
            if allowed is not None:
                msg = "groups can only be chosen from those that are yours to use"
                raise GroupRefusedError(msg)
            return await self._group_named(job.group_name)
        except JobError:
            raise
        except AsyncSDKError as error:
            msg = f"the group cannot be used: {error}"
            raise JobError(msg) from error

    async def _group_named(self, name: str) -> Group:
        while (lease := await asyncio.to_thread(self._storage.naming)) is None:
            await asyncio.sleep(_POLL / 10)
        try:
            return await group_named(self.client, name) or await self.client.groups.create(name)
        finally:
            lease.release()

    async def _removed(self, job: Job) -> bool:
        """Whether a job could be removed: nobody works on it."""
        lease = await asyncio.to_thread(self._storage.folder(job.id).lease)
        if lease is None:
            exists = self._storage.folder(job.id).path.exists
            if await asyncio.to_thread(exists):
                return False
        try:
            await self._opened.desk.remove(job.id)
            await asyncio.to_thread(self._storage.remove, job.id)
        finally:
            if lease is not None:
                lease.release()
        return True

    async def _clean(self) -> None:
        """Remove what is old, and what belongs to no job, now and then."""
        while True:
            try:
                await self.clean()
            except (AsyncSDKError, OSError):
                logger.exception("old jobs of the page could not be removed")
            await asyncio.sleep(_CLEANING)

    async def clean(self) -> None:
        """Remove the jobs that were at rest for `keep_days`, and what dead workers left behind."""
        for job in await self._opened.desk.at_rest_since(time.time() - self.keep_days * _DAY):
            await self._removed(job)
        known = await self._opened.desk.ids()
        for stray in await asyncio.to_thread(lambda: list(self._storage.strays(known))):
            lease = await asyncio.to_thread(self._storage.folder(stray).lease)
            if lease is not None:
                await asyncio.to_thread(self._storage.remove, stray)
                lease.release()


@frozen(eq=False)
class _Open:
    """What jobs have while they are served."""

    desk: Desk
    client: Client
    worker: Worker
    laborious: Laborious
    departing: asyncio.Event
    """Is set when the process is to end."""


_UNDOABLE = (JobState.STOPPED, JobState.DONE, JobState.UNDO_STOPPED, JobState.UNDONE)


async def _stop_looking(looking: asyncio.Task[None], departing: asyncio.Event) -> None:
    await departing.wait()
    looking.cancel()


def _expect(job: Job, what: str, *states: JobState) -> None:
    """Do nothing if a job is in one of these states.

    Raises:
        NotNowError: It is in another.
    """
    if job.state not in states:
        known = " or ".join(states)
        msg = f"the job is {job.state}: only one that is {known} can be {what}"
        raise NotNowError(msg)


def _check_group(group_id: int, allowed: Collection[int] | None) -> None:
    if allowed is not None and group_id not in allowed:
        msg = "this group is not yours to use: choose one of those that are shown"
        raise GroupRefusedError(msg)
