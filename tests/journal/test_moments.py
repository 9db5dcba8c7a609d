"""Whatever moment something happens at: a look at the journal, a cancellation, a failing disk."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

from asyncsdk import Phone, Rate, UploadReport
from asyncsdk.ledger.stored import Stored
from tests.journal.test_wrong import half
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest


async def test_a_report_of_a_running_upload_is_of_one_moment(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are answered between two looks at the file are neither missing nor there twice."""
    look = Stored.run

    def overtaken(stored: Stored) -> Any:
        found = look(stored)
        with sqlite3.connect(journal) as file:
            file.execute(
                "INSERT INTO entry (batch, outcome, delivery, kept, first, last, rows, attempts) "
                "SELECT id, 'failed', 'answered', 1, first, last, rows, 1 FROM batch "
                "WHERE id IN (SELECT batch FROM held)"
            )
            file.execute("DELETE FROM held")
        file.close()
        return found

    async with connected(latency=lambda _: 5.0) as rig:
        upload = rig.upload(phones(50), journal=journal).start()
        while not rig.batches:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(Stored, "run", overtaken)
        report = UploadReport.open(journal)
        monkeypatch.undo()
        assert report.unknown_count == report.submitted == len(known(report)) == 50
        upload.cancel()
        await upload.wait_closed()


async def test_a_report_stays_of_its_moment(journal: Path) -> None:
    source = phones(300)
    async with connected() as rig:
        upload = rig.upload(source, journal=journal, batch_size=20, rate=Rate(10)).start()
        while upload.progress.created < 100:
            await asyncio.sleep(0.01)
        report = UploadReport.open(journal)
        await upload
        assert 0 < report.created_count < 300
        assert len(report.created) == report.created_count
        assert [result.index for result in known(report)] == list(range(report.submitted))


async def test_cancelled_while_the_source_is_read_again(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        before = UploadReport.open(journal)

        async def slow() -> AsyncIterator[Phone]:
            for phone in source:
                await asyncio.sleep(0.1)
                yield phone

        upload = rig.upload(slow(), journal=journal).start()
        await asyncio.sleep(5)
        upload.cancel()
        await upload.wait_closed()
        assert known(upload.report) == known(UploadReport.open(journal)) == known(before)
        report = await rig.upload(source, journal=journal)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 300
