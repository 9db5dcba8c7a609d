"""One account, many requests: uploads, a sender and single calls share what the account may do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, Rate, RetryPolicy
from asyncsdk.pace.pace import LocalPace
from asyncsdk.sandbox import Faults
from asyncsdk.sandbox.thread import SandboxThread
from tests.effort import effort
from tests.leaping import LeapingLoop
from tests.rig import Rig, assert_accounts, client_of, connected, phones
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from asyncsdk.sandbox import Sandbox

RATE = Rate(10, per=1.0)
UPLOADS = 5
SECONDS = 30


def pytest_asyncio_loop_factories() -> dict[str, type[LeapingLoop]]:
    """No test waits for real."""
    return {"leaping": LeapingLoop}


async def busy_for(rig: Rig, seconds: float) -> dict[str, int]:
    """What five uploads, a sender and `me` get done at once; requests of each."""
    groups = [rig.sandbox.add_group(f"list {number}") for number in range(UPLOADS + 1)]
    uploads = [
        rig.client.phones.upload(group, phones(2_000), batch_size=1, retry=RetryPolicy(50)).start()
        for group in groups[:UPLOADS]
    ]
    end = asyncio.get_running_loop().time() + seconds
    asked = 0

    async def ask() -> None:
        nonlocal asked
        while asyncio.get_running_loop().time() < end:
            await rig.client.me()
            asked += 1

    async with rig.client.phones.sender(groups[-1], retry=RetryPolicy(50)) as sender:

        async def add(number: int) -> None:
            while asyncio.get_running_loop().time() < end:
                await sender.add(phones(1)[0])
                await asyncio.sleep(number * 0.01)

        await asyncio.gather(ask(), *(add(number) for number in range(20)))
    for upload in uploads:
        await upload.stop()
        assert_accounts(upload.report, _only(rig.sandbox, upload.report.group_id), phones(2_000))
    assert not sender.report.failed_count
    sent = {f"upload {number}": upload.report.requests for number, upload in enumerate(uploads)}
    return {**sent, "sender": sender.report.requests, "me": asked}


def _only(sandbox: Sandbox, group: int | None) -> Any:
    """What was stored in one group."""

    class Part:
        commits = tuple(commit for commit in sandbox.commits if commit.group_id == group)

    return Part


@pytest.mark.parametrize("latency", [0.0, 0.4])
async def test_each_gets_its_share_of_the_rate_and_none_is_left_unused(latency: float) -> None:
    async with connected(client={"rate": RATE}, latency=latency) as rig:
        done = await busy_for(rig, SECONDS)
    arrivals = [at for at in rig.arrivals if at <= rig.arrivals[0] + SECONDS]
    assert busiest(rig.arrivals, 1.0) <= 10
    assert len(arrivals) >= 0.95 * 10 * SECONDS
    share = sum(done.values()) / len(done)
    assert all(share * 0.5 <= requests for requests in done.values()), done


@pytest.mark.parametrize("name", ["429-after", "503-after"])
@pytest.mark.parametrize("which", [3, 17, 40])
async def test_a_pause_that_one_is_asked_for_holds_for_all(name: str, which: int) -> None:
    faults = Faults.script([*["ok"] * which, name], routes="all", retry_after=2.0)
    async with connected(client={"rate": RATE}, faults=faults, latency=0.1) as rig:
        await busy_for(rig, 15)
    refused = next(r for r in rig.sandbox.requests if r.status in {429, 503})
    within = [at for at in rig.arrivals if refused.at + 0.15 < at < refused.at + 2.0]
    assert within == []
    assert busiest(rig.arrivals, 1.0) <= 10


async def test_a_long_list_does_not_keep_a_sign_up_waiting() -> None:
    async with connected(client={"rate": RATE}, latency=0.05) as rig:
        rows = ({"phone": phone.phone} for phone in phones(5_000))
        upload = rig.client.phones.upload(rig.group_id, rows, batch_size=5, concurrency=32).start()
        await asyncio.sleep(5)
        loop = asyncio.get_running_loop()
        for _ in range(10):
            began = loop.time()
            await rig.client.phones.create(rig.group_id, "+491700000000")
            assert loop.time() - began < 0.5  # a few requests at ten a second
        await upload.stop()


async def test_clients_may_share_a_pace() -> None:
    pace = LocalPace(RATE)
    async with (
        connected(client={"pace": pace}) as rig,
        client_of(rig.sandbox, pace=pace) as other,
    ):
        uploads = [
            client.phones.upload(rig.group_id, phones(60), batch_size=1)
            for client in (rig.client, other)
        ]
        await asyncio.gather(*uploads)
    assert len(rig.arrivals) == 120
    assert busiest(rig.arrivals, 1.0) <= 10


MANY = """
import asyncio, resource, sys, tempfile
from asyncsdk import Client

async def main(url, client_id, key, group, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    files = 0
    async with Client(client_id, key, base_url=url, rate=None) as client:
        async def one(number):
            return await client.phones.upload(group, [f"+49160{number:07}"])
        async def look():
            nonlocal files
            while True:
                with tempfile.TemporaryFile():
                    files += 1
                await asyncio.sleep(0.001)
        looking = asyncio.create_task(look())
        reports = await asyncio.gather(*map(one, range(count)))
        looking.cancel()
    assert files
    print(sum(report.created_count for report in reports))

asyncio.run(main(sys.argv[1], *sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5])))
"""


def test_many_uploads_of_one_phone_at_once_leave_files_to_others() -> None:
    count = effort(1_500, 1_500)
    with SandboxThread() as sandbox:
        group = sandbox.add_group("people")
        args = [sandbox.url, sandbox.client_id, sandbox.api_key, group, count]
        done = subprocess.run(  # noqa: S603 - it runs what stands above
            [sys.executable, "-c", MANY, *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) == count == len(sandbox.commits)


async def test_another_implementation_of_the_pace_is_asked_for_every_request() -> None:
    class Counting(LocalPace):
        acquired = 0

        async def acquire(self, attempt: Any) -> None:
            type(self).acquired += 1
            await super().acquire(attempt)

    async with connected(client={"pace": Counting(None)}) as rig:
        await rig.client.me()
        await rig.client.phones.upload(rig.group_id, phones(5), batch_size=1)
        async with rig.client.phones.sender(rig.group_id) as sender:
            await sender.add("+491600000001")
        async for _ in rig.client.groups.list():
            pass
        await rig.client.phones.create(rig.group_id, "+491600000002")
        async for _ in rig.client.groups.export(rig.group_id):
            pass
    assert Counting.acquired == len(rig.sandbox.requests)
    assert isinstance(rig.client, Client)
