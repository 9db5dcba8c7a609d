"""A job is followed as it goes, by whoever has its page open."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from asyncsdk.lease import Lease
from tests.leaping import run_leaping
from tests.rig import numbers
from tests.web.inside import opened, pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import ServerHere, Visitor


async def events(ann: Visitor, job_id: str, last: str = "") -> list[tuple[str, dict[str, Any]]]:
    """What one stream brings until it ends by itself: ids, and the jobs."""
    headers = {"Last-Event-ID": last} if last else {}
    found, name = [], ""
    async with ann.session.get(f"/uploads/api/jobs/{job_id}/events", headers=headers) as reply:
        assert reply.content_type == "text/event-stream"
        async for line in reply.content:
            kind, _, value = line.decode().rstrip("\n").partition(": ")
            if kind == "event":
                assert value == "job"
            if kind == "data":
                found.append(("", json.loads(value)))
            if kind == "id":
                name = value
                found[-1] = name, found[-1][1]
    return found


async def test_a_stream_has_every_change_and_ends_with_the_job(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    body = "\n".join(["Mobil", *numbers(500), ""]).encode()
    async with here(settings={"batch_size": 10}).visited() as ann:
        job = await ann.started(body, sandbox.add_group())
        brought = await events(ann, job["id"])
        while brought[-1][1]["state"] != "done":
            brought += await events(ann, job["id"], brought[-1][0])
        versions = [int(version) for version, _ in brought]
        assert versions == sorted(set(versions))
        assert [job["version"] for _, job in brought] == versions
        created = [job["progress"]["created"] for _, job in brought if job["progress"]]
        assert created == sorted(created)
        assert created[-1] == 500
        # Who has seen it all gets nothing; who has not gets the last state, once.
        assert await events(ann, job["id"], brought[-1][0]) == []
        ((_, last),) = await events(ann, job["id"], brought[0][0])
        assert last["state"] == "done"
        for nonsense in ("x", "-1", "9" * 30, "\u00b2"):
            assert len(await events(ann, job["id"], nonsense)) == 1


def test_a_stream_ends_by_itself_after_five_seconds(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (_, jobs):
            job = await jobs.receive(pieces(b"Mobil\n+4915112345678\n"), owner="ann", name="l")
            lease = Lease.take(tmp_path / "uploads" / "jobs" / job.id / "lease")
            assert lease is not None  # so that no worker takes it
            await jobs.check("ann", job.id)
            began = asyncio.get_running_loop().time()
            seen = [now.state async for now in jobs.changes("ann", job.id)]
            assert seen == ["checking"]
            assert 5 <= asyncio.get_running_loop().time() - began < 5.1
            lease.release()

    run_leaping(scenario())
