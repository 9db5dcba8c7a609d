"""A sender with a journal: a result is on record before its caller has it, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    ConfigurationError,
    Delivery,
    JournalError,
    Outcome,
    UploadReport,
    UploadStopped,
)
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.upload.sender import Sender
    from tests.rig import Rig


def sender_of(rig: Rig, journal: Path, **options: Any) -> Sender:
    return rig.client.phones.sender(rig.group_id, journal=journal, **options)


async def test_a_result_is_on_record_before_its_caller_has_it(journal: Path) -> None:
    rows = phones(40)
    async with connected(faults=Faults({"item-500": 0.2}, seed=3)) as rig:
        async with sender_of(rig, journal, linger=0.001, batch_size=7) as sender:

            async def handler(mine: list[Any]) -> None:
                for row in mine:
                    result = await sender.add(row)
                    kept = {r.index: r for r in UploadReport.open(journal).results()}
                    assert kept[result.index] == result

            await asyncio.gather(*(handler(rows[at::4]) for at in range(4)))
        results = {r.phone.callback_data for r in sender.report.results()}
        assert results == {str(i) for i in range(40)}
        assert UploadReport.open(journal) == sender.report


async def test_it_goes_on_where_another_one_ended(journal: Path) -> None:
    rows = phones(30)
    async with connected() as rig:
        for at in range(0, 30, 10):
            async with sender_of(rig, journal) as sender:
                results = await asyncio.gather(*map(sender.add, rows[at : at + 10]))
                assert [r.index for r in results] == list(range(at, at + 10))
        assert_accounts(UploadReport.open(journal), rig.sandbox, rows)
        assert UploadReport.open(journal).complete


@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
async def test_what_one_left_another_takes_up(journal: Path, on_unknown: Any) -> None:
    rows = phones(30)
    options = {"on_unknown": on_unknown, "batch_size": 5, "concurrency": 2, "quiet_period": 0.5}
    async with connected(latency=2.0) as rig:
        sender = await sender_of(rig, journal, **options).__aenter__()
        tasks = [asyncio.create_task(sender.add(row)) for row in rows[:20]]
        while sender.progress.created < 5:
            await asyncio.sleep(0.1)
        closing = asyncio.create_task(sender.aclose())
        await asyncio.sleep(0.1)
        closing.cancel()
        await asyncio.wait([closing, *tasks])
        left = [task.result() for task in tasks]
        assert Delivery.UNKNOWN in {r.delivery for r in left}
        async with sender_of(rig, journal, **options) as sender:
            later = await asyncio.gather(*map(sender.add, rows[20:]))
        assert {r.outcome for r in later} == {Outcome.CREATED}
        report = UploadReport.open(journal)
        assert report.unknown_count == (0 if on_unknown == "reconcile" else 10)
        assert not [r for r in report.failed if r.delivery is Delivery.NOT_SENT]
        assert_accounts(report, rig.sandbox, rows)


async def test_an_upload_without_a_source_finishes_it(journal: Path) -> None:
    rows = phones(20)
    async with connected(latency=5.0) as rig:
        sender = await sender_of(rig, journal, batch_size=5, concurrency=1).__aenter__()
        tasks = [asyncio.create_task(sender.add(row)) for row in rows]
        await asyncio.sleep(1)
        closing = asyncio.create_task(sender.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing, *tasks])
        report = await rig.upload(None, journal=journal, on_unknown="resend")
        assert report.ok
        assert_accounts(report, rig.sandbox, rows, resent=True)


async def test_one_in_use_or_of_another_group_is_refused_at_once(journal: Path) -> None:
    async with connected() as rig, sender_of(rig, journal) as sender:
        await sender.add("+491600000001")
        with pytest.raises(JournalError, match="in use"):
            async with sender_of(rig, journal):
                pytest.fail("it is in use")
        await sender.aclose()
        other = rig.client.phones.sender(rig.sandbox.add_group("others"), journal=journal)
        with pytest.raises(JournalError, match="group"):
            await other.__aenter__()
        with pytest.raises(UploadStopped):
            await other.add("+491600000002")


async def test_what_the_group_holds_is_read_each_time(journal: Path) -> None:
    """A sender that goes on knows the phones of the one before, too."""
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, ["0049 160 0000000"])
        async with sender_of(rig, journal, existing="skip") as sender:
            await asyncio.gather(*map(sender.add, phones(3)))
        async with sender_of(rig, journal, existing="skip") as sender:
            await asyncio.gather(*map(sender.add, phones(3)))
        assert sender.report.skipped_count == 1 + 3
        assert len(rig.sandbox.commits) == 2


async def test_a_journal_that_cannot_be_written_any_more_tells_everybody(journal: Path) -> None:
    async with connected() as rig:
        with pytest.raises(UploadStopped) as stopped:
            async with sender_of(rig, journal) as sender:
                await sender.add("+491600000001")
                journal.unlink()
                results = await asyncio.gather(*map(sender.add, phones(5)), return_exceptions=True)
                for result in results:
                    assert not isinstance(result, ConfigurationError)
                    if not isinstance(result, UploadStopped):
                        assert result.outcome is Outcome.FAILED  # type: ignore[union-attr]
        assert isinstance(stopped.value.cause, JournalError)
        assert len(rig.stored) == 1
