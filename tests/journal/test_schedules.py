"""Random mixtures of faults and endings, each followed by a resume until the upload is finished."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsdk import UploadReport, UploadStopped
from tests.effort import effort
from tests.failures.test_schedules import (
    Schedule,
    held_of,
    judge_skipping,
    options_of,
    rows_of,
    run,
    schedules,
    source_of,
)
from tests.leaping import run_leaping
from tests.rig import assert_accounts, connected, known

if TYPE_CHECKING:
    from tests.rig import Rig

SCHEDULES = effort(60, 400)
INTERRUPTIONS = 3


@settings(max_examples=SCHEDULES, deadline=None)
@given(schedules(), st.lists(st.integers(1, 15), min_size=INTERRUPTIONS, max_size=INTERRUPTIONS))
def test_interrupted_and_resumed_until_it_is_finished(schedule: Schedule, sizes: list[int]) -> None:
    run_leaping(play(schedule, sizes))


async def play(schedule: Schedule, sizes: list[int]) -> None:
    """Each run has another batch size; all but the last end as planned."""
    with TemporaryDirectory() as folder:
        journal = Path(folder) / "journal"
        async with connected(**schedule.box, client={"timeout": 2.0}) as rig:
            rig.sandbox.hold(rig.group_id, held_of(schedule))
            for size in sizes:
                part = evolve(schedule, batch=size)
                rig.client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
                upload = rig.upload(source_of(part), **options_of(part), journal=journal)
                await run(part, upload)
                report = upload.report
                await upload.wait_closed()
                assert_accounts(report, rig.sandbox, rows_of(schedule), **schedule.law)
                assert same(report, UploadReport.open(journal))
                await asyncio.sleep(10)  # what is still under way at the server comes to its end
            await finish(rig, schedule, journal)


async def finish(rig: Rig, schedule: Schedule, journal: Path) -> None:
    """A server that refuses for good stops an upload: without faults the rest is created."""
    rig.sandbox.faults.limit = 0
    rig.client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
    rows = rows_of(schedule)
    options: dict[str, Any] = options_of(evolve(schedule, ending="none"))
    try:
        report = await rig.upload(rows, **options, journal=journal)
    except UploadStopped as stopped:
        raise AssertionError(stopped.cause) from stopped
    assert_accounts(report, rig.sandbox, rows, **schedule.law)
    judge_skipping(schedule, known(report))
    assert report.complete
    assert report.submitted == schedule.rows
    assert same(report, UploadReport.open(journal))
    sent = len(rig.sandbox.requests)
    assert same(report, await rig.upload(rows, **options, journal=journal))
    assert len(rig.sandbox.requests) == sent


def same(one: UploadReport, other: UploadReport) -> bool:
    return known(one) == known(other)
