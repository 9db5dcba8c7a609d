"""Every fault that the sandbox knows, under each `on_unknown`, in two reply shapes.

The commit log is the judge: `report` and `reconcile` store nothing twice, `reconcile` leaves
nothing failed once the fault has passed, and blind resending shows duplicates, as a control.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome, Phone, RetryPolicy, UploadStopped
from asyncsdk.sandbox import FAULTS, Faults
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from asyncsdk import UploadReport
    from tests.rig import Rig

FATAL = {"401", "402", "403", "404", "301"}
STYLES = ("hydra", "keyed-gaps")
BATCH = 10
POLICY = RetryPolicy(attempts=8, base=0.2)

AMBIGUOUS = {name for name, fault in FAULTS.items() if fault.processed} - {
    "close",
    "slow",
    "reorder",
}


def source() -> list[Phone]:
    """120 phones, every seventh of which the server refuses."""
    good = phones(120)
    return [
        Phone("no number", callback_data=phone.callback_data) if i % 7 == 3 else phone
        for i, phone in enumerate(good)
    ]


async def upload(rig: Rig, on_unknown: str, **options: Any) -> UploadReport:
    pending = rig.upload(
        source(),
        batch_size=BATCH,
        on_unknown=on_unknown,
        retry=POLICY,
        quiet_period=10.0,
        **options,
    )
    with suppress(UploadStopped):
        await pending
    return pending.report


def faults_of(name: str) -> Faults:
    return Faults({name: 0.5}, seed=3, limit=6, delay=3.0)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_is_lost_or_stored_twice(name: str, on_unknown: str, style: str) -> None:
    faults = faults_of(name)
    async with connected(faults=faults, style=style, client={"timeout": 2.0}) as rig:
        report = await upload(rig, on_unknown)
        assert faults.injected
        if name not in FATAL:
            assert report.complete
        if name not in FATAL and on_unknown == "reconcile":
            assert report.failed_count == 0
            assert report.invalid_count == 17
    numbers = Counter(commit.callback_data for commit in rig.sandbox.commits)
    assert all(copies == 1 for copies in numbers.values())
    if name == "no-echo":  # the server did not tell the ids
        assert report.created_count == len(rig.sandbox.commits)
    else:
        assert_accounts(report, rig.sandbox, source())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", FAULTS)
async def test_resending_leaves_nothing_unknown(name: str, style: str) -> None:
    async with connected(faults=faults_of(name), style=style, client={"timeout": 2.0}) as rig:
        report = await upload(rig, "resend")
    results = list(report.results())
    assert sorted(result.index for result in results) == list(range(report.submitted))
    stored = {commit.callback_data for commit in rig.sandbox.commits}
    created = {r.phone.callback_data for r in results if r.outcome is Outcome.CREATED}
    assert created == stored
    if name not in FATAL:
        assert report.failed_count == 0


@pytest.mark.parametrize("name", sorted(AMBIGUOUS - {"many", "no-echo"}))
async def test_the_rig_sees_what_blind_resending_stores_twice(name: str) -> None:
    async with connected(faults=faults_of(name), client={"timeout": 2.0}) as rig:
        await upload(rig, "resend")
    numbers = Counter(commit.callback_data for commit in rig.sandbox.commits)
    assert any(copies > 1 for copies in numbers.values())


@pytest.mark.parametrize("name", ["reset-after", "few", "item-500-after"])
async def test_resending_is_right_where_the_provider_merges(name: str) -> None:
    async with connected(
        faults=faults_of(name), duplicates="merge", client={"timeout": 2.0}
    ) as rig:
        report = await upload(rig, "resend")
    numbers = Counter(commit.callback_data for commit in rig.sandbox.commits)
    assert set(numbers.values()) == {1}
    assert report.created_count == len(numbers) == 103


@pytest.mark.parametrize("status", [409, 422])
async def test_a_resent_phone_that_is_refused_as_a_duplicate_is_not_called_invalid(
    status: int,
) -> None:
    async with connected(
        faults=Faults.script(["ok", "reset-after"]), duplicates="refuse", refused_status=status
    ) as rig:
        report = await rig.upload(phones(20), batch_size=10, concurrency=1, on_unknown="resend")
    assert (report.created_count, report.invalid_count, report.unknown_count) == (10, 0, 10)
    assert {result.delivery for result in report.failed} == {Delivery.UNKNOWN}
    assert {result.status for result in report.failed} == {status}
