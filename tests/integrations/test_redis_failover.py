"""Another server takes the place of the one that had the pace."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from asyncsdk.errors import AsyncSDKError
from tests.integrations.redis_failover import RedisNodes, WatchedRedis
from tests.integrations.rig import fleet
from tests.integrations.test_shared_pace import RATE, assert_within
from tests.rig import phones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk import Upload
    from tests.integrations.rig import Fleet

CLIENTS = 3
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """The clients leave connections open to servers that they had found before."""
    yield
    gc.collect()


PACE = {"rate": RATE, "patience": 3600.0}
"""Of seconds of the test's clock many go by while servers come to an agreement."""


def start_all(rig: Fleet, count: int) -> list[Upload]:
    """An upload of so many phones by each client, one in a request."""
    source = phones(count)
    return [each.phones.upload(rig.group, source, batch_size=1).start() for each in rig.clients]


async def test_a_replica_that_takes_over_reaches_no_user_and_lets_nobody_exceed_the_rate() -> None:
    with WatchedRedis() as redis:
        client = redis.client()
        async with fleet(client, CLIENTS, pace=PACE, latency=0.01) as rig:
            uploads = start_all(rig, 100)
            await asyncio.sleep(2.03)
            redis.fail_over()
            reports = await asyncio.gather(*uploads)
        await client.aclose()
    assert all(report.ok for report in reports)
    assert_within(RATE, rig.arrivals)
    assert len(rig.arrivals) == 100 * CLIENTS


async def test_a_replica_knows_the_pause_and_the_key_that_was_refused() -> None:
    with WatchedRedis() as redis:
        client = redis.client()
        async with fleet(client, 2, pace=PACE, client={"api_key": "no"}) as rig:
            with pytest.raises(AsyncSDKError):
                await rig.clients[0].me()
            redis.wait_for_replica()
            redis.fail_over()
            with pytest.raises(AsyncSDKError, match="another client was refused"):
                await rig.clients[1].me()
            assert len(rig.sandbox.requests) == 1
        await client.aclose()


async def test_a_cluster_has_all_of_a_pace_on_one_node_and_may_be_started_anew() -> None:
    with RedisNodes() as redis:
        client = redis.client()
        async with fleet(client, CLIENTS, pace=PACE, latency=0.01) as rig:
            uploads = start_all(rig, 60)
            await asyncio.sleep(1.03)
            assert sum(bool(node.keys()) for node in redis.nodes) == 1
            redis.restart()
            reports = await asyncio.gather(*uploads)
            assert (await rig.paces[0].state()).rate == RATE
        await client.aclose()
    assert all(report.ok for report in reports)
    assert_within(RATE, rig.arrivals)
