"""The jobs of an upload: the first runs in the task of the upload, and ends as the others do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from asyncsdk.results import StoppedBy
from asyncsdk.upload.ending import Ending
from asyncsdk.upload.jobs import Jobs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Phase:
    """One phase, in a task of its own, whose jobs do the same each."""

    def __init__(self, job: Callable[[int], Awaitable[None]], *, foreign: bool, count: int) -> None:
        self.ending = Ending()
        self.jobs = Jobs(self.ending, foreign=foreign)
        self.ending.on_begin(self.jobs.cancel)
        self._job = job
        self._count = count
        self._begun = 0
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        self.jobs.owner = asyncio.current_task()
        try:
            await self.jobs.run_many(self._do, self._count)
        finally:
            await self.jobs.end()

    async def _do(self, another: Callable[[], None]) -> None:
        number, self._begun = self._begun, self._begun + 1
        another()
        await self._job(number)


async def steps() -> None:
    """Let all of them come as far as they do."""
    for _ in range(10):
        await asyncio.sleep(0)


async def forever(_: int) -> None:
    await asyncio.Event().wait()


def failing(at: int, error: BaseException) -> Callable[[int], Awaitable[None]]:
    async def job(number: int) -> None:
        await asyncio.sleep(0)
        if number == at:
            raise error
        await forever(number)

    return job


each_way = pytest.mark.parametrize("foreign", [False, True])


@each_way
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()], ids=repr)
async def test_an_error_of_one_ends_all(foreign: bool, at: int, error: BaseException) -> None:  # noqa: FBT001
    phase = Phase(failing(at, error), foreign=foreign, count=3)
    await asyncio.wait_for(phase.task, 1)
    assert phase.ending.cause is error
    assert phase.jobs.idle
    assert phase.task.cancelling() == 0


@each_way
async def test_an_end_that_is_asked_for_cancels_all_and_nobody_else(foreign: bool) -> None:  # noqa: FBT001
    phase = Phase(forever, foreign=foreign, count=3)
    await steps()
    assert not phase.jobs.idle
    phase.ending.begin(StoppedBy.DEADLINE)
    phase.jobs.cancel()  # a second time
    await asyncio.wait_for(phase.task, 1)
    assert phase.ending.cause is None
    assert phase.jobs.idle
    assert phase.task.cancelling() == 0


@each_way
@pytest.mark.parametrize("asked", [False, True])
async def test_a_cancelled_phase_is_cancelled(foreign: bool, asked: bool) -> None:  # noqa: FBT001
    phase = Phase(forever, foreign=foreign, count=3)
    await steps()
    if asked:
        phase.ending.begin(StoppedBy.CANCELLED)
    phase.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(phase.task, 1)
    assert phase.jobs.idle
    assert phase.task.cancelling() == 1


@each_way
async def test_who_is_spared_comes_to_its_own_end(foreign: bool) -> None:  # noqa: FBT001
    over = asyncio.Event()

    async def job(_: int) -> None:
        await over.wait()

    phase = Phase(job, foreign=foreign, count=1)
    await steps()
    busy = asyncio.all_tasks() - {asyncio.current_task()}
    phase.jobs.cancel(spared=busy)
    await steps()
    assert not phase.jobs.idle
    over.set()
    await asyncio.wait_for(phase.task, 1)
    assert phase.ending.stopped_by is None


async def test_who_ends_the_program_ends_whatever_comes_after(jobs: Jobs) -> None:
    async def job(_: Callable[[], None]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _going_on(jobs, job).send(None)
    assert isinstance(jobs.ending.cause, KeyboardInterrupt)


async def test_a_job_whose_loop_is_gone_is_no_error(jobs: Jobs) -> None:
    async def job(_: Callable[[], None]) -> None:
        await forever(0)

    running = _going_on(jobs, job)
    running.send(None)
    running.close()
    assert jobs.ending.stopped_by is None


@pytest.fixture
async def jobs() -> Jobs:
    """The jobs of this very task."""
    jobs = Jobs(Ending())
    jobs.owner = asyncio.current_task()
    return jobs


async def _going_on(jobs: Jobs, job: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    await jobs.run_many(job, 1)
    pytest.fail("it went on")
