"""Killed while rows were in doubt, and resumed: whatever `on_unknown` was, none is misreported."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome, Rate, RetryPolicy, UploadReport
from asyncsdk.sandbox import Faults
from tests.journal.moments import as_after_a_kill
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig import Rig

PATIENT = RetryPolicy(base=1000.0, cap=1000.0)


async def killed_before_the_resend(rig: Rig, journal: Path, copy: Path, **options: Any) -> Path:
    """What a kill leaves while stored rows wait to be sent once more."""
    upload = rig.upload(
        phones(20), journal=journal, on_unknown="resend", retry=PATIENT, **options
    ).start()
    while not rig.stored or upload.progress.in_flight:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    as_after_a_kill(journal, copy)
    upload.cancel()
    await upload.wait_closed()
    return copy


@pytest.mark.parametrize("options", [{}, {"keep_created": False}, {"rate": Rate(1)}])
async def test_what_was_to_be_resent_is_unknown_to_who_opens_the_journal(
    options: dict[str, Any], journal: Path, tmp_path: Path
) -> None:
    async with connected(faults=Faults.script(["reset-after"])) as rig:
        copy = await killed_before_the_resend(rig, journal, tmp_path / "copy", **options)
        report = UploadReport.open(copy)
        assert report.failed_count == report.unknown_count == len(rig.stored) == 20
        assert {result.delivery for result in known(report)} == {Delivery.UNKNOWN}


async def test_what_is_being_resent_is_unknown_to_who_opens_the_journal(
    journal: Path, tmp_path: Path
) -> None:
    """Also where the request that was under way had not been processed."""
    faults = Faults.script(["reset-after", "timeout-before"])
    async with connected(faults=faults) as rig:
        upload = rig.upload(phones(20), journal=journal, on_unknown="resend").start()
        while len(rig.batches) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        report = UploadReport.open(as_after_a_kill(journal, tmp_path / "copy"))
        assert report.unknown_count == len(rig.stored) == 20
        upload.cancel()
        await upload.wait_closed()


@pytest.mark.parametrize("size", [20, 7, 1])
async def test_resent_after_a_kill_what_is_stored_is_not_called_invalid(
    size: int, journal: Path, tmp_path: Path
) -> None:
    """Where the provider refuses duplicates, the refusal says that the phone is there."""
    source = phones(20)
    faults = Faults({"reset-after": 1.0}, limit=20)
    async with connected(faults=faults, duplicates="refuse") as rig:
        copy = await killed_before_the_resend(
            rig, journal, tmp_path / "copy", batch_size=size, concurrency=1
        )
        faults.limit = 0
        report = await rig.upload(source, journal=copy, on_unknown="resend")
        assert_accounts(report, rig.sandbox, source)
        assert report.invalid_count == 0
        assert report.created_count + report.unknown_count == len(rig.stored) == 20
        assert report.unknown_count >= size
        assert known(UploadReport.open(copy)) == known(report)


@pytest.mark.parametrize("options", [{}, {"keep_created": False}])
@pytest.mark.parametrize("style", ["asked", "no-echo"])
async def test_killed_and_reconciled_it_takes_what_is_stored_and_no_more(
    style: str, options: dict[str, Any], journal: Path, tmp_path: Path
) -> None:
    """Replies without ids: which phones of the group were answered is known by their numbers."""
    source = phones(60)
    names = [f"{'no-echo' if style == 'no-echo' else 'ok'}", "timeout-after", "no-echo"]
    whole: dict[str, Any] = {"batch_size": 20, "concurrency": 1, "quiet_period": 0.1, **options}
    async with connected(faults=Faults.script(names)) as rig:
        upload = rig.upload(source, journal=journal, on_unknown="reconcile", **whole).start()
        while len(rig.stored) < 40:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(source, journal=copy, on_unknown="reconcile", **whole)
        assert report.created_count == len(rig.stored) == len(set(rig.stored)) == 60
        assert report.complete


@pytest.mark.parametrize("options", [{}, {"keep_created": False}])
@pytest.mark.parametrize("first", ["ok", "no-echo"])
async def test_the_same_number_twice_answered_and_not_answered(
    first: str, options: dict[str, Any], journal: Path
) -> None:
    """What the group has is what was answered, with an id or without: the other goes out again."""
    source = phones(1) * 2
    async with connected(faults=Faults.script([first, "timeout-before"])) as rig:
        report = await rig.upload(
            source,
            journal=journal,
            batch_size=1,
            concurrency=1,
            on_unknown="reconcile",
            quiet_period=0.1,
            **options,
        )
        assert report.created_count == len(rig.stored) == 2


@pytest.mark.parametrize("fault", ["timeout-before", "timeout-after"])
@pytest.mark.parametrize("on_unknown", ["report", "resend"])
@pytest.mark.parametrize("then", ["report", "resend"])
async def test_killed_in_flight_and_resumed_no_row_vanishes(
    then: Any, on_unknown: Any, fault: str, journal: Path, tmp_path: Path
) -> None:
    source = phones(100)
    options: dict[str, Any] = {"batch_size": 20, "concurrency": 2}
    faults = Faults.script(["ok", fault, fault])
    async with connected(faults=faults, duplicates="merge") as rig:
        upload = rig.upload(source, journal=journal, on_unknown=on_unknown, **options).start()
        while len(rig.batches) < 3:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        opened = UploadReport.open(copy)
        assert opened.unknown_count == 40
        assert [result.index for result in known(opened)] == list(range(opened.submitted))
        report = await rig.upload(source, journal=copy, on_unknown=then, **options)
        assert [result.index for result in known(report)] == list(range(100))
        assert [result.phone for result in known(report)] == source
        assert report.unknown_count == (40 if then == "report" else 0)
        assert report.created_count == 100 - report.unknown_count
        created = {r.index for r in known(report) if r.outcome is Outcome.CREATED}
        assert created <= {int(commit.callback_data or "") for commit in rig.sandbox.commits}
        assert known(UploadReport.open(copy)) == known(report)
