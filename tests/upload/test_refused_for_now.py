"""What the server refused for now: everybody pauses. Row 6 of the table of failures."""

from __future__ import annotations

import asyncio

import pytest

from asyncsdk import Delivery, RateLimitedError, RetryPolicy, ServerError, UploadStopped
from asyncsdk.sandbox import Faults, RequestLimit
from tests.rig import assert_accounts, connected, phones

NO_JITTER = RetryPolicy(base=0.0)


@pytest.mark.parametrize("fault", ["429-after", "503-after", "429-date"])
async def test_retry_after_is_a_minimum(fault: str) -> None:
    asked, least = 100.0, 60.0 if fault.endswith("date") else 100.0  # a date has real seconds in it
    async with connected(faults=Faults.script(["ok", fault], retry_after=asked)) as rig:
        source = phones(30)
        report = await rig.upload(source, batch_size=10, concurrency=1)
    assert report.ok
    assert report.retries == 1
    _, refused, again, *_ = rig.arrivals
    assert least <= again - refused <= asked + 2.0
    assert report.throttled == pytest.approx(again - refused, abs=0.01)
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("fault", ["408", "429", "503"])
async def test_without_retry_after_the_pauses_are_the_clients_own(fault: str) -> None:
    faults = Faults.script(["ok", *[fault] * 4])
    async with connected(faults=faults) as rig:
        source = phones(20)
        report = await rig.upload(
            source, batch_size=10, concurrency=1, retry=RetryPolicy(base=1.0, cap=2.0)
        )
    assert report.ok
    assert report.retries == 4
    assert [result.attempts for result in report.created] == [1] * 10 + [5] * 10
    assert report.throttled <= 1 + 2 + 2 + 2
    assert_accounts(report, rig.sandbox, source)


async def test_one_refusal_pauses_every_worker() -> None:
    faults = Faults.script(["ok", "429-after"], retry_after=60.0)
    async with connected(faults=faults, latency=lambda no: 0.5 if no == 2 else 1.0) as rig:
        source = phones(300)
        upload = rig.upload(source, batch_size=10, concurrency=8, retry=NO_JITTER).start()
        await asyncio.sleep(30)
        assert upload.progress.requests == 9
        assert upload.progress.in_flight == 0
        assert upload.progress.throttled == pytest.approx(28.5, abs=0.1)
        report = await upload
    refused = rig.arrivals[1] + 0.5
    assert all(at < refused or at >= refused + 60.0 for at in rig.arrivals)
    assert report.throttled == pytest.approx(60.0, abs=0.1)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)


async def test_refusals_of_one_moment_are_one_pause() -> None:
    faults = Faults.script(["ok", *["503-after"] * 8], retry_after=10.0)
    async with connected(faults=faults, latency=1.0) as rig:
        report = await rig.upload(phones(300), batch_size=10, concurrency=8, retry=NO_JITTER)
    assert report.ok
    assert report.retries == 8
    assert report.throttled == pytest.approx(10.0, abs=0.1)


async def test_a_strict_server_is_met_with_patience() -> None:
    limit = RequestLimit(5, per=10.0, retry_after="date")
    async with connected(request_limit=limit) as rig:
        source = phones(300)
        report = await rig.upload(
            source, batch_size=10, concurrency=8, retry=RetryPolicy(attempts=100)
        )
    assert report.ok
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize(
    ("fault", "kind"), [("429-after", RateLimitedError), ("503-after", ServerError)]
)
async def test_more_patience_than_there_is_ends_it(fault: str, kind: type) -> None:
    faults = Faults.script(["ok", fault], retry_after=901.0)
    async with connected(faults=faults) as rig:
        source = phones(200)
        upload = rig.upload(source, batch_size=10, concurrency=2)
        with pytest.raises(UploadStopped) as caught:
            await upload
    cause = caught.value.cause
    assert isinstance(cause, kind)
    assert getattr(cause, "retry_after", None) == 901.0
    assert upload.report.elapsed < 1
    assert upload.report.submitted < 200
    assert not upload.report.complete
    assert upload.report.unknown_count == 0
    assert_accounts(upload.report, rig.sandbox, source)


async def test_pauses_that_add_up_to_more_than_max_wait_end_it_too() -> None:
    faults = Faults({"503-after": 1.0}, retry_after=20.0)
    async with connected(faults=faults) as rig:
        upload = rig.upload(
            phones(200), batch_size=10, retry=RetryPolicy(attempts=1000, base=0.0, max_wait=100.0)
        )
        with pytest.raises(UploadStopped) as caught:
            await upload
    assert isinstance(caught.value.cause, ServerError)
    assert 100 <= upload.report.throttled <= 120
    assert_accounts(upload.report, rig.sandbox, phones(200))


async def test_attempts_are_bounded() -> None:
    async with connected(faults=Faults({"503": 1.0})) as rig:
        report = await rig.upload(
            phones(20), batch_size=10, concurrency=1, retry=RetryPolicy(attempts=3, base=0.1)
        )
    assert len(rig.sandbox.requests) == 6
    assert report.complete
    assert report.unknown_count == 0
    assert {(r.status, r.attempts, r.delivery) for r in report.failed} == {
        (503, 3, Delivery.ANSWERED)
    }
    assert all(r.request_id for r in report.failed)
