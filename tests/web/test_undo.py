"""What a job created is deleted again, and nothing else."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from typing import TYPE_CHECKING

import pytest

from asyncsdk.sandbox import Faults
from asyncsdk.web import JobState
from tests.effort import effort
from tests.leaping import run_leaping
from tests.rig import client_at, numbers
from tests.web.inside import at_rest, opened, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import Server, ServerHere

PHONES = effort(300, 5000)
KILLS = effort(3, 30)


def list_of(count: int) -> bytes:
    return "\n".join(["Mobil", *numbers(count), ""]).encode()


async def test_only_what_the_job_created_is_deleted(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    group_id = sandbox.add_group()
    sandbox.hold(group_id, numbers(5))  # of the same numbers
    async with here().visited() as ann:
        job = await ann.started(list_of(100), group_id)
        at = f"/jobs/{job['id']}"
        await ann.until(job["id"])
        assert (await ann.ask("GET", f"{at}/undo"))["total"] == 100
        await ann.ask("POST", f"{at}/resume", status=409)  # nothing failed
        gone = {phone.id for phone in sandbox.phones(group_id)[-3:]}
        for phone_id in gone:
            await deleted_by_hand(sandbox, phone_id)
        for _ in range(2):
            await ann.ask("POST", f"{at}/undo")
        undo = (await ann.until(job["id"]))["undo"]
        assert (undo["deleted"], undo["gone"], undo["failed"]) == (97, 3, 0)
        assert [phone.phone for phone in sandbox.phones(group_id)] == numbers(5)
        await ann.ask("POST", f"{at}/resume", status=409)
        # Once more: nothing is left to do, and nothing is told twice.
        await ann.ask("POST", f"{at}/undo")
        assert (await ann.until(job["id"]))["undo"] == undo


async def deleted_by_hand(sandbox: SandboxThread, phone_id: int) -> None:
    key = {"client_id": sandbox.client_id, "api_key": sandbox.api_key}
    async with client_at(sandbox.url, **key) as client:
        await client.phones.delete(phone_id)


def test_what_cannot_be_deleted_is_told_and_tried_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        faults = Faults(routes="all")
        async with opened(tmp_path, faults=faults) as (sandbox, jobs):
            job = await sent(jobs, list_of(40), sandbox.add_group())
            faults.shares = {"500": 0.8}
            await jobs.undo("ann", job.id)
            undo = (await at_rest(jobs, job.id)).undo
            assert undo is not None
            assert undo.failed > 0
            assert undo.deleted + undo.failed == undo.total == 40
            assert [reason.count for reason in undo.reasons] == [undo.failed]
            assert "HTTP 500" in undo.reasons[0].text
            faults.shares = {}
            await jobs.undo("ann", job.id)
            ended = await at_rest(jobs, job.id)
            assert ended.state is JobState.UNDONE
            assert ended.undo is not None
            assert (ended.undo.deleted, ended.undo.failed) == (40, 0)
            assert not sandbox.phones(ended.group_id or 0)

    run_leaping(scenario())


def test_one_that_is_stopped_tells_what_it_did(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path, latency=0.5) as (sandbox, jobs):
            group_id = sandbox.add_group()
            job = await sent(jobs, list_of(300), group_id)
            await jobs.undo("ann", job.id)
            while len(sandbox.phones(group_id)) == 300:
                await asyncio.sleep(0.1)
            assert (await jobs.stop("ann", job.id)).state is JobState.UNDO_STOPPING
            ended = await at_rest(jobs, job.id)
            assert ended.state is JobState.UNDO_STOPPED
            assert ended.undo is not None
            assert 0 < ended.undo.deleted == 300 - len(sandbox.phones(group_id)) < 300
            await jobs.undo("ann", job.id)
            ended = await at_rest(jobs, job.id)
            assert (ended.state, ended.undo and ended.undo.deleted) == (JobState.UNDONE, 300)

    run_leaping(scenario())


@pytest.mark.parametrize(("minutes", "state"), [(3, "undone"), (60, "undo_stopped")])
def test_an_outage_is_waited_for(tmp_path: Path, minutes: int, state: str) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (sandbox, jobs):
            job = await sent(jobs, list_of(100), sandbox.add_group())
            await sandbox.stop()
            await jobs.undo("ann", job.id)
            await asyncio.sleep(minutes * 60)
            await sandbox.start()
            ended = await at_rest(jobs, job.id)
            assert ended.state == state
            if state == "undo_stopped":
                assert ended.reason
                await jobs.undo("ann", job.id)
                ended = await at_rest(jobs, job.id)
            assert ended.undo is not None
            assert (ended.undo.deleted, ended.undo.gone) == (100, 0)

    run_leaping(scenario())


@pytest.mark.parametrize(("fault", "words"), [("401", "HTTP 401"), ("500", "none of the last 64")])
def test_where_each_would_fail_it_stops_and_says_why(
    tmp_path: Path, fault: str, words: str
) -> None:
    async def scenario() -> None:
        faults = Faults(routes="all")
        async with opened(tmp_path, faults=faults) as (sandbox, jobs):
            job = await sent(jobs, list_of(200), sandbox.add_group())
            faults.shares = {fault: 1.0}
            before = len(sandbox.requests)
            await jobs.undo("ann", job.id)
            ended = await at_rest(jobs, job.id)
            assert ended.state is JobState.UNDO_STOPPED
            assert words in ended.reason
            assert len(sandbox.requests) - before <= (8 if fault == "401" else 64 * 5)
            assert len(sandbox.phones(ended.group_id or 0)) == 200
            assert str(tmp_path) not in ended.reason

    run_leaping(scenario())


@pytest.mark.timeout(900)
async def test_kills_while_it_is_undone(
    serve: Callable[..., Server], sandbox: SandboxThread
) -> None:
    group_id = sandbox.add_group()
    sandbox.hold(group_id, numbers(5))
    server = serve(workers=2)
    rng = random.Random(3)
    async with server.visited() as ann:
        job = await ann.started(list_of(PHONES), group_id)
        await ann.until(job["id"])
        await ann.ask("POST", f"/jobs/{job['id']}/undo")
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.1, 0.5))
            if workers := server.workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
        job = await ann.until(job["id"])
    assert job["state"] == "undone"
    assert job["undo"]["deleted"] + job["undo"]["gone"] == job["undo"]["total"] == PHONES
    assert job["undo"]["gone"] == 0
    assert len(sandbox.phones(group_id)) == 5
