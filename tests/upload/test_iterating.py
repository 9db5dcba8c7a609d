"""`async for`: each result as it lands, and what is left when the consumer leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from asyncsdk import (
    AuthenticationError,
    ConfigurationError,
    Delivery,
    InsufficientFundsError,
    Outcome,
    Phone,
    UploadStopped,
)
from asyncsdk.sandbox import Faults
from tests.rig import Rig, client_of, connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path


async def test_each_result_comes_once_and_none_is_kept(rig: Rig) -> None:
    source = [Phone("") if i % 5 == 0 else phone for i, phone in enumerate(phones(23))]
    upload = rig.upload(source, batch_size=4, concurrency=3)
    results = [result async for result in upload]
    assert sorted(result.index for result in results) == list(range(23))
    assert {r.index for r in results if r.outcome is Outcome.INVALID} == {0, 5, 10, 15, 20}
    report = upload.report
    assert (report.submitted, report.created_count, report.invalid_count) == (23, 18, 5)
    assert report.complete
    assert known(report) == []
    assert await upload == report


async def test_results_come_while_the_upload_runs() -> None:
    async with connected(latency=1.0) as rig:
        loop = asyncio.get_running_loop()
        began = loop.time()
        upload = rig.upload(phones(30), batch_size=10, concurrency=1)
        landed = [round(loop.time() - began) async for _ in upload]
    assert landed == [1] * 10 + [2] * 10 + [3] * 10


async def test_a_slow_consumer_slows_the_upload_down(rig: Rig) -> None:
    upload = rig.upload(phones(1000), batch_size=1, concurrency=4)
    async for result in upload:
        await asyncio.sleep(10)
        if result.index > 10:
            break
    assert len(rig.sandbox.requests) < 40


async def test_breaking_out_ends_it_and_keeps_what_was_not_delivered() -> None:
    async with connected(latency=lambda no: 0.0 if no < 6 else 50.0) as rig:
        source = phones(1000)
        upload = rig.upload(source, batch_size=10, concurrency=4)
        seen = []
        async for result in upload:
            seen.append(result)
            if len(seen) == 13:
                break
        report = upload.report  # at once, nothing awaited in between
        assert await upload == report
        await asyncio.sleep(100)
        assert upload.report == report
    kept = known(report)
    assert not report.complete
    assert report.stopped_by == "cancelled"
    assert sorted(r.index for r in [*seen, *kept]) == list(range(report.submitted))
    assert report.submitted == report.created_count + report.invalid_count + report.failed_count
    assert {r.delivery for r in report.failed} <= {Delivery.UNKNOWN, Delivery.NOT_SENT}
    stored = {commit.callback_data for commit in rig.sandbox.commits}
    created = {r.phone.callback_data for r in [*seen, *kept] if r.outcome is Outcome.CREATED}
    unknown = {r.phone.callback_data for r in kept if r.delivery is Delivery.UNKNOWN}
    assert created <= stored <= created | unknown


async def test_an_error_in_the_body_keeps_the_account_too(rig: Rig) -> None:
    upload = rig.upload(phones(100), batch_size=10)
    seen = []

    async def consume() -> None:
        async for result in upload:
            seen.append(result)
            if len(seen) == 5:
                raise LookupError

    with pytest.raises(LookupError):
        await consume()
    assert len(seen) + len(known(upload.report)) == upload.report.submitted


async def test_stopping_from_within(rig: Rig) -> None:
    """What is in flight still lands in the loop."""
    upload = rig.upload(phones(1000), batch_size=10, concurrency=3)
    seen, stopping = [], []
    async for result in upload:
        seen.append(result)
        if len(seen) == 15:
            stopping.append(asyncio.create_task(upload.stop()))
    report = await stopping[0]
    assert not report.complete
    assert report.stopped_by == "stop"
    assert report.submitted < 1000
    assert sorted(r.index for r in seen) == list(range(report.submitted))
    assert known(report) == []


async def test_awaiting_stop_within_the_loop_does_not_wait_for_itself(rig: Rig) -> None:
    upload = rig.upload(phones(1000), batch_size=10, concurrency=3)
    seen = []
    async for result in upload:
        seen.append(result)
        if len(seen) == 15:
            report = await upload.stop()
            assert report.submitted < 1000
    assert sorted(r.index for r in seen) == list(range(upload.report.submitted))


async def test_what_stops_the_upload_is_raised_after_the_last_result() -> None:
    async with connected(faults=Faults.script(["ok", "ok", "402"])) as rig:
        upload = rig.upload(phones(100), batch_size=10, concurrency=1)
        seen = []

        async def consume() -> None:
            async for result in upload:
                seen.append(result)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(UploadStopped) as caught:
            await consume()
    assert isinstance(caught.value.cause, InsufficientFundsError)
    assert sorted(r.index for r in seen) == list(range(caught.value.report.submitted))
    assert sum(r.outcome is Outcome.CREATED for r in seen) == 20


async def test_a_wrong_key_is_raised_too(rig: Rig) -> None:
    async with client_of(rig.sandbox, api_key="wrong") as client:
        upload = client.phones.upload(rig.group_id, phones(3))
        with pytest.raises(UploadStopped) as caught:
            [result async for result in upload]
    assert isinstance(caught.value.cause, AuthenticationError)


async def test_an_upload_runs_once(rig: Rig) -> None:
    upload = rig.upload(phones(3)).start()
    with pytest.raises(ConfigurationError, match="started before"):
        aiter(upload)
    with pytest.raises(ConfigurationError, match="started before"):
        upload.start()
    assert (await upload).ok
    assert len(rig.sandbox.requests) == 1


async def test_iterating_a_second_time_is_refused(rig: Rig) -> None:
    upload = rig.upload(phones(3))
    assert len([result async for result in upload]) == 3
    with pytest.raises(ConfigurationError, match="started before"):
        [result async for result in upload]


async def test_cancelling_whoever_iterates_ends_it_at_once() -> None:
    async with connected(latency=lambda no: 0.0 if no < 3 else 50.0) as rig:
        upload = rig.upload(phones(100), batch_size=10, concurrency=2)
        seen = []

        async def consume() -> None:
            async for result in upload:
                seen.append(result)  # noqa: PERF401 - what came before the end counts

        task = asyncio.create_task(consume())
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        report = upload.report
        assert report.elapsed == pytest.approx(5, abs=0.1)
        assert await upload == report
    assert len(seen) == report.created_count == 20
    assert report.unknown_count == 20
    assert len(seen) + len(known(report)) == report.submitted


async def test_an_iterator_that_is_held_can_be_closed() -> None:
    async with connected(latency=lambda no: 0.0 if no < 3 else 50.0) as rig:
        upload = rig.upload(phones(100), batch_size=10, concurrency=2)
        results = aiter(upload)
        assert (await anext(results)).index == 0
        await results.aclose()  # type: ignore[attr-defined]
        await results.aclose()  # type: ignore[attr-defined]
        report = upload.report
        assert [r.index for r in known(report)] == list(range(1, report.submitted))


@pytest.mark.parametrize("journalled", [False, True])
async def test_several_may_consume_it(tmp_path: Path, journalled: bool) -> None:  # noqa: FBT001
    """Each result goes to one of them, however they wait for each other."""
    async with connected(latency=0.1) as rig:
        journal = tmp_path / "journal" if journalled else None
        upload = rig.upload(phones(500), batch_size=10, concurrency=4, journal=journal)
        results, seen = aiter(upload), list[int]()

        async def consume(pause: float) -> None:
            async for result in results:
                seen.append(result.index)
                await asyncio.sleep(pause)

        await asyncio.gather(*(consume(pause) for pause in (0.0, 0.01, 0.01, 0.3)))
        assert sorted(seen) == list(range(500))
        assert (await upload).ok


async def test_what_was_let_go_of_is_in_the_report_alone(rig: Rig) -> None:
    upload = rig.upload(phones(100), batch_size=10)
    results = aiter(upload)
    first = await anext(results)
    await results.aclose()  # type: ignore[attr-defined]
    rest = [result async for result in results]
    assert rest == []
    kept = [result.index for result in known(upload.report)]
    assert first.index not in kept
    assert len(kept) == upload.report.submitted - 1


async def test_what_cannot_begin_says_so_each_time(rig: Rig) -> None:
    client = client_of(rig.sandbox)
    await client.aclose()
    upload = client.phones.upload(rig.group_id, phones(5))
    results = aiter(upload)
    for _ in range(3):
        with pytest.raises(ConfigurationError, match="closed"):
            await asyncio.wait_for(anext(results), 5)
    upload.cancel()
