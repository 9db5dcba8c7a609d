"""`progress` at any time, and `on_progress` at most ten times a second."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Progress, UploadStopped
from asyncsdk.sandbox import Faults
from tests.rig import connected, phones

if TYPE_CHECKING:
    from tests.rig import Rig


async def test_a_snapshot_at_any_time() -> None:
    async with connected(latency=1.0) as rig:
        upload = rig.upload([*phones(95), *[""] * 5], batch_size=10, concurrency=2).start()
        await asyncio.sleep(0.5)
        first = upload.progress
        await asyncio.sleep(2)
        middle = upload.progress
        await upload
        last = upload.progress
    assert (first.read, first.created, first.requests, first.in_flight) == (30, 0, 1, 10)
    assert (middle.created, middle.in_flight, middle.concurrency) == (30, 20, 2)
    assert middle.elapsed == pytest.approx(2.5, abs=0.01)
    assert middle.rate == pytest.approx(12, abs=0.1)
    assert (last.read, last.created, last.invalid, last.in_flight) == (100, 95, 5, 0)
    assert last.requests == 10
    assert last.elapsed == upload.report.elapsed
    await asyncio.sleep(100)
    assert upload.progress == last


async def test_on_progress_is_called_at_most_ten_times_a_second() -> None:
    told: list[tuple[float, Progress]] = []

    def tell(progress: Progress) -> None:
        told.append((asyncio.get_running_loop().time(), progress))

    async with connected(latency=0.01) as rig:
        upload = rig.upload(phones(1000), batch_size=1, concurrency=4, on_progress=tell)
        await upload
    *regular, _last = [at for at, _ in told]
    assert 20 < len(told) < 40
    assert all(later - sooner >= 0.1 - 1e-9 for sooner, later in pairwise(regular))
    assert told[-1][1] == upload.progress
    settled = [progress.created for _, progress in told]
    assert settled == sorted(settled)
    assert settled[-1] == 1000


async def test_no_second_holds_more_than_ten_calls() -> None:
    at: list[float] = []
    async with connected(latency=0.03) as rig:
        loop = asyncio.get_running_loop()
        await rig.upload(
            phones(500), batch_size=1, concurrency=4, on_progress=lambda _: at.append(loop.time())
        )
    assert max(sum(start <= one < start + 1 for one in at) for start in at) <= 10


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyError("x"), asyncio.QueueFull()])
async def test_its_errors_never_end_an_upload(
    rig: Rig, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(_: Progress) -> None:
        raise error

    with caplog.at_level(logging.ERROR, "asyncsdk"):
        report = await rig.upload(phones(30), batch_size=10, on_progress=fail)
    assert report.ok
    assert "on_progress raised" in caplog.text


async def test_it_may_look_at_the_upload_and_stop_it(rig: Rig) -> None:
    stopping: list[asyncio.Task[object]] = []

    def tell(progress: Progress) -> None:
        assert upload.report.submitted <= progress.read
        if progress.created and not stopping:
            stopping.append(asyncio.create_task(upload.stop()))

    upload = rig.upload(phones(1000), batch_size=10, concurrency=1, on_progress=tell)
    report = await upload
    assert await stopping[0] == report
    assert report.stopped_by == "stop"
    assert report.submitted < 1000


async def test_the_last_call_tells_the_end_of_a_stopped_upload_too() -> None:
    told: list[Progress] = []
    async with connected(faults=Faults.script(["402"])) as rig:
        upload = rig.upload(phones(30), batch_size=10, on_progress=told.append)
        with pytest.raises(UploadStopped):
            await upload
    assert told[-1] == upload.progress
    assert told[-1].failed == told[-1].read == upload.report.submitted
