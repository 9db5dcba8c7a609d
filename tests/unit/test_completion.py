"""What has been begun comes to its end, whatever cancels the one who waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import pytest

from asyncsdk.completion import completed
from tests.leaping import run_leaping

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


SOON = 1e-4
"""Seconds, a tenth of what the ending takes."""


async def _ending(done: list[str], error: Exception | None = None) -> str:
    for _ in range(1000):  # a scope that cancels in every round lets no clock leap
        await asyncio.sleep(0)
    done.append("closed")
    if error is not None:
        raise error
    return "result"


def test_it_gives_the_result() -> None:
    async def scenario() -> None:
        done: list[str] = []
        assert await completed(asyncio.ensure_future(_ending(done))) == "result"
        ready = asyncio.get_running_loop().create_future()
        ready.set_result(3)
        assert await completed(ready) == 3

    run_leaping(scenario(), sockets=False)


def test_an_error_of_the_task_is_raised() -> None:
    async def scenario() -> None:
        with pytest.raises(OSError, match="no disk"):
            await completed(asyncio.ensure_future(_ending([], OSError("no disk"))))

    run_leaping(scenario(), sockets=False)


async def _cancelled_often(times: int, pause: float) -> None:
    done: list[str] = []
    task = asyncio.ensure_future(completed(asyncio.ensure_future(_ending(done))))
    for _ in range(times):
        await asyncio.sleep(pause)
        task.cancel("from outside")
    assert not done
    with pytest.raises(asyncio.CancelledError, match="from outside"):
        await task
    assert done == ["closed"]


@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("pause", [0.0, 1e-5])
def test_cancelled_it_waits_and_then_is_cancelled(times: int, pause: float) -> None:
    run_leaping(_cancelled_often(times, pause), sockets=False)


def test_an_error_is_the_cause_of_the_cancellation() -> None:
    async def scenario() -> None:
        ending = asyncio.ensure_future(_ending([], OSError("no disk")))
        task = asyncio.ensure_future(completed(ending))
        await asyncio.sleep(SOON)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__cause__, OSError)

    run_leaping(scenario(), sockets=False)


def test_a_task_that_is_cancelled_itself_is_no_cancellation_of_who_waits() -> None:
    async def scenario() -> None:
        ending = asyncio.ensure_future(_ending([]))
        asyncio.get_running_loop().call_later(SOON, ending.cancel)
        with pytest.raises(asyncio.CancelledError):
            await completed(ending)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()

    run_leaping(scenario(), sockets=False)


async def _timed_out(done: list[str]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await completed(asyncio.ensure_future(_ending(done)))


async def _moved_on(done: list[str]) -> None:
    with anyio.move_on_after(SOON) as scope:
        await completed(asyncio.ensure_future(_ending(done)))
    assert scope.cancelled_caught


async def _in_a_cancelled_scope(done: list[str]) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await completed(asyncio.ensure_future(_ending(done)))
    assert scope.cancelled_caught


async def _in_a_task_group(done: list[str]) -> None:
    async def wait() -> None:
        await completed(asyncio.ensure_future(_ending(done)))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.sleep(SOON)
        group.cancel_scope.cancel()


async def _beside_one_that_fails(done: list[str]) -> None:
    async def fail() -> None:
        await asyncio.sleep(SOON)
        msg = "beside it"
        raise ValueError(msg)

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(completed(asyncio.ensure_future(_ending(done))))

    with pytest.raises(ExceptionGroup):
        await both()


@pytest.mark.parametrize(
    "scope",
    [_timed_out, _moved_on, _in_a_cancelled_scope, _in_a_task_group, _beside_one_that_fails],
)
def test_whatever_cancels_it_is_told_when_it_has_ended(
    scope: Callable[[list[str]], Awaitable[None]],
) -> None:
    async def scenario() -> None:
        done: list[str] = []
        await scope(done)
        assert done == ["closed"]
        task = asyncio.current_task()
        assert task is not None
        # A task group of Python 3.11 and 3.12 counts a cancellation that it has ended.
        assert not task.cancelling() or scope is _beside_one_that_fails

    run_leaping(scenario(), sockets=False)
