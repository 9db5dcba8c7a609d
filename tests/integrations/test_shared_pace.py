"""Many clients, one pace: rate, pause and guard hold for all of them together."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    AuthenticationError,
    Client,
    NotSentError,
    Rate,
    RetryPolicy,
    UploadReport,
    UploadStopped,
)
from asyncsdk.integrations.redis import Guard
from asyncsdk.sandbox import Faults
from tests.client.test_wrong_key import CALLS, refused, settled
from tests.effort import effort
from tests.integrations.rig import Fleet, fleet, shared
from tests.rig import assert_accounts, client_of, numbers, phones
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integrations.redis_server import RedisServer

CLIENTS = effort(4, 16)
RATE = Rate(20, per=1.0)


def sleepy(client: Client, random: Random, longest: float) -> None:
    """Let each request of a client sleep between its permit and its departure."""
    rest = client._requests.transport.rest

    async def sleep() -> None:
        await asyncio.sleep(random.uniform(0, longest))
        await rest()

    client._requests.transport.rest = sleep  # type: ignore[method-assign]


async def busy_for(rig: Fleet, seconds: float) -> list[int]:
    """Requests that each client gets done in that time, with as much to do as it can.

    Enough of them at once that it is the rate that holds them up, also while they sleep.
    """
    options: dict[str, Any] = {"batch_size": 1, "concurrency": 16, "retry": RetryPolicy(50)}
    uploads = [
        client.phones.upload(rig.group, phones(10_000), **options).start() for client in rig.clients
    ]
    await asyncio.sleep(seconds)
    await asyncio.gather(*(upload.stop() for upload in uploads))
    return [upload.report.created_count for upload in uploads]


def used(rate: Rate, arrivals: Sequence[float]) -> float:
    """The share of a rate that was used, without the first moments and the last."""
    first, last = arrivals[0] + 1.3 * rate.per, arrivals[-1] - 0.3 * rate.per
    within = [at for at in arrivals if first <= at <= last]
    return (len(within) - 1) / (within[-1] - within[0]) * rate.per / rate.requests


def assert_within(rate: Rate, arrivals: Sequence[float]) -> None:
    assert busiest(sorted(arrivals), rate.per) <= rate.requests


@pytest.mark.parametrize("late", [0.0, 0.04, 0.2])
@pytest.mark.parametrize("rate", [RATE, Rate(200, per=1.0), Rate(30, per=5.0)], ids=str)
async def test_no_window_has_more_than_the_rate_and_little_of_it_is_lost(
    redis: RedisServer, rate: Rate, late: float
) -> None:
    random = Random(late)
    seconds = (effort(6, 60) if rate.requests == 20 else effort(4, 60)) * rate.per
    async with fleet(redis, CLIENTS, pace={"rate": rate}, latency=0.02) as rig:
        for client in rig.clients:
            sleepy(client, random, late)
        done = await busy_for(rig, seconds)
    assert_within(rate, rig.arrivals)
    assert used(rate, rig.arrivals) >= 0.95
    assert max(done) <= 1.5 * min(done)


async def test_who_comes_later_and_has_more_tasks_gets_no_more(redis: RedisServer) -> None:
    async with fleet(redis, 4, pace={"rate": RATE}) as rig:
        greedy, *others = rig.clients
        first = greedy.phones.upload(rig.group, phones(1_000), batch_size=1, concurrency=32)
        first.start()
        await asyncio.sleep(2)
        reports = await asyncio.gather(
            *(client.phones.upload(rig.group, phones(20), batch_size=1) for client in others)
        )
        await first.stop()
    assert all(report.elapsed < 6 for report in reports)  # 20 of 5 a second
    assert_within(RATE, rig.arrivals)


@pytest.mark.parametrize("name", ["429-after", "503-after"])
async def test_a_pause_that_one_is_asked_for_holds_for_all(redis: RedisServer, name: str) -> None:
    faults = Faults.script([*["ok"] * 30, name], routes="all", retry_after=3.0)
    async with fleet(redis, CLIENTS, pace={"rate": RATE}, faults=faults, latency=0.01) as rig:
        uploads = [
            client.phones.upload(rig.group, phones(100), batch_size=1).start()
            for client in rig.clients
        ]
        while not any(upload.progress.paused for upload in uploads):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        state = await rig.paces[0].state()
        assert 0 < state.paused <= 4
        assert state.paused_by == f"HTTP {name[:3]}"
        assert all("HTTP" in upload.progress.paused_by for upload in uploads)
        await asyncio.sleep(5)
        await asyncio.gather(*(upload.stop() for upload in uploads))
    at = next(r.at for r in rig.sandbox.requests if r.status in {429, 503})
    assert [t for t in rig.arrivals if at + 0.02 < t < at + 3.0] == []
    assert any(t > at + 3.0 for t in rig.arrivals)
    assert_within(RATE, rig.arrivals)


async def test_a_rate_that_is_changed_holds_for_all_at_once(redis: RedisServer) -> None:
    async with fleet(redis, CLIENTS, pace={"rate": RATE}) as rig:
        busy = asyncio.create_task(busy_for(rig, 12))
        await asyncio.sleep(4)
        await rig.paces[0].set_rate(Rate(5, per=1.0))
        changed = asyncio.get_running_loop().time()
        late = shared(rig.redis, rate=RATE)  # it brings what all have brought: nothing new
        async with client_of(rig.sandbox, pace=late) as client:
            await client.me()
            assert (await late.state()).rate == Rate(5, per=1.0)
        await busy
    assert_within(RATE, rig.arrivals)
    slow = [at for at in rig.arrivals if at > changed + 0.05]
    assert_within(Rate(5, per=1.0), [at for at in slow if at > changed + 1.1])
    assert len(slow) >= 30


async def test_a_rate_that_a_new_client_is_configured_with_holds_for_all(
    redis: RedisServer,
) -> None:
    async with fleet(redis, 1, pace={"rate": RATE}) as rig:
        await rig.clients[0].me()
        async with client_of(rig.sandbox, pace=shared(redis, rate=Rate(3))) as client:
            await client.me()
        await rig.clients[0].me()
        assert (await rig.paces[0].state()).rate == Rate(3)
        assert rig.clients[0].rate == rig.paces[0].fenced("p", 1).rate == Rate(3)


async def test_a_permit_that_is_not_used_is_given_back(redis: RedisServer) -> None:
    rate = Rate(1, per=100.0)
    async with fleet(redis, 2, pace={"rate": rate}) as rig:
        await rig.clients[0].me()
        waiting = [asyncio.create_task(client.me()) for client in rig.clients]
        await asyncio.sleep(1)
        assert (await rig.paces[0].state()).waiting == 2
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await asyncio.sleep(1)
        assert (await rig.paces[0].state()).waiting == 0
        began = asyncio.get_running_loop().time()
        await rig.clients[1].me()
        assert asyncio.get_running_loop().time() - began < 105


# -- the key -------------------------------------------------------------------------------


@pytest.mark.parametrize("latency", [0.0, 3.0, 40.0])
async def test_a_wrong_key_costs_one_request_on_the_whole_fleet(
    redis: RedisServer, latency: float
) -> None:
    async with fleet(
        redis, CLIENTS, pace={"rate": Rate(1000)}, client={"api_key": "no"}, latency=latency
    ) as rig:
        await asyncio.gather(*(refused(client, rig.group, [*CALLS]) for client in rig.clients))
        assert len(rig.sandbox.requests) == 1
        assert (await rig.paces[0].state()).guard is Guard.REFUSED
        async with client_of(rig.sandbox, api_key="no", pace=shared(redis)) as late:
            await refused(late, rig.group, ["me", "upload"])
        assert len(rig.sandbox.requests) == 1
        async with client_of(rig.sandbox, pace=shared(redis)) as good:
            await good.me()  # another key


async def test_a_guard_that_was_opened_lets_one_try(redis: RedisServer) -> None:
    async with fleet(redis, 3, client={"api_key": "new"}, pace={"rate": RATE}) as rig:
        await asyncio.gather(*(refused(client, rig.group, ["me"] * 3) for client in rig.clients))
        assert await rig.paces[0].open_guard() == 1
        assert await rig.paces[0].open_guard() == 0
        rig.sandbox._door._token = f"{rig.sandbox.client_id}:new"
        clients = [c for c in rig.clients if c._requests.credentials._refusal is None]
        assert len(clients) == 2
        await asyncio.gather(*(client.me() for client in clients * 5))
        assert (await rig.paces[0].state()).guard is Guard.PROVEN
    assert len([r for r in rig.sandbox.requests if not r.authorized]) == 1


async def test_one_request_proves_a_good_key_for_all(redis: RedisServer) -> None:
    async with fleet(redis, CLIENTS, latency=5.0, pace={"rate": Rate(1000)}) as rig:
        calls = [
            asyncio.create_task(settled(CALLS[name](client, rig.group)))
            for client in rig.clients
            for name in ("me", "groups.get", "upload")
        ]
        await asyncio.sleep(4)
        assert len(rig.sandbox.requests) <= 1
        assert (await rig.paces[0].state()).guard is Guard.PROVING
        await asyncio.gather(*calls)
        assert (await rig.paces[0].state()).guard is Guard.PROVEN


@pytest.mark.parametrize("how", ["cancel", "die"])
async def test_who_tries_a_key_and_is_gone_leaves_it_to_one_other(
    redis: RedisServer, how: str
) -> None:
    options = {"api_key": "no", "timeout": 200.0}
    async with fleet(redis, 3, client=options, latency=100.0, pace={"rate": RATE}) as rig:
        proving = asyncio.create_task(rig.clients[0].me())
        await asyncio.sleep(50)
        waiting = [asyncio.create_task(client.me()) for client in rig.clients[1:] * 5]
        await asyncio.sleep(1)
        if how == "die":
            for task in rig.paces[0]._tasks:
                task.cancel()
            rig.paces[0]._permits.clear()  # so it gives nothing back
        proving.cancel()
        await asyncio.wait([proving, *waiting])
        assert all(isinstance(task.exception(), AuthenticationError) for task in waiting)
    assert len(rig.sandbox.requests) == 2


# -- the provider cannot be reached --------------------------------------------------------


async def test_an_outage_is_everybodys_and_one_request_at_a_time_tries(
    redis: RedisServer,
) -> None:
    async with fleet(redis, CLIENTS, pace={"rate": RATE}, latency=0.01) as rig:
        source = phones(200)
        uploads = [
            client.phones.upload(rig.group, source, batch_size=5, concurrency=2).start()
            for client in rig.clients
        ]
        await asyncio.sleep(1)
        tried: list[float] = []
        for client in rig.clients:
            unplugged(client, tried)
        await rig.sandbox.drop_connections()
        await asyncio.sleep(30)
        began = len(tried)
        assert (await rig.paces[0].state()).outage
        await asyncio.sleep(30)
        assert 0 < len(tried) - began <= 60  # one client alone tries about as often
        for client in rig.clients:
            plugged(client)
        reports = await asyncio.gather(*uploads)
        assert not (await rig.paces[0].state()).outage
    for report in reports:
        assert report.created_count + report.unknown_count == len(source)


async def test_what_one_host_cannot_reach_is_no_pause_of_the_others(redis: RedisServer) -> None:
    async with fleet(redis, 3, pace={"rate": RATE}, latency=0.01) as rig:
        cut_off, *others = rig.clients
        uploads = [
            client.phones.upload(rig.group, phones(100), batch_size=1).start() for client in others
        ]
        await asyncio.sleep(1)
        unplugged(cut_off, [])
        lone = cut_off.phones.upload(rig.group, phones(5), batch_size=1).start()
        reports = await asyncio.gather(*uploads)
        assert all(report.elapsed < 14 for report in reports)
        plugged(cut_off)
        assert (await lone).ok


def unplugged(client: Client, tried: list[float]) -> None:
    """Let a client reach nobody from now on."""

    async def send(*_: object) -> None:
        tried.append(asyncio.get_running_loop().time())
        msg = "no connection"
        raise NotSentError(msg)

    client._requests.transport.send = send  # type: ignore[method-assign,assignment]


def plugged(client: Client) -> None:
    """Undo that."""
    del client._requests.transport.send


# -- runs that were taken over -------------------------------------------------------------


async def test_a_run_that_was_taken_over_sends_nothing_more(redis: RedisServer) -> None:
    async with fleet(redis, 1, pace={"rate": RATE}) as rig:
        pace = rig.paces[0]
        source = phones(100)
        first = await pace.claim("part-1")
        async with client_of(rig.sandbox, pace=pace.fenced("part-1", first)) as zombie:
            upload = zombie.phones.upload(rig.group, source, batch_size=1).start()
            await asyncio.sleep(2)
            second = await pace.claim("part-1")
            assert second > first
            sent = len(rig.sandbox.requests)
            with pytest.raises(UploadStopped, match=r"part-1.*taken over") as stopped:
                await upload
        assert len(rig.sandbox.requests) <= sent + 1  # one may have had its permit
        assert_accounts(stopped.value.report, rig.sandbox, source)
        async with client_of(rig.sandbox, pace=shared(redis).fenced("part-1", second)) as heir:
            assert (await heir.phones.upload(rig.group, numbers(3))).ok
        async with client_of(rig.sandbox, pace=shared(redis).fenced("part-2", 1)) as other:
            assert (await other.phones.upload(rig.group, numbers(3))).ok


async def test_a_higher_epoch_needs_no_claim(redis: RedisServer) -> None:
    async with fleet(redis, 1, pace={"rate": RATE}) as rig:
        for epoch in (1, 1, 2):
            async with client_of(rig.sandbox, pace=shared(redis).fenced("p", epoch)) as client:
                await client.me()
        async with client_of(rig.sandbox, pace=shared(redis).fenced("p", 1)) as client:
            report: UploadReport
            with pytest.raises(UploadStopped) as stopped:
                await client.phones.upload(rig.group, numbers(2))
            report = stopped.value.report
            assert report.failed_count == 2
            assert not report.unknown_count
