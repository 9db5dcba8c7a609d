"""An upload on each event loop that people run: plain, in debug mode, with eager tasks, uvloop.

These loops keep real time: the waits are of hundredths of a second.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from asyncsdk import Adaptive, Outcome, RetryPolicy, UploadReport, UploadStopped
from asyncsdk.sandbox import Faults
from tests.rig import Rig, assert_accounts, client_of, connected, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from pathlib import Path

    from asyncsdk import Phone

    Scenario = Callable[[Path | None], Coroutine[Any, Any, None]]

SOURCE = phones(600)

QUICK = RetryPolicy(attempts=12, base=0.01, cap=0.05)

MIXTURE = {
    "reset-after": 0.05,
    "503": 0.1,
    "429": 0.05,
    "few": 0.05,
    "item-503": 0.05,
    "close": 0.1,
    "truncate": 0.05,
}


def _eager() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    return loop


LOOPS: dict[str, tuple[Callable[[], asyncio.AbstractEventLoop], bool]] = {
    "asyncio": (asyncio.new_event_loop, False),
    "debug": (asyncio.new_event_loop, True),
    "uvloop": (uvloop.new_event_loop, False),
    "uvloop in debug mode": (uvloop.new_event_loop, True),
}
if sys.version_info >= (3, 12):
    LOOPS["eager tasks"] = (_eager, False)
    LOOPS["eager tasks in debug mode"] = (_eager, True)


@pytest.fixture(params=[False, True], ids=["memory", "journal"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the accounts are kept."""
    return tmp_path / "upload.journal" if request.param else None


async def check(rig: Rig, report: UploadReport, journal: Path | None) -> None:
    """The account holds, and what is missing goes through when the same is called again."""
    assert_accounts(report, rig.sandbox, SOURCE)
    rig.sandbox.faults.limit = 0
    if journal is not None:
        again = await rig.upload(SOURCE, journal=journal)
        assert again.complete
        assert again.failed_count == again.unknown_count
        assert_accounts(again, rig.sandbox, SOURCE)


async def every_size(journal: Path | None) -> None:
    """Small batches are what a loop notices most."""
    for size, concurrency in ((1, 8), (3, Adaptive(1, 8)), (50, 1), (1000, 4)):
        path = journal and journal.with_suffix(f".{size}")
        async with connected() as rig:
            report = await rig.upload(
                SOURCE[:200], batch_size=size, concurrency=concurrency, journal=path
            )
            assert report.ok
            assert_accounts(report, rig.sandbox, SOURCE[:200])


async def faults(journal: Path | None) -> None:
    async with connected(faults=Faults(MIXTURE, seed=4, limit=40)) as rig:
        report = await rig.upload(
            SOURCE,
            batch_size=7,
            retry=QUICK,
            on_unknown="reconcile",
            quiet_period=0.05,
            journal=journal,
        )
        assert report.ok
        await check(rig, report, journal)


async def cancelled(journal: Path | None) -> None:
    async with connected(latency=0.005) as rig:
        upload = rig.upload(SOURCE, batch_size=7, concurrency=4, journal=journal)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await upload
        await upload.wait_closed()
        await asyncio.sleep(0.1)
        assert upload.report.stopped_by == "cancelled"
        await check(rig, upload.report, journal)


async def stopped(journal: Path | None) -> None:
    async with connected(latency=0.005) as rig:
        upload = rig.upload(SOURCE, batch_size=7, concurrency=4, journal=journal).start()
        await asyncio.sleep(0.05)
        report = await upload.stop()
        assert report.stopped_by == "stop"
        assert not report.unknown_count
        await check(rig, report, journal)


async def past_its_deadline(journal: Path | None) -> None:
    async def rows() -> AsyncIterator[Phone]:
        for row in SOURCE:
            await asyncio.sleep(0.001)
            yield row

    async with connected() as rig:
        report = await rig.upload(rows(), batch_size=7, deadline=0.15, journal=journal)
        assert report.stopped_by == "deadline"
        await asyncio.sleep(0.1)
        await check(rig, report, journal)


async def iterated(journal: Path | None) -> None:
    async with connected() as rig:
        upload = rig.upload(SOURCE, batch_size=7, journal=journal)
        results = [result async for result in upload]
        assert sorted(result.index for result in results) == list(range(len(SOURCE)))
        assert {result.outcome for result in results} == {Outcome.CREATED}


async def left_by_break(journal: Path | None) -> None:
    async with connected() as rig:
        upload = rig.upload(SOURCE, batch_size=7, journal=journal)
        async for result in upload:
            if result.index > 20:
                break
        await upload.wait_closed()
        report = upload.report
        assert not report.complete


async def refused(journal: Path | None) -> None:
    async with connected() as rig, client_of(rig.sandbox, api_key="wrong") as client:
        upload = client.phones.upload(rig.group_id, SOURCE, journal=journal)
        with pytest.raises(UploadStopped):
            await upload
        assert len(rig.sandbox.requests) == 1


async def several_at_once(journal: Path | None) -> None:
    async with connected(faults=Faults(MIXTURE, seed=4, limit=20)) as rig:
        uploads = [
            rig.upload(
                SOURCE[part::4],
                batch_size=11,
                retry=QUICK,
                journal=journal and journal.with_suffix(f".{part}"),
            )
            for part in range(4)
        ]
        gathered: list[Awaitable[UploadReport]] = [_report(upload) for upload in uploads]
        reports = await asyncio.gather(*gathered)
        assert sum(report.submitted for report in reports) == len(SOURCE)
        stored = {commit.callback_data for commit in rig.sandbox.commits}
        assert len(stored) == len(rig.sandbox.commits)
        created = sum(report.created_count for report in reports)
        assert created <= len(stored) <= created + sum(r.unknown_count for r in reports)


async def _report(upload: Awaitable[UploadReport]) -> UploadReport:
    return await upload


async def with_its_client_closed(journal: Path | None) -> None:
    async with connected(latency=0.01) as rig:
        async with client_of(rig.sandbox) as client:
            upload = client.phones.upload(
                rig.group_id, SOURCE, batch_size=7, rate=None, journal=journal
            ).start()
            await asyncio.sleep(0.05)
        with suppress(UploadStopped):
            await upload
        await asyncio.sleep(0.1)
        await check(rig, upload.report, journal)


SCENARIOS = [
    every_size,
    faults,
    cancelled,
    stopped,
    past_its_deadline,
    iterated,
    left_by_break,
    refused,
    several_at_once,
    with_its_client_closed,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("loop", LOOPS)
def test_on_each_loop(loop: str, scenario: Scenario, journal: Path | None) -> None:
    factory, debug = LOOPS[loop]
    with asyncio.Runner(loop_factory=factory, debug=debug) as runner:
        runner.run(scenario(journal))
