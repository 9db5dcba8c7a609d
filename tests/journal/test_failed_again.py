"""The same call goes on with what failed and is certainly not in the group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome, Phone, RetryPolicy, UploadReport
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
