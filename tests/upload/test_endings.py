"""However an upload ends, its account is whole: stop, cancellation, deadline, too many failures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Delivery, FailureLimit, Phone, Rate, RetryPolicy, UploadStopped
from tests.rig import Rig, assert_accounts, client_of, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PLENTY = phones(1000)


def slowly(no: int) -> float:
    """The first reply comes at once and proves the key; the others take ten seconds."""
    return 0.0 if no == 1 else 10.0


async def test_it_runs_in_the_background_once_started() -> None:
    async with connected(latency=1.0) as rig:
        upload = rig.upload(phones(30), batch_size=10, concurrency=1)
        assert "new" in repr(upload)
        assert upload.start() is upload
        await asyncio.sleep(2.5)
        assert "running" in repr(upload)
        assert upload.progress.created == 20
        assert upload.report.created_count == 20
        assert not upload.report.complete
        assert (await upload).ok
        assert "ended" in repr(upload)
    assert_accounts(upload.report, rig.sandbox, phones(30))


async def test_stop_drains_what_is_in_flight() -> None:
    async with connected(latency=slowly) as rig:
        upload = rig.upload(PLENTY, batch_size=10, concurrency=4).start()
        await asyncio.sleep(5)
        assert upload.progress.in_flight == 40
        report = await upload.stop()
        assert report == upload.report == await upload == await upload.stop()
    assert report.elapsed == pytest.approx(10, abs=0.1)
    assert (report.created_count, report.failed_count) == (50, 20)  # two batches were ready
    assert all(result.delivery is Delivery.NOT_SENT for result in report.failed)
    assert not report.complete
    assert not report.ok
    assert report.stopped_by == "stop"
    assert_accounts(report, rig.sandbox, PLENTY)


async def test_stop_does_not_wait_for_a_source_that_gives_nothing(rig: Rig) -> None:
    async def rows() -> AsyncIterator[Phone]:
        for row in PLENTY[:7]:
            yield row
        await asyncio.sleep(10_000)

    upload = rig.upload(rows(), batch_size=5).start()
    await asyncio.sleep(1)
    report = await upload.stop()
    assert report.elapsed < 2
    assert (report.created_count, report.failed_count) == (5, 2)
    assert {result.delivery for result in report.failed} == {Delivery.NOT_SENT}
    assert_accounts(report, rig.sandbox, PLENTY)


async def test_stop_before_the_start_sends_nothing(rig: Rig) -> None:
    report = await rig.upload(PLENTY).stop()
    assert report.submitted == 0
    assert not report.complete
    assert not rig.sandbox.requests


async def test_stop_after_the_end_changes_nothing(rig: Rig) -> None:
    upload = rig.upload(phones(5))
    report = await upload
    assert await upload.stop() == report
    assert report.complete


async def test_a_cancelled_await_cancels_the_upload() -> None:
    async with connected(latency=slowly) as rig:
        upload = rig.upload(PLENTY, batch_size=10, concurrency=4)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await upload
        report = upload.report
        assert await upload == report
        await asyncio.sleep(20)
        assert upload.report == report
    assert report.stopped_by == "cancelled"
    assert report.created_count == 10
    assert report.unknown_count == 40
    assert all("under way" in str(result.error) for result in report.failed[:40])
    assert report.elapsed == pytest.approx(5, abs=0.1)
    assert_accounts(report, rig.sandbox, PLENTY)


async def test_a_cancelled_task_ends_as_cancelled(rig: Rig) -> None:
    async def forever() -> AsyncIterator[str]:
        while True:
            yield "+491601234567"
            await asyncio.sleep(1)

    upload = rig.upload(forever(), batch_size=2)

    async def wait() -> None:
        await upload

    task = asyncio.create_task(wait())
    await asyncio.sleep(4.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    report = upload.report
    assert (report.submitted, report.created_count, report.failed_count) == (5, 4, 1)


async def test_leaving_async_with_ends_it() -> None:
    async with connected(latency=slowly) as rig:
        async with rig.upload(PLENTY, batch_size=10, concurrency=4) as upload:
            upload.start()
            await asyncio.sleep(5)
        assert upload.report.unknown_count == 40
        await asyncio.sleep(20)
        assert len(rig.sandbox.requests) == 5
    assert_accounts(upload.report, rig.sandbox, PLENTY)


async def test_the_deadline_ends_it_whatever_is_under_way() -> None:
    async with connected(latency=slowly) as rig:
        report = await rig.upload(PLENTY, batch_size=10, concurrency=4, deadline=12.0)
        await asyncio.sleep(20)
    assert report.elapsed == pytest.approx(12, abs=0.1)
    assert report.stopped_by == "deadline"
    assert (report.created_count, report.unknown_count) == (50, 40)
    assert_accounts(report, rig.sandbox, PLENTY)


async def test_a_deadline_that_is_not_reached_changes_nothing(rig: Rig) -> None:
    report = await rig.upload(phones(5), deadline=1000.0)
    assert report.ok
    await asyncio.sleep(2000)
    assert report.stopped_by is None


async def test_the_deadline_ends_a_wait_for_the_rate_limit_too() -> None:
    async with connected(client={"rate": Rate(10)}) as rig:
        source = phones(10)
        report = await rig.client.phones.upload(rig.group_id, source, batch_size=1, deadline=0.45)
    assert report.created_count == 5
    assert report.unknown_count == 0
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("every", [2, 10])
async def test_it_stops_at_a_count_of_failures(rig: Rig, every: int) -> None:
    source = [
        row if i % every else Phone("", callback_data=row.callback_data)
        for i, row in enumerate(PLENTY)
    ]
    limit = FailureLimit(count=20)
    report = await rig.upload(source, batch_size=10, concurrency=1, stop_when=limit)
    assert report.stopped_by == "stop_when"
    assert report.invalid_count == 20
    assert report.submitted == 20 * every
    assert not report.complete
    assert_accounts(report, rig.sandbox, source)


async def test_it_stops_above_a_ratio_once_a_hundred_are_settled(rig: Rig) -> None:
    bad = [Phone("none", callback_data=row.callback_data) for row in PLENTY]
    source = [*bad[:8], *PLENTY[8:100], *bad[100:200], *PLENTY[200:]]
    limit = FailureLimit(ratio=0.1)
    report = await rig.upload(source, batch_size=10, concurrency=1, stop_when=limit)
    assert report.stopped_by == "stop_when"
    assert report.submitted == 110
    assert report.invalid_count == 18
    assert_accounts(report, rig.sandbox, source)


async def test_a_ratio_says_nothing_of_a_short_list(rig: Rig) -> None:
    report = await rig.upload(["none"] * 99, batch_size=10, stop_when=FailureLimit(ratio=0.01))
    assert report.complete
    assert report.invalid_count == 99


async def test_a_limit_that_is_kept_stops_nothing(rig: Rig) -> None:
    source = ["", *PLENTY]
    report = await rig.upload(source, batch_size=10, stop_when=FailureLimit(count=2, ratio=0.5))
    assert report.complete
    assert report.created_count == 1000


async def test_the_clients_end_ends_a_running_upload() -> None:
    async with connected(latency=slowly) as rig:
        async with client_of(rig.sandbox) as client:
            upload = client.phones.upload(rig.group_id, PLENTY, batch_size=10, rate=None).start()
            await asyncio.sleep(5)
        report = upload.report
        assert await upload == report
        assert report.stopped_by == "cancelled"
        assert (report.created_count, report.unknown_count) == (10, 80)
        assert report.elapsed == pytest.approx(5, abs=0.1)
        await asyncio.sleep(20)
    assert_accounts(report, rig.sandbox, PLENTY)


async def test_one_that_was_cancelled_before_it_began_sends_nothing(rig: Rig) -> None:
    upload = rig.upload(phones(100))
    upload.cancel()
    upload.cancel()
    report = await upload
    assert (report.submitted, report.complete, report.stopped_by) == (0, False, "cancelled")
    assert not rig.sandbox.requests


@pytest.mark.parametrize("way", ["stop", "402"])
async def test_what_goes_out_no_more_is_not_waited_for(way: str) -> None:
    """What was under way when the end began, and would go out again after a while."""
    answers = [*["500"] * 20, "402" if way == "402" else "500"]  # the last one comes first
    async with connected(latency=lambda no: 1.0 + 0.1 * no) as rig:
        await rig.client.me()
        rig.sandbox.faults._script = answers
        upload = rig.upload(
            phones(100),
            batch_size=10,
            concurrency=4,
            on_unknown="resend",
            retry=RetryPolicy(base=1000.0, cap=1000.0),
        ).start()
        await asyncio.sleep(0.5)
        if way == "stop":
            await upload.stop()
        else:
            with suppress(UploadStopped):
                await upload
        assert not upload.report.complete
        assert upload.report.elapsed <= 4.0
        assert upload.report.submitted == len(known(upload.report))
