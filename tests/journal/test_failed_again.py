"""The same call goes on with what failed and is certainly not in the group."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome, Phone, RetryPolicy, UploadReport
from asyncsdk.results import StoppedBy
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = [*phones(95), *[Phone("", callback_data=str(i)) for i in range(95, 100)]]


@pytest.mark.parametrize("normalize", [None, "DE"])
@pytest.mark.parametrize("fault", ["429", "503", "item-503", "item-429"])
async def test_what_was_refused_for_now_until_the_policy_was_used_up(
    fault: str, normalize: str | None, journal: Path
) -> None:
    options: dict[str, Any] = {"journal": journal, "batch_size": 10, "normalize": normalize}
    faults = Faults({fault: 0.5}, seed=3, limit=6)
    async with connected(faults=faults) as rig:
        first = await rig.upload(SOURCE, retry=RetryPolicy(attempts=1), **options)
        failed = [r.index for r in known(first) if r.outcome is Outcome.FAILED]
        assert failed
        assert first.unknown_count == 0
        report = await rig.upload(SOURCE, **options)
        assert (report.created_count, report.invalid_count, report.failed_count) == (95, 5, 0)
        assert_accounts(report, rig.sandbox, SOURCE)
        assert known(UploadReport.open(journal)) == known(report)
        requests = len(rig.sandbox.requests)
        again = await rig.upload(SOURCE, **options)
        assert known(again) == known(report)
        assert len(rig.sandbox.requests) == requests


async def test_what_may_be_in_the_group_stays_as_it_is(journal: Path) -> None:
    async with connected(faults=Faults.script(["500-after", "503"])) as rig:
        options: dict[str, Any] = {"journal": journal, "batch_size": 50, "concurrency": 1}
        first = await rig.upload(phones(150), retry=RetryPolicy(attempts=1), **options)
        assert (first.unknown_count, first.failed_count) == (50, 100)
        report = await rig.upload(phones(150), **options)
        assert (report.unknown_count, report.failed_count) == (50, 50)
        assert {r.delivery for r in report.failed} == {Delivery.UNKNOWN}
        assert_accounts(report, rig.sandbox, phones(150))


async def test_it_is_taken_up_without_the_source_too(journal: Path) -> None:
    async with connected(faults=Faults.script(["503"])) as rig:
        options: dict[str, Any] = {"journal": journal, "batch_size": 50}
        await rig.upload(phones(150), retry=RetryPolicy(attempts=1), **options)
        report = await rig.upload(None, **options)
        assert report.created_count == 150
        assert_accounts(report, rig.sandbox, phones(150))


@pytest.mark.parametrize("sent", [0, 1, 2])
async def test_while_it_is_sent_again_and_after_a_kill_nothing_is_complete(
    sent: int, journal: Path
) -> None:
    """A copy that is made meanwhile is what a kill would leave."""
    left = journal.with_name("left")
    options: dict[str, Any] = {"batch_size": 10, "concurrency": 1}
    reconcile = {"on_unknown": "reconcile", "quiet_period": 0.1}
    async with connected(faults=Faults({"503": 1.0}, limit=3), latency=1.0) as rig:
        first = await rig.upload(
            phones(30), journal=journal, retry=RetryPolicy(attempts=1), **options, **reconcile
        )
        assert (first.complete, first.failed_count) == (True, 30)
        upload = rig.client.phones.upload(rig.group_id, phones(30), journal=journal, **options)
        upload.start()
        while len(rig.stored) < 10 * sent or not upload.progress.in_flight:
            await asyncio.sleep(0.1)
        told = UploadReport.open(journal)
        assert not told.complete
        assert not told.ok
        assert told.stopped_by is StoppedBy.RUNNING
        for file in journal.parent.glob(f"{journal.name}*"):
            shutil.copy(file, str(file).replace(str(journal), str(left)))
        upload.cancel()
        await asyncio.wait({asyncio.ensure_future(upload)})
        told = UploadReport.open(left)
        assert not told.complete
        assert (told.created_count, told.failed_count) == (10 * sent, 30 - 10 * sent)
        assert told.unknown_count == 10
        report = await rig.upload(phones(30), journal=left, **options, **reconcile)
        assert report.ok
        assert UploadReport.open(left).ok
        assert_accounts(report, rig.sandbox, phones(30))
