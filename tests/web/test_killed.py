"""kill -9 of the workers of a page, and a deploy while it is used."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from asyncsdk.testing import SandboxThread
from tests.effort import effort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.web.serving import Server, Visitor

KILLS = effort(4, 100)
JOBS = effort(4, 20)
PHONES = effort(1200, 5000)
LATENCY = effort(300, 800) / 1000
"""Seconds that a request takes, so that kills find some under way."""
CALM = 5.0
"""Seconds within which a job goes on."""


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(latency=LATENCY) as running:
        yield running


def list_of(job: int) -> bytes:
    """A list whose numbers are in no other one."""
    return "\n".join(["Mobil", *(f"+4916{job:02}{at:07}" for at in range(PHONES)), ""]).encode()


def assert_all_there(sandbox: SandboxThread, times: int) -> None:
    stored = Counter(commit.phone for commit in sandbox.commits)
    assert set(stored.values()) == {times}
    assert len(stored) == JOBS * PHONES // times


@pytest.mark.timeout(1800)
async def test_kills_of_random_workers_lose_nothing_and_send_nothing_twice(
    sandbox: SandboxThread, serve: Callable[..., Server]
) -> None:
    groups = [sandbox.add_group(f"group {at}") for at in range(JOBS // 2)]
    settings = {"batch_size": 100, "concurrency": 2, "quiet_period": 0.2}
    server = serve(workers=2, settings=settings)
    rng = random.Random(7)
    async with server.visited() as ann:
        # Two jobs each have the same numbers for the same group: neither takes the other's.
        of = [at % len(groups) for at in range(JOBS)]
        jobs = [await ann.started(list_of(at), groups[at]) for at in of]
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.2, 1.0))
            with suppress(ProcessLookupError):
                os.kill(rng.choice(await some(server)), signal.SIGKILL)
        ended = [await ann.until(job["id"]) for job in jobs]
        assert [job["state"] for job in ended] == ["done"] * JOBS, ended
        assert [job["progress"]["created"] for job in ended] == [PHONES] * JOBS
    assert_all_there(sandbox, 2)


async def some(server: Server) -> list[int]:
    """The workers that there are, once there are any."""
    while not (found := server.workers):
        await asyncio.sleep(0.05)
    return found


@pytest.mark.timeout(300)
async def test_a_job_goes_on_with_the_next_worker_within_seconds(
    sandbox: SandboxThread, serve: Callable[..., Server]
) -> None:
    group_id = sandbox.add_group()
    settings = {"batch_size": 20, "concurrency": 1, "quiet_period": 0.1}
    server, other = serve(settings=settings), serve(settings=settings, look_every=2.0)
    async with server.visited() as ann, other.visited() as still_ann:
        job = await ann.started(list_of(0), group_id)
        while not (await still_ann.ask("GET", f"/jobs/{job['id']}"))["progress"]:
            await asyncio.sleep(0.05)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        before, died = len(sandbox.commits), time.monotonic()
        while len(sandbox.commits) <= before + 20:  # what was under way may land still
            await asyncio.sleep(0.05)
            assert time.monotonic() - died < CALM
        await still_ann.ask("POST", f"/jobs/{job['id']}/stop")
        stopped = await still_ann.until(job["id"])
        # What was under way when it died is looked up at the end, to which it did not come.
        created, unknown = stopped["progress"]["created"], stopped["progress"]["unknown"]
        assert created <= len(sandbox.commits) <= created + unknown
        assert unknown <= 20


@pytest.mark.timeout(300)
async def test_a_deploy_with_open_pages_is_over_in_seconds_and_the_job_goes_on(
    sandbox: SandboxThread, serve: Callable[..., Server]
) -> None:
    group_id = sandbox.add_group()
    server = serve(settings={"batch_size": 20, "concurrency": 1})
    async with server.visited() as ann:
        job = await ann.started(list_of(0), group_id)
        pages = [asyncio.create_task(followed(ann, job["id"])) for _ in range(20)]
        await asyncio.sleep(1)
        began = time.monotonic()
        assert await asyncio.to_thread(server.end) in {0, -signal.SIGTERM}
        assert time.monotonic() - began < CALM
        for seen in await asyncio.gather(*pages):
            assert seen
        before = len(sandbox.commits)
        server.start()
        await ann.until_served()
        while len(sandbox.commits) == before:
            await asyncio.sleep(0.05)
        await ann.ask("POST", f"/jobs/{job['id']}/stop")
        stopped = await ann.until(job["id"])
        assert stopped["progress"]["unknown"] == 0  # what was under way was waited for
        assert stopped["progress"]["created"] == len(sandbox.commits)


async def followed(ann: Visitor, job_id: str, last: str = "") -> list[int]:
    """The ids of the events of one stream."""
    headers = {"Last-Event-ID": last} if last else {}
    async with ann.session.get(f"/uploads/api/jobs/{job_id}/events", headers=headers) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        return [int(line[3:]) async for line in reply.content if line.startswith(b"id:")]
