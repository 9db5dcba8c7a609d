"""The part of a process that works on jobs: it takes those that nobody works on.

Every process of a host has one. The lease of a job is dropped by the kernel when its holder dies,
so that a job goes on with whoever looks next.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from asyncsdk.errors import AsyncSDKError
from asyncsdk.web.errors import NoSuchJobError
from asyncsdk.web.job import JobState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asyncsdk.lease import Lease
    from asyncsdk.web.async_table import AsyncJobTable
    from asyncsdk.web.job import Job
    from asyncsdk.web.storage import Storage

__all__ = ["Worker"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_TRIES = 20
"""Workers that may die of a job, one after the other, before it is left alone."""
_FATAL = "the program died of it again and again: see its log. It may be tried once more"
_GROUP = frozenset({JobState.RUNNING, JobState.UNDOING})
"""The states in which something is done to a group."""
_SENDING = frozenset({JobState.RUNNING, JobState.STOPPING})
_AT_REST = {
    JobState.CHECKING: JobState.DRAFT,
    JobState.RUNNING: JobState.STOPPED,
    JobState.STOPPING: JobState.STOPPED,
    JobState.UNDOING: JobState.UNDO_STOPPED,
    JobState.UNDO_STOPPING: JobState.UNDO_STOPPED,
}
"""Where a job goes that cannot go on."""


@define(eq=False)
class Worker:
    """Looks for jobs, and works on as many at once as it has room for.

    Args:
        table: The table of jobs.
        storage: Their files.
        works: What is done with a job of a state; it changes the state when it is done.
        room: How many jobs of a state it works on at once.
        every: Seconds between two looks.
        now: Gives unix seconds.
    """

    table: AsyncJobTable
    storage: Storage
    works: Mapping[JobState, Callable[[Job], Awaitable[None]]]
    room: Mapping[JobState, int]
    every: float
    now: Callable[[], float]
    _tasks: dict[str, tuple[JobState, asyncio.Task[None]]] = field(factory=dict, init=False)
    _woken: asyncio.Event = field(factory=asyncio.Event, init=False)

    def wake(self) -> None:
        """Have it look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Look, and look again, until this is cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._look()
            except Exception:
                logger.exception("the jobs of the page could not be looked at")
            with suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await self._woken.wait()

    async def drained(self, patience: float) -> None:
        """Return when nothing is worked on any more.

        Uploads come to rest, as long as that does not take too long; all else is cancelled: it goes
        on where it was, or begins anew.

        Args:
            patience: Seconds that uploads may take.
        """
        tasks = {task: state for state, task in self._tasks.values()}
        for task, state in tasks.items():
            if state not in _SENDING:
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        for job in await self.table.active():
            if job.id not in self._tasks and self._has_room(job):
                await self._take(job)

    def _has_room(self, job: Job) -> bool:
        busy = sum(state is job.state for state, _ in self._tasks.values())
        return busy < self.room.get(job.state, 1)

    async def _take(self, job: Job) -> None:
        """Work on it, unless another does."""
        lease = await asyncio.to_thread(self.storage.folder(job.id).lease)
        if lease is None:
            return
        leases = [lease]
        try:
            fresh = await self.table.get(job.id)  # its last holder may have brought it to an end
            if not fresh.active:
                return
            if fresh.tries >= _TRIES:
                await self._leave(fresh.id, _FATAL)
                return
            if not await self._has_group(fresh, leases):
                return
            fresh = await self.table.change(
                fresh.id, lambda job: evolve(job, tries=job.tries + 1, waits_for="")
            )
            task = asyncio.create_task(self._work(fresh, leases))
            self._tasks[fresh.id] = fresh.state, task
            leases = []  # they are the task's
        except NoSuchJobError:
            pass
        finally:
            for one in leases:
                one.release()

    async def _has_group(self, job: Job, leases: list[Lease]) -> bool:
        """Whether no other job sends into its group: what that creates might be taken for its own.

        Also for undoing, which would race with what puts phones there.
        """
        if job.state not in _GROUP or job.group_id is None:
            return True
        lease = await asyncio.to_thread(self.storage.group, job.group_id)
        if lease is not None:
            leases.append(lease)
            return True
        if job.waits_for != "group":
            await self.table.change(job.id, lambda job: evolve(job, waits_for="group"))
        return False

    async def _work(self, job: Job, leases: list[Lease]) -> None:
        try:
            await self.works[job.state](job)
        except NoSuchJobError:
            logger.info("job %s was deleted while it was worked on", job.id)
        except AsyncSDKError as error:
            await self._leave(job.id, self.storage.folder(job.id).without_paths(error))
        except OSError as error:
            logger.exception("job %s could not go on", job.id)
            await self._leave(
                job.id, f"a file of the job cannot be used: {error.strerror or error}"
            )
        except Exception:
            logger.exception("job %s could not go on", job.id)
            await self._leave(job.id, "there is a fault in the program: its log has it")
        finally:
            self._tasks.pop(job.id, None)
            for lease in leases:
                lease.release()
            self.wake()

    async def _leave(self, job_id: str, reason: str) -> None:
        """Bring it to rest, for this reason."""

        def at_rest(job: Job) -> Job:
            if not job.active:
                return job
            state = _AT_REST[job.state]
            return evolve(job, state=state, reason=reason, ended=self.now(), tries=0, waits_for="")

        with suppress(NoSuchJobError):
            await self.table.change(job_id, at_rest)
