"""A wrong key costs one request, whatever is asked with it and however much at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from asyncsdk import AuthenticationError, Client, Rate, UploadStopped
from asyncsdk.sandbox import Faults
from tests.client.provider import drained
from tests.rig import assert_accounts, client_of, connected, numbers, phones

Call: TypeAlias = Callable[[Client, int], Awaitable[object]]

CALLS: dict[str, Call] = {
    "me": lambda client, _: client.me(),
    "groups.get": lambda client, group: client.groups.get(group),
    "groups.list": lambda client, _: drained(client.groups.list()),
    "groups.create": lambda client, _: client.groups.create("people"),
    "groups.export": lambda client, group: drained(client.groups.export(group)),
    "phones.create": lambda client, group: client.phones.create(group, "+491601234567"),
    "create_batch": lambda client, group: client.phones.create_batch(group, numbers(3)),
    "upload": lambda client, group: client.phones.upload(group, numbers(3000), batch_size=10),
    "upload, reconcile": lambda client, group: client.phones.upload(
        group, numbers(3000), batch_size=10, on_unknown="reconcile"
    ),
}


async def refused(client: Client, group: int, names: list[str]) -> None:
    """Call all these at once: each ends with the refusal of the key."""
    calls = (CALLS[name](client, group) for name in names)
    ended = await asyncio.gather(*map(settled, calls), return_exceptions=True)
    causes = [e.cause if isinstance(e, UploadStopped) else e for e in ended]
    assert [type(cause) for cause in causes] == [AuthenticationError] * len(names)


async def settled(call: Awaitable[object]) -> object:
    return await call


@pytest.mark.parametrize("latency", [0.0, 3.0])
@pytest.mark.parametrize("name", CALLS)
async def test_ten_at_once_make_one_request(name: str, latency: float) -> None:
    """Those who wait for the one hear of its refusal at once: they need no permit for that."""
    slow = Rate(1, per=60.0)
    async with (
        connected(latency=latency) as rig,
        client_of(rig.sandbox, api_key="no", rate=slow) as client,
    ):
        began = asyncio.get_running_loop().time()
        await refused(client, rig.group_id, [name] * 10)
        assert asyncio.get_running_loop().time() - began < latency + 1.0
        assert len(rig.sandbox.requests) == 1


@pytest.mark.parametrize("latency", [0.0, 3.0])
@pytest.mark.parametrize("rate", [Rate(1, per=1.0), Rate(10, per=1.0), None], ids=str)
@pytest.mark.parametrize("name", CALLS)
async def test_those_who_waited_for_a_pause_and_the_rate_make_no_request_either(
    name: str, rate: Rate | None, latency: float
) -> None:
    """They set out when nobody was proving the key, and get their permits one after the other."""
    faults = Faults.script(["503-after", *["401"] * 50], routes="all", retry_after=5.0)
    async with connected(latency=latency, faults=faults, client={"rate": rate}) as rig:
        paused = rig.upload(numbers(30)).start()
        await asyncio.sleep(latency + 1.0)
        assert paused.progress.paused
        await refused(rig.client, rig.group_id, [name] * 10)
        with pytest.raises(UploadStopped):
            await paused
        assert [request.status for request in rig.sandbox.requests] == [503, 401]


@pytest.mark.parametrize("latency", [0.0, 3.0])
async def test_everything_at_once_makes_one_request_for_each_wrong_key(latency: float) -> None:
    async with connected(latency=latency) as rig, client_of(rig.sandbox, api_key="no") as client:
        for wrong in range(1, 4):
            await refused(client, rig.group_id, [*CALLS] * 2)
            assert len(rig.sandbox.requests) == wrong
            await refused(client, rig.group_id, [*CALLS])
            assert len(rig.sandbox.requests) == wrong
            client.set_credentials(rig.sandbox.client_id, f"wrong-{wrong}")
        assert not rig.sandbox.commits


async def test_a_good_key_after_wrong_ones_serves_everybody() -> None:
    async with connected(latency=1.0) as rig, client_of(rig.sandbox, api_key="no") as client:
        await refused(client, rig.group_id, [*CALLS])
        client.set_credentials(rig.sandbox.client_id, "still-wrong")
        await refused(client, rig.group_id, [*CALLS])
        client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
        calls = (CALLS[name](client, rig.group_id) for name in CALLS)
        assert len(await asyncio.gather(*map(settled, calls))) == len(CALLS)
        assert len([r for r in rig.sandbox.requests if not r.authorized]) == 2


async def test_whoever_waits_while_a_wrong_key_is_proved_and_gives_up_costs_nothing() -> None:
    async with connected(latency=5.0) as rig, client_of(rig.sandbox, api_key="no") as client:
        proving = asyncio.create_task(client.me())
        await asyncio.sleep(1)
        waiting = [asyncio.create_task(client.me()) for _ in range(10)]
        await asyncio.sleep(1)
        for task in waiting[::2]:
            task.cancel()
        await asyncio.wait([proving, *waiting])
        assert len(rig.sandbox.requests) == 1
        assert all(task.cancelled() for task in waiting[::2])
        assert all(isinstance(task.exception(), AuthenticationError) for task in waiting[1::2])


@pytest.mark.parametrize("uploads", [1, 3])
async def test_a_prover_that_is_cancelled_hands_the_wrong_key_to_one_other(uploads: int) -> None:
    """Its request may have arrived: one more follows, never one for each who waits."""
    async with connected(latency=5.0) as rig, client_of(rig.sandbox, api_key="no") as client:
        proving = asyncio.create_task(client.me())
        await asyncio.sleep(1)
        waiting = [client.phones.upload(rig.group_id, phones(50)) for _ in range(uploads)]
        others = asyncio.gather(*map(settled, waiting), return_exceptions=True)
        await asyncio.sleep(1)
        proving.cancel()
        assert {type(error) for error in await others} == {UploadStopped}
        assert len(rig.sandbox.requests) == 2


async def test_whoever_waits_leaves_with_the_key_that_has_come_meanwhile() -> None:
    """Those that wait for the proof of a wrong key, whatever they are."""
    async with connected(latency=5.0) as rig, client_of(rig.sandbox, api_key="no") as client:
        proving = asyncio.create_task(client.me())
        await asyncio.sleep(1)
        calls = [asyncio.create_task(settled(CALLS[name](client, rig.group_id))) for name in CALLS]
        await asyncio.sleep(1)
        client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
        with pytest.raises(AuthenticationError):
            await proving
        assert len(await asyncio.gather(*calls)) == len(CALLS)
        assert len([r for r in rig.sandbox.requests if not r.authorized]) == 1


@pytest.mark.parametrize("wait", ["pause", "rate"])
async def test_a_key_that_is_changed_while_requests_wait_is_used_no_more(wait: str) -> None:
    rate = Rate(1, per=5.0) if wait == "rate" else None
    async with connected(client={"rate": rate}) as rig:
        await rig.client.me()
        if wait == "pause":
            rig.sandbox.faults._script = ["429"]
        source = phones(100)
        upload = rig.upload(source, batch_size=20, concurrency=4).start()
        await asyncio.sleep(0.5)
        rig.sandbox._door._token = f"{rig.sandbox.client_id}:new"
        rig.client.set_credentials(rig.sandbox.client_id, "new")
        report = await upload
        assert all(request.authorized for request in rig.sandbox.requests)
        assert_accounts(report, rig.sandbox, source)
        assert report.ok
