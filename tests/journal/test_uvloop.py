"""Journals on uvloop, whose timers do not tell when they are due."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from asyncsdk import UploadReport
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from pathlib import Path

uvloop = pytest.importorskip("uvloop")


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_journal_on_uvloop(size: int, concurrency: int, journal: Path) -> None:
    source = phones(60 * size)
    count = len(source)

    async def scenario() -> None:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        async with connected() as rig:
            options = {"journal": journal, "batch_size": size, "concurrency": concurrency}
            upload = rig.upload(source, **options).start()
            while upload.progress.created < count // 2:
                await asyncio.sleep(0)
            upload.cancel()
            await upload.wait_closed()
            assert known(UploadReport.open(journal)) == known(upload.report)
            unknown = upload.report.unknown_count
            report = await rig.upload(source, **options)
            assert_accounts(report, rig.sandbox, source)
            assert report.created_count == count - unknown
            assert known(UploadReport.open(journal)) == known(report)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
