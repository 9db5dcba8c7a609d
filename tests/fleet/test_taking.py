"""Who may send a partition, with a pace that is shared; in one process, and in no time."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from asyncsdk import Client, ConfigurationError, Rate, UploadReport, fleet
from asyncsdk.errors import FencedError
from tests.integrations.rig import shared
from tests.rig import client_of, connected, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from asyncsdk.fleet import Manifest
    from asyncsdk.integrations.redis import SharedPace
    from tests.integrations.redis_server import RedisServer
    from tests.rig import Rig


@frozen
class Hosts:
    """A planned partition of fifty phones, and clients that share a pace."""

    rig: Rig
    manifest: Manifest
    clients: list[Client]
    paces: list[SharedPace]

    async def run(self, host: int | None, **options: Any) -> UploadReport:
        """Run it on a host; None: on one that knows nothing of the pace."""
        client = self.rig.client if host is None else self.clients[host]
        return await fleet.run(self.manifest, 0, client=client, **options)

    @property
    def journals(self) -> int:
        """How many there are."""
        return len(list(self.manifest.state.glob("*.journal")))


@asynccontextmanager
async def hosts(
    redis: RedisServer,
    state: Path,
    count: int = 2,
    *,
    plan: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Hosts]:
    """So many hosts; `options` are those of the sandbox."""
    path = state.with_name("list.csv")
    path.write_text("phone\n" + "\n".join(numbers(50)) + "\n")
    async with connected(**options) as rig, AsyncExitStack() as stack:
        wanted = {"batch_size": 5, "concurrency": 2, **(plan or {})}
        manifest = await fleet.plan(path, rig.group_id, state, **wanted)
        paces = [shared(redis, rate=Rate(1000)) for _ in range(count)]
        clients = [
            await stack.enter_async_context(client_of(rig.sandbox, pace=pace)) for pace in paces
        ]
        yield Hosts(rig, manifest, clients, paces)


async def test_the_second_has_it_and_hears_what_the_first_was_answered(
    redis: RedisServer, state: Path
) -> None:
    """Nothing is in doubt, for what was under way has its answer on record."""
    async with hosts(redis, state, latency=2.0) as it:
        first = asyncio.create_task(it.run(0))
        await asyncio.sleep(5)
        report = await it.run(1)
        assert (report.created_count, report.requests) == (50, 10)
        with pytest.raises(FencedError) as caught:
            await first
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301
        assert sorted(it.rig.stored) == numbers(50)
        exports = [r for r in it.rig.sandbox.requests if "export" in r.path]
        assert not exports
        assert it.journals == 1


async def test_one_after_the_other_of_many(redis: RedisServer, state: Path) -> None:
    async with hosts(redis, state, 4, latency=1.0) as it:
        runs = []
        for host in range(4):
            runs.append(asyncio.create_task(it.run(host)))
            await asyncio.sleep(2)
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert [type(one) for one in ended[:3]] == [FencedError] * 3
        assert isinstance(ended[3], UploadReport)
        assert ended[3].created_count == 50
        assert sorted(it.rig.stored) == numbers(50)


async def test_what_a_run_without_a_pace_left_is_gone_on_with(
    redis: RedisServer, state: Path
) -> None:
    async with hosts(redis, state, latency=1.0) as it:
        first = asyncio.create_task(it.run(None))
        await asyncio.sleep(2.5)
        other = asyncio.create_task(it.run(0))  # it waits: the lock is the fence of the first
        await asyncio.sleep(1)
        first.cancel()
        report = await other
        assert report.created_count == 50
        assert sorted(it.rig.stored) == numbers(50)
        assert (await it.run(None)).created_count == 50  # it is complete


async def test_with_a_pace_and_then_without_is_refused(redis: RedisServer, state: Path) -> None:
    async with hosts(redis, state, latency=1.0) as it:
        first = asyncio.create_task(it.run(0))
        await asyncio.sleep(2.5)
        first.cancel()
        with pytest.raises(ConfigurationError, match="give the same pace"):
            await it.run(None)
        assert (await it.run(1)).created_count == 50


async def test_client_and_pace_belong_together(redis: RedisServer, state: Path) -> None:
    async with hosts(redis, state) as it:
        with pytest.raises(ConfigurationError, match="has another pace"):
            await it.run(0, pace=it.paces[1])
        assert (await it.run(0, pace=it.paces[0])).created_count == 50


async def test_the_pace_of_the_environments_client(
    redis: RedisServer, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hosts(redis, state) as it:
        monkeypatch.setenv("ASYNCSDK_CLIENT_ID", it.rig.sandbox.client_id)
        monkeypatch.setenv("ASYNCSDK_API_KEY", it.rig.sandbox.api_key)
        monkeypatch.setenv("ASYNCSDK_BASE_URL", it.rig.sandbox.url)
        report = await fleet.run(state, 0, pace=shared(redis, rate=Rate(1000)))
        assert report.created_count == 50
        assert [path.name for path in state.glob("*.journal")] != ["00000.journal"]


async def test_credentials_that_are_replaced_hold_for_a_run_that_is_under_way(
    redis: RedisServer, state: Path
) -> None:
    async with hosts(redis, state, 1, latency=1.0, plan={"concurrency": 1}) as it:
        run = asyncio.create_task(it.run(0))
        await asyncio.sleep(3.5)
        sandbox = it.rig.sandbox
        it.clients[0].set_credentials(sandbox.client_id, sandbox.api_key)
        assert (await run).created_count == 50


async def test_a_request_of_the_one_before_is_waited_for_as_long_as_that_would(
    redis: RedisServer, state: Path
) -> None:
    """Its timeout is longer than that of the one that takes it over."""
    async with hosts(redis, state, latency=9.0, plan={"concurrency": 1}) as it:
        slow, quick = (
            client_of(it.rig.sandbox, pace=pace, timeout=seconds)
            for pace, seconds in zip(it.paces, (20.0, 10.0), strict=True)
        )
        async with slow, quick:
            first = asyncio.create_task(fleet.run(it.manifest, 0, client=slow))
            await asyncio.sleep(11.0)  # the group was asked, and the first batch is under way
            report = await fleet.run(it.manifest, 0, client=quick)
            with pytest.raises(FencedError):
                await first
        assert (report.created_count, report.requests) == (50, 10)
        assert sorted(it.rig.stored) == numbers(50)
