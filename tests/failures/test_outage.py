"""A server out of reach is an outage: one pause for all, one probe at a time, nothing given up."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import NotSentError, RetryPolicy, UploadStopped
from tests.effort import effort
from tests.failures.network import OUTAGES, networked
from tests.rig import assert_accounts, phones
from tests.upload.foreign import ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from asyncsdk import Phone, Progress, Upload, UploadReport
    from tests.failures.network import Network
    from tests.rig import Rig

pytestmark = pytest.mark.timeout(300)

COUNT = effort(20_000, 200_000)
AWAY = 30.0
CONCURRENCY = 8

FEW = 2_000


class Half:
    """A source that holds its breath in the middle, until what was sent has been answered."""

    def __init__(self, rows: list[Phone], then: Callable[[], Any]) -> None:
        self.rows = rows
        self.upload: Upload
        self._then = then

    async def __aiter__(self) -> AsyncIterator[Phone]:
        half = len(self.rows) // 2
        for row in self.rows[:half]:
            yield row
        while self.upload.report.submitted < half:  # noqa: ASYNC110 - an upload has no such event
            await asyncio.sleep(0.01)
        await self._then()
        for row in self.rows[half:]:
            yield row


async def interrupted(
    rig: Rig, network: Network, outage: str, rows: list[Phone], **options: Any
) -> tuple[UploadReport, list[Progress]]:
    """An upload whose server is away for a while; gives what the progress said meanwhile."""
    seen: list[Progress] = []
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        for _ in range(int(AWAY / 0.1)):
            seen.append(source.upload.progress)
            await asyncio.sleep(0.1)
        network.give_back()

    async def begin() -> None:
        await network.take_away(rig.sandbox, outage)
        watching.append(asyncio.create_task(watch()))

    source = Half(rows, begin)
    source.upload = rig.upload(
        source, batch_size=len(rows) // 40, concurrency=CONCURRENCY, **options
    )
    report = await ended(source.upload, 2_000)
    await asyncio.gather(*watching)
    return report, seen  # type: ignore[return-value]


def probes_at_most(away: float) -> int:
    """As many as a first backoff of half a second, doubling to thirty, with jitter, may take."""
    return int(away) + CONCURRENCY + 4


@pytest.mark.parametrize("attempts", [1, 5])
@pytest.mark.parametrize("outage", OUTAGES)
async def test_half_a_minute_without_a_server_costs_nothing(
    outage: str, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asyncsdk")
    rows = phones(COUNT if outage == "refused" else FEW)
    tls = "handshake" in outage
    async with networked(tls=tls, connect_timeout=2.0, timeout=5.0) as (rig, network):
        report, seen = await interrupted(
            rig, network, outage, rows, retry=RetryPolicy(attempts=attempts)
        )
    assert report.ok
    assert not report.failed_count
    assert_accounts(report, rig.sandbox, rows)
    assert 2 <= len(network.attempts) <= probes_at_most(AWAY)
    told = [progress for progress in seen if progress.paused > 0]
    assert told
    assert all("connection" in progress.paused_by.lower() for progress in told)
    assert report.throttled >= AWAY / 4  # the probes take their time, too, and there is jitter
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert any("connection" in text.lower() for text in warned)
    assert len(warned) <= len(network.attempts) + 2


@pytest.mark.parametrize("outage", ["refused", "connect timeout"])
async def test_one_probe_at_a_time(outage: str) -> None:
    """Those that were about to leave find out together; from then on, one alone."""
    rows = phones(FEW)
    async with networked(connect_timeout=2.0) as (rig, network):
        await interrupted(rig, network, outage, rows, retry=RetryPolicy(attempts=5))
    began = network.attempts[0]
    later = [at for at in network.attempts if at > began + 2.5]
    assert later
    assert len(network.attempts) - len(later) <= CONCURRENCY + 8
    gaps = [after - before for before, after in pairwise(later)]
    assert len(later) <= AWAY
    assert sum(gap < 0.01 for gap in gaps) <= len(later) // 4
    if outage == "connect timeout":
        assert all(gap >= 2.0 for gap in gaps)


@pytest.mark.parametrize("attempts", [1, 5])
@pytest.mark.parametrize("outage", OUTAGES)
async def test_one_that_is_there_from_the_beginning(outage: str, attempts: int) -> None:
    rows = phones(FEW)
    tls = "handshake" in outage
    async with networked(tls=tls, connect_timeout=2.0) as (rig, network):
        await network.take_away(rig.sandbox, outage)
        upload = rig.upload(rows, batch_size=100, retry=RetryPolicy(attempts=attempts)).start()
        await asyncio.sleep(AWAY)
        assert not upload.report.failed_count
        assert network.at_once == 1
        network.give_back()
        report = await upload
    assert report.ok
    assert_accounts(report, rig.sandbox, rows)


async def test_outages_that_come_again_and_again_do_not_add_up() -> None:
    """`max_wait` bounds what lies between two successes."""
    rows = phones(FEW)
    async with networked() as (rig, network):
        upload = rig.upload(slowly(rows), batch_size=20, retry=RetryPolicy(1, max_wait=40.0))
        upload.start()
        for _ in range(8):
            await asyncio.sleep(5)
            if upload.progress.in_flight == 0:
                await network.take_away(rig.sandbox, "refused")
            await asyncio.sleep(12)
            network.give_back()
        report = await upload
    assert report.unknown_count == report.failed_count == 0
    assert_accounts(report, rig.sandbox, rows)


async def slowly(rows: list[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i % 20 == 0:
            await asyncio.sleep(1.0)
        yield row


@pytest.mark.parametrize("outage", OUTAGES)
async def test_one_that_outlasts_max_wait_stops_it(outage: str) -> None:
    rows = phones(FEW)
    tls = "handshake" in outage
    async with networked(tls=tls, connect_timeout=2.0) as (rig, network):

        async def begin() -> None:
            await network.take_away(rig.sandbox, outage)

        source = Half(rows, begin)
        policy = RetryPolicy(attempts=2, base=0.5, cap=5.0, max_wait=20.0)
        source.upload = rig.upload(source, batch_size=50, concurrency=CONCURRENCY, retry=policy)
        began = asyncio.get_running_loop().time()
        with pytest.raises(UploadStopped) as caught:
            await ended(source.upload, 500)
        took = asyncio.get_running_loop().time() - began
    report = caught.value.report
    assert isinstance(caught.value.cause, NotSentError)
    assert 10.0 <= took <= 45.0
    assert not report.complete
    assert report.stopped_by == "error"
    assert report.created_count == FEW // 2
    assert report.unknown_count == 0
    assert report.submitted < FEW  # the rest of the source is unread
    assert_accounts(report, rig.sandbox, rows)


@pytest.mark.parametrize("outage", ["refused", "connect timeout"])
async def test_it_can_be_ended_meanwhile(outage: str) -> None:
    rows = phones(FEW)
    async with networked(connect_timeout=2.0) as (rig, network):
        await rig.client.me()
        await network.take_away(rig.sandbox, outage)
        for way in ("stop", "cancel", "deadline"):
            deadline = 10.0 if way == "deadline" else None
            upload = rig.upload(rows, batch_size=50, deadline=deadline).start()
            await asyncio.sleep(8)
            if way == "cancel":
                upload.cancel()
            report = await ended(upload.stop() if way == "stop" else upload, 5.0)
            assert report == upload.report
            assert upload.report.submitted == upload.report.failed_count
            probing = 50 if way == "cancel" else 0  # that one may leave at any moment
            assert upload.report.unknown_count <= probing


async def test_a_certificate_that_is_not_trusted_stops_it_at_once() -> None:
    rows = phones(FEW)
    async with networked(tls=True) as (rig, network):

        async def begin() -> None:
            await network.take_away(rig.sandbox, "wrong certificate")

        source = Half(rows, begin)
        source.upload = rig.upload(source, batch_size=50, concurrency=CONCURRENCY)
        began = asyncio.get_running_loop().time()
        with pytest.raises(UploadStopped, match="certificate"):
            await ended(source.upload, 100)
        assert asyncio.get_running_loop().time() - began < 15
        assert len(network.attempts) <= CONCURRENCY + 2
    report = source.upload.report
    assert report.created_count == FEW // 2
    assert not report.unknown_count
    assert_accounts(report, rig.sandbox, rows)


async def test_whoever_only_reads_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    """A read, which has no body, counts as left before there is a connection."""
    rows = phones(FEW)
    policy = RetryPolicy(attempts=2, max_wait=60.0)
    async with networked(connect_timeout=2.0) as (rig, network):
        await rig.client.me()
        await network.take_away(rig.sandbox, "refused")

        async def read() -> None:
            while True:
                with suppress(NotSentError):
                    await rig.client.me()
                await asyncio.sleep(0.5)

        reading = asyncio.create_task(read())
        began = asyncio.get_running_loop().time()
        with pytest.raises(UploadStopped):
            await ended(rig.upload(rows, batch_size=50, retry=policy), 500)
        assert asyncio.get_running_loop().time() - began <= 300  # reads are probes as well
        reading.cancel()
        assert network.at_once == 1
    assert "can be reached again" not in caplog.text


async def test_a_reconcile_waits_for_it_as_for_any(caplog: pytest.LogCaptureFixture) -> None:
    rows = phones(100)
    async with networked(timeout=5.0) as (rig, network):
        rig.sandbox.faults._script = ["timeout-before"]
        options: dict[str, Any] = {"on_unknown": "reconcile", "quiet_period": 20.0}
        upload = rig.upload(rows, batch_size=50, retry=RetryPolicy(attempts=1), **options).start()
        await asyncio.sleep(10)
        await network.take_away(rig.sandbox, "refused")
        await asyncio.sleep(60)
        assert "can be reached again" not in caplog.text
        assert upload.progress.paused_by
        network.give_back()
        report = await ended(upload, 500)
    assert report == upload.report
    assert upload.report.created_count == 50  # with one attempt what is missing is given up
    assert_accounts(upload.report, rig.sandbox, rows)


async def test_it_is_over_whatever_the_server_answers() -> None:
    """Also with 500, which says nothing of a request: they go out side by side again."""
    rows = phones(200)
    async with networked() as (rig, network):
        await rig.client.me()  # the key is known to be good
        await network.take_away(rig.sandbox, "refused")
        upload = rig.upload(rows, batch_size=1, concurrency=CONCURRENCY).start()
        await asyncio.sleep(10)
        rig.sandbox.faults._script = ["500"] * len(rows)
        network.give_back()
        report = await ended(upload, 60)
    assert report == upload.report
    assert upload.report.unknown_count == len(rows)
    assert upload.report.elapsed <= 10 + 5 + len(rows) * 0.05 / CONCURRENCY * 2


async def test_what_never_left_costs_nothing_of_the_retry_budget() -> None:
    """When the server is back, nobody waits for tokens that probes have taken."""
    rows = phones(40)
    policy = RetryPolicy(base=100.0, cap=100.0, max_wait=10_000.0)
    async with networked() as (rig, network):
        await rig.client.me()
        await network.take_away(rig.sandbox, "refused")
        upload = rig.upload(rows, batch_size=10, concurrency=2, retry=policy).start()
        await asyncio.sleep(300.0)
        network.give_back()
        await ended(upload, 1_000)
    assert upload.report.ok
    assert len(network.attempts) > 40
    assert upload.report.elapsed < 300.0 + 10.0
