"""A journal remembers what the group held: a resume neither reads it again nor skips its own."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import JournalError, UploadReport, UploadStopped
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig import Rig


def readings(rig: Rig) -> int:
    return sum(request.path.endswith("/csv") for request in rig.sandbox.requests)


@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
@pytest.mark.parametrize("duplicates", ["send", "skip"])
async def test_the_group_is_read_once_in_the_life_of_a_journal(
    journal: Path, on_unknown: str, duplicates: str
) -> None:
    source = phones(400)
    options: dict[str, Any] = {
        "journal": journal,
        "existing": "skip",
        "duplicates": duplicates,
        "on_unknown": on_unknown,
        "quiet_period": 0.01,
        "batch_size": 20,
        "concurrency": 1,
    }
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, [p.phone for i, p in enumerate(source) if i % 4 == 0])
        upload = rig.upload(source, **options).start()
        while upload.progress.created < 80:
            await asyncio.sleep(0)
        upload.cancel()
        await upload
        assert_accounts(upload.report, rig.sandbox, source)
        looked = readings(rig)
        report = await rig.upload(source, **options)
        assert_accounts(report, rig.sandbox, source)
        assert known(UploadReport.open(journal)) == known(report)
    assert looked == 1
    assert readings(rig) <= 1 + (on_unknown == "reconcile"), "but to look up what is in doubt"
    assert (report.created_count + report.unknown_count, report.skipped_count) == (300, 100)


async def test_what_failed_is_sent_again_and_not_taken_for_what_was_there(journal: Path) -> None:
    source = phones(30)
    options: dict[str, Any] = {"journal": journal, "existing": "skip", "batch_size": 10}
    async with connected(faults=Faults.script(["ok", "ok", "402"])) as rig:
        rig.sandbox.hold(rig.group_id, [source[0].phone])
        with pytest.raises(UploadStopped):
            await rig.upload(source, **options, concurrency=1)
        report = await rig.upload(source, **options)
        assert_accounts(report, rig.sandbox, source)
    assert (report.created_count, report.skipped_count) == (29, 1)
    assert readings(rig) == 1


async def test_an_export_that_failed_is_read_by_the_next_run(journal: Path) -> None:
    source = phones(30)
    options: dict[str, Any] = {"journal": journal, "existing": "skip"}
    async with connected(faults=Faults.script(["402"], routes="all")) as rig:
        rig.sandbox.hold(rig.group_id, [source[0].phone])
        with pytest.raises(UploadStopped) as caught:
            await rig.upload(source, **options)
        assert caught.value.report.submitted == 0
        report = await rig.upload(source, **options)
        assert_accounts(report, rig.sandbox, source)
    assert (report.created_count, report.skipped_count) == (29, 1)


async def test_a_journal_that_never_looked_cannot_skip_what_is_there_now(journal: Path) -> None:
    source = phones(50)
    async with connected(faults=Faults.script(["ok", "402"])) as rig:
        with pytest.raises(UploadStopped):
            await rig.upload(source, journal=journal, batch_size=10, concurrency=1)
        sent = len(rig.sandbox.requests)
        with pytest.raises(UploadStopped, match="go on with existing='send'") as caught:
            await rig.upload(source, journal=journal, existing="skip")
        assert isinstance(caught.value.cause, JournalError)
        assert len(rig.sandbox.requests) == sent
        report = await rig.upload(source, journal=journal)
        assert report.ok
        assert_accounts(report, rig.sandbox, source)


async def test_a_journal_of_the_version_before_goes_on(journal: Path) -> None:
    source = phones(50)
    async with connected(faults=Faults.script(["ok", "402"])) as rig:
        with pytest.raises(UploadStopped):
            await rig.upload(source, journal=journal, batch_size=10, concurrency=1)
        with closing(sqlite3.connect(journal)) as file, file:
            file.execute("PRAGMA user_version=2")
        assert UploadReport.open(journal).created_count == 10
        report = await rig.upload([*source], journal=journal)
        assert report.ok
        assert_accounts(report, rig.sandbox, source)


async def test_a_dry_run_reads_for_itself_and_leaves_the_journal_alone(journal: Path) -> None:
    source = phones(5)
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, [source[0].phone])
        options: dict[str, Any] = {"journal": journal, "existing": "skip"}
        report = await rig.upload(source, **options, dry_run=True)
        assert (report.would_be_sent_count, report.skipped_count) == (4, 5)
        assert not journal.exists()
