"""A journal is bound to its group by the first request that leaves, not by one that was refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import JournalError, Phone, RetryPolicy, UploadReport, UploadStopped
from asyncsdk.sandbox import Faults
from tests.journal.moments import as_after_a_kill
from tests.rig import connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = [*phones(250), Phone("")]
OPTIONS: dict[str, Any] = {"batch_size": 100, "concurrency": 1}


@pytest.mark.parametrize("on_unknown", ["report", "reconcile", "resend"])
@pytest.mark.parametrize("status", ["401", "402", "403", "404"])
async def test_a_refusal_binds_it_to_nothing(status: str, on_unknown: Any, journal: Path) -> None:
    options = {**OPTIONS, "journal": journal, "on_unknown": on_unknown, "quiet_period": 0.1}
    async with connected(faults=Faults.script([status])) as rig:
        other = rig.sandbox.add_group("others")
        await rig.client.phones.create(other, Phone("+49301234567", callback_data="999"))
        with pytest.raises(UploadStopped):
            await rig.upload(SOURCE, **options)
        rig.client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
        assert UploadReport.open(journal).group_id == rig.group_id
        report = await rig.client.phones.upload(other, SOURCE, rate=None, **options)
        assert report.created_count == len(rig.sandbox.phones(other)) - 1 == 250
        assert report.invalid_count == 1
        assert not rig.sandbox.phones(rig.group_id)
        opened = UploadReport.open(journal)
        assert opened.group_id == other
        assert known(opened) == known(report)
        with pytest.raises(JournalError, match=f"into group {other}, not {rig.group_id}"):
            await rig.upload(SOURCE, **options)


async def test_a_group_that_does_not_exist(journal: Path) -> None:
    async with connected() as rig:
        with pytest.raises(UploadStopped):
            await rig.client.phones.upload(987_654, SOURCE, journal=journal, rate=None)
        report = await rig.upload(SOURCE, journal=journal)
        assert report.created_count == len(rig.stored) == 250


async def test_it_may_be_bound_to_the_group_that_refused(journal: Path) -> None:
    async with connected(faults=Faults.script(["402"])) as rig:
        with pytest.raises(UploadStopped):
            await rig.upload(SOURCE, journal=journal, concurrency=1)
        report = await rig.upload(SOURCE, journal=journal)
        assert report.created_count == len(rig.stored) == 250


LEFT: dict[str, tuple[list[str], dict[str, Any]]] = {
    "created": (["ok", "402"], {}),
    "unknown": (["timeout-after", "402"], {"on_unknown": "report"}),
    "in doubt": (["reset-after", "402"], {"on_unknown": "reconcile"}),
    "resent": (["reset-after", "402", "402"], {"on_unknown": "resend"}),
    "refused for itself": (["ok", "402"], {"batch_size": 1, "validate": False}),
}


@pytest.mark.parametrize("what", LEFT)
async def test_once_something_left_it_is_bound(what: str, journal: Path) -> None:
    faults, changed = LEFT[what]
    policy = RetryPolicy(attempts=3, base=0.0)
    options: dict[str, Any] = {"concurrency": 1, "batch_size": 100, "retry": policy, **changed}
    async with connected(faults=Faults.script(faults), client={"timeout": 1.0}) as rig:
        other = rig.sandbox.add_group("others")
        source = SOURCE[::-1] if what == "refused for itself" else SOURCE
        with pytest.raises(UploadStopped):
            await rig.upload(source, journal=journal, **options)
        before = known(UploadReport.open(journal))
        with pytest.raises(JournalError, match=f"into group {rig.group_id}, not {other}: give"):
            await rig.client.phones.upload(other, source, journal=journal, rate=None, **options)
        assert not rig.sandbox.phones(other)
        assert known(UploadReport.open(journal)) == before


@pytest.mark.parametrize("state", ["in flight", "to be resent"])
async def test_killed_with_something_under_way_it_is_bound(
    state: str, journal: Path, tmp_path: Path
) -> None:
    fault = "timeout-before" if state == "in flight" else "reset-after"
    policy = RetryPolicy(base=1000.0, cap=1000.0)
    async with connected(faults=Faults.script([fault])) as rig:
        other = rig.sandbox.add_group("others")
        upload = rig.upload(phones(20), journal=journal, on_unknown="resend", retry=policy).start()
        while not rig.batches or (state == "to be resent" and upload.progress.in_flight):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        with pytest.raises(JournalError, match=f"into group {rig.group_id}, not {other}"):
            await rig.client.phones.upload(other, phones(20), journal=copy)
        assert not rig.sandbox.phones(other)


async def test_what_another_group_held_before_says_nothing_of_this_one(journal: Path) -> None:
    """Old phones of the group that it is uploaded into are not taken for its own."""
    source = phones(20)
    options: dict[str, Any] = {
        "journal": journal,
        "on_unknown": "reconcile",
        "quiet_period": 0.1,
        "rate": None,
    }
    faults = Faults.script(["402", "timeout-before"])
    async with connected(faults=faults, client={"timeout": 1.0}) as rig:
        other = rig.sandbox.add_group("others")
        for phone in source:
            await rig.client.phones.create(other, phone)
        with pytest.raises(UploadStopped):
            await rig.upload(source, **options)
        report = await rig.client.phones.upload(other, source, **options)
        assert report.created_count == 20
        assert len(rig.sandbox.phones(other)) == 40
