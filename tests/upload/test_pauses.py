"""A pause holds whoever waits for the rate, and what never left takes no place in its window."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Rate, RetryPolicy
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, phones
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from asyncsdk import Upload
    from tests.rig import Rig

RATES = [Rate(2, per=1.0), Rate(5, per=3.0), Rate(20, per=1.0)]

STEP = 0.05
"""Seconds between two looks at the progress."""

PATIENT = RetryPolicy(attempts=50, base=4.0, max_wait=100_000.0)


async def pauses_of(upload: Upload) -> list[tuple[float, float]]:
    """When everybody paused, from when until when, as the progress says."""
    loop, found = asyncio.get_running_loop(), list[tuple[float, float]]()
    upload.start()
    while not upload.report.complete and upload.progress.elapsed < 1_000:
        now, left = loop.time(), upload.progress.paused
        if left > 0 and (not found or now + left > found[-1][1] + STEP):
            found.append((now, now + left))
        await asyncio.sleep(max(STEP, left / 2))
    await upload
    return found


def arrived_within(rig: Rig, began: float, ended: float) -> list[float]:
    return [at for at in rig.arrivals if began + STEP < at < ended - STEP]


@pytest.mark.parametrize("latency", [0.0, 0.7])
@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("name", ["429", "503", "429-after", "503-after", "429-date"])
async def test_no_request_leaves_within_a_pause(name: str, rate: Rate, latency: float) -> None:
    source = phones(30)
    faults = Faults.script([*["ok"] * 4, name, *["ok"] * 8, name], retry_after=7.0)
    async with connected(faults=faults, latency=latency) as rig:
        upload = rig.upload(source, batch_size=1, rate=rate, concurrency=16, retry=PATIENT)
        pauses = await pauses_of(upload)
    for began, ended in pauses:
        assert not arrived_within(rig, began, ended)
    if name in {"429-after", "503-after", "429-date"}:
        assert pauses[0][1] - pauses[0][0] > 5.5
    assert busiest(rig.arrivals, rate.per) <= rate.requests
    assert_accounts(upload.report, rig.sandbox, source)
    assert upload.report.ok


@pytest.mark.parametrize("name", ["429-after", "503-after"])
async def test_a_pause_that_a_later_refusal_makes_longer_holds_to_its_end(name: str) -> None:
    faults = Faults.script(["ok", *[name] * 8], retry_after=5.0)
    async with connected(faults=faults, latency=lambda no: no * 0.4) as rig:
        upload = rig.upload(
            phones(40), batch_size=1, rate=Rate(20, per=1.0), concurrency=8, retry=PATIENT
        )
        pauses = await pauses_of(upload)
    assert len(pauses) > 1
    for began, ended in pauses:
        assert not arrived_within(rig, began, ended)
    assert upload.report.ok


@pytest.mark.parametrize("proven", [False, True], ids=["new key", "proven key"])
@pytest.mark.parametrize("whose", ["upload", "client"])
@pytest.mark.parametrize("rate", RATES, ids=str)
async def test_a_server_that_was_down_does_not_fill_the_window_for_ever(
    rate: Rate,
    whose: str,
    proven: bool,  # noqa: FBT001 - a parameter
) -> None:
    source = phones(60)
    async with connected(client={"rate": rate} if whose == "client" else {}) as rig:
        if proven:
            await rig.client.me()
        await rig.sandbox.stop()
        policy = RetryPolicy(attempts=1_000, base=0.5, cap=2.0, max_wait=10_000.0)
        own = rate if whose == "upload" else None
        upload = rig.upload(source, batch_size=2, rate=own, retry=policy, concurrency=8).start()
        await asyncio.sleep(40)
        assert not upload.report.failed_count
        await rig.sandbox.start()
        async with asyncio.timeout(120):
            report = await upload
        assert report.ok
        assert_accounts(report, rig.sandbox, source)
    posts = [r.at for r in rig.sandbox.requests if r.method == "POST"]
    assert busiest(posts, rate.per) <= rate.requests


@pytest.mark.parametrize("rate", RATES, ids=str)
async def test_after_it_is_back_the_rate_is_used_again(rate: Rate) -> None:
    async with connected() as rig:
        await rig.client.me()
        await rig.sandbox.stop()
        policy = RetryPolicy(attempts=1_000, base=0.1, cap=0.5, max_wait=10_000.0)
        source = phones(40)
        upload = rig.upload(source, batch_size=1, rate=rate, retry=policy).start()
        await asyncio.sleep(20)
        await rig.sandbox.start()
        report = await upload
    assert report.ok
    later = sorted(rig.arrivals)[-20:]
    gaps = [after - before for before, after in pairwise(later)]
    assert sum(gaps) <= len(gaps) / rate.requests * rate.per * 1.1
