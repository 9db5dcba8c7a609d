"""No window of the rate's length holds more arrivals than the rate, and no time is wasted."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Adaptive, Rate
from asyncsdk.client import DEFAULT_RATE
from asyncsdk.sandbox import Faults, RequestLimit
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk import Phone
    from tests.rig import Rig

CASES = [
    (Rate(20, per=1.0), 200),
    (Rate(1, per=2.0), 20),
    (Rate(500, per=1.0), 1200),
    (Rate(3, per=0.5), 40),
]


def busiest(arrivals: list[float], per: float) -> int:
    """The most arrivals within any window of this length, its end excluded."""
    times = sorted(arrivals)
    return max(bisect_left(times, start + per) - i for i, start in enumerate(times))


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(("rate", "requests"), CASES, ids=str)
async def test_the_rate_is_kept_and_used(
    rig: Rig, rate: Rate, requests: int, concurrency: int
) -> None:
    source = phones(requests)
    report = await rig.upload(source, batch_size=1, rate=rate, concurrency=concurrency)
    allowance = requests / rate.requests * rate.per
    assert len(rig.arrivals) == requests
    assert busiest(rig.arrivals, rate.per) <= rate.requests
    assert report.elapsed <= allowance * 1.03
    assert_accounts(report, rig.sandbox, source)


async def test_a_server_that_refuses_the_first_request_too_many_refuses_none() -> None:
    limit = RequestLimit(20, per=1.0)
    async with connected(request_limit=limit, latency=0.7) as rig:
        report = await rig.upload(phones(300), batch_size=1, rate=Rate(20, per=1.0), concurrency=32)
    assert report.ok
    assert report.retries == 0
    assert report.throttled == 0
    alone = 0.7  # the first request proves the key, and nothing else leaves meanwhile
    assert report.elapsed <= alone + 300 / 20 * 1.03 + 0.7


async def test_by_default_ten_requests_of_a_client_leave_a_second() -> None:
    async with connected(client={"rate": DEFAULT_RATE}) as rig:
        uploads = [rig.upload(phones(10), batch_size=1) for _ in range(5)]
        reports = await asyncio.gather(*uploads)
    assert busiest(rig.arrivals, 1.0) == 10
    assert 4.5 <= max(report.elapsed for report in reports) <= 5.15


async def test_after_a_pause_of_the_source_the_window_is_kept_too(rig: Rig) -> None:
    async def rows() -> AsyncIterator[Phone]:
        for i, row in enumerate(phones(100)):
            if i in {7, 33, 60}:
                await asyncio.sleep(1.7)
            yield row

    await rig.upload(rows(), batch_size=1, rate=Rate(20, per=1.0))
    assert len(rig.arrivals) == 100
    assert busiest(rig.arrivals, 1.0) <= 20


async def test_retries_keep_the_rate_as_well() -> None:
    faults = Faults({"503": 0.2, "429": 0.2, "reset-head": 0.1}, seed=5, limit=60)
    async with connected(faults=faults) as rig:
        await rig.upload(phones(150), batch_size=1, rate=Rate(20, per=1.0), concurrency=16)
    assert len(rig.arrivals) > 180
    assert busiest(rig.arrivals, 1.0) <= 20


async def test_each_upload_has_a_rate_of_its_own(rig: Rig) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(
        *(rig.upload(phones(20), batch_size=1, rate=Rate(10)) for _ in range(3)),
    )
    assert loop.time() - began <= 2 * 1.03


async def test_no_limit_takes_no_time(rig: Rig) -> None:
    report = await rig.upload(phones(500), batch_size=1, rate=None)
    assert report.elapsed < 1.0


@pytest.mark.parametrize("own", [None, Rate(1, per=60.0)], ids=str)
@pytest.mark.parametrize("concurrency", [8, 64, Adaptive(64, 64)], ids=str)
async def test_an_upload_leaves_room_for_what_somebody_waits_for(
    own: Rate | None, concurrency: int | Adaptive
) -> None:
    """However many of its requests wait for the account's rate, or for its own."""
    async with connected(latency=0.1, client={"rate": Rate(10, per=1.0)}) as rig:
        rig.upload(phones(5000), batch_size=1, concurrency=concurrency, rate=own).start()
        await asyncio.sleep(5)
        loop = asyncio.get_running_loop()
        for _ in range(10):
            began = loop.time()
            await rig.client.me()
            assert loop.time() - began <= 0.5


async def test_uploads_side_by_side_have_the_same_share_of_the_rate() -> None:
    async with connected(latency=0.1, client={"rate": Rate(10, per=1.0)}) as rig:
        uploads = [
            rig.upload(phones(2000), batch_size=1, concurrency=concurrency).start()
            for concurrency in (64, 2, 8)
        ]
        await asyncio.sleep(30)
        shares = [upload.progress.requests for upload in uploads]
        assert max(shares) <= min(shares) * 1.2 + 3
