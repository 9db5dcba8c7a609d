"""A batch of an async source that has begun leaves as it is when no more rows come in time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, SourceError, UploadStopped
from asyncsdk.sandbox import Faults
from tests.rig import Rig, assert_accounts, connected, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncsdk import Phone


async def paced(rows: Sequence[Any], gaps: Sequence[float]) -> AsyncIterator[Any]:
    """Rows with waits before them, the last of the waits again and again."""
    for i, row in enumerate(rows):
        await asyncio.sleep(gaps[min(i, len(gaps) - 1)])
        yield row


async def test_a_batch_leaves_once_its_first_row_has_waited(rig: Rig) -> None:
    source = phones(10)
    began = asyncio.get_running_loop().time()
    gaps = [0.0, 0.4, 0.4, 7.0, 0.4, 7.0, 0.0]
    report = await rig.upload(paced(source, gaps), linger=1.0)
    assert rig.batches == [3, 2, 5]
    assert [round(at - began, 1) for at in rig.arrivals] == [1.0, 8.8, 15.2]
    assert_accounts(report, rig.sandbox, source)


async def test_without_it_a_batch_waits_until_it_is_full(rig: Rig) -> None:
    source = phones(10)
    report = await rig.upload(paced(source, [0.0, 50.0]), batch_size=4)
    assert rig.batches == [4, 4, 2]
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
@pytest.mark.parametrize("linger", [0.0, 0.3])
async def test_every_row_arrives_in_its_place(rig: Rig, batch_size: int, linger: float) -> None:
    source = phones(120)
    gaps = [0.0, 0.1, 0.0, 0.5, 0.29, 0.3, 0.31] * 20
    report = await rig.upload(paced(source, gaps), batch_size=batch_size, linger=linger)
    assert_accounts(report, rig.sandbox, source)
    assert report.ok


async def test_a_full_batch_does_not_linger(rig: Rig) -> None:
    source = phones(40)
    await rig.upload(paced(source, [0.0]), batch_size=10, linger=100.0)
    assert rig.batches == [10] * 4
    assert rig.arrivals[-1] - rig.arrivals[0] < 1


async def test_nothing_is_handed_on_that_nobody_wants() -> None:
    """While all are busy rows gather: no more small batches than there are workers."""
    source = phones(60)
    async with connected(latency=10.0) as rig:
        report = await rig.upload(paced(source, [0.5]), linger=0.1, concurrency=1)
    assert rig.batches[0] == 1
    assert all(size is not None and size >= 19 for size in rig.batches[1:-1])
    assert_accounts(report, rig.sandbox, source)


async def test_a_list_is_not_held_up(rig: Rig) -> None:
    await rig.upload(phones(25), batch_size=10, linger=5.0)
    assert rig.batches == [10, 10, 5]
    assert rig.arrivals[-1] - rig.arrivals[0] < 1


async def test_the_first_row_tells_what_kind_the_source_is(rig: Rig) -> None:
    with pytest.raises(UploadStopped) as stopped:
        await rig.upload(paced([object()] * 300, [0.1]), linger=0.2)
    assert isinstance(stopped.value.cause, SourceError)
    assert rig.batches == []


async def test_bad_rows_and_good_ones(rig: Rig) -> None:
    rows = ["", "+491600000001", "", "", "+491600000002"]
    report = await rig.upload(paced(rows, [0.0, 1.0]), linger=0.3)
    assert (report.created_count, report.invalid_count) == (2, 3)
    assert [r.index for r in report.created] == [1, 4]


@pytest.mark.parametrize("how", ["stop", "cancel", "deadline", "error"])
async def test_the_accounts_hold_whatever_ends_it(rig: Rig, how: str) -> None:
    source = phones(50)

    async def rows() -> AsyncIterator[Phone]:
        async for row in paced(source, [0.0, 0.4, 0.1, 0.7]):
            if how == "error" and row == source[7]:
                raise ZeroDivisionError
            yield row

    upload = rig.upload(rows(), linger=0.3, deadline=3.3 if how == "deadline" else None).start()
    await asyncio.sleep(3.3)
    if how == "stop":
        await upload.stop()
    if how == "cancel":
        upload.cancel()
    await upload.wait_closed()
    report = upload.report
    assert not report.complete
    assert 3 <= report.submitted <= 8
    assert_accounts(report, rig.sandbox, source)


async def test_with_a_journal_it_goes_on_where_it_stopped(tmp_path: Any) -> None:
    source = phones(30)
    options: dict[str, Any] = {"linger": 0.2, "journal": tmp_path / "j", "batch_size": 4}
    async with connected(faults=Faults.script(["ok", "503"])) as rig:
        for _ in range(4):
            upload = rig.upload(paced(source, [0.05, 0.3, 0.1]), **options).start()
            await asyncio.sleep(1.5)
            upload.cancel()
            await upload.wait_closed()
        report = await rig.upload(paced(source, [0.0]), on_unknown="resend", **options)
    assert report.ok
    assert_accounts(report, rig.sandbox, source, resent=True)


@pytest.mark.parametrize("linger", [-1, "1", float("nan")])
async def test_what_makes_no_sense_is_refused(rig: Rig, linger: Any) -> None:
    with pytest.raises(ConfigurationError, match="linger"):
        rig.upload([], linger=linger)


async def test_rows_that_come_all_the_time_make_full_batches(rig: Rig) -> None:
    source = phones(300)
    report = await rig.upload(paced(source, [0.001]), batch_size=100, linger=0.5)
    assert rig.batches == [100, 100, 100]
    assert_accounts(report, rig.sandbox, source)
    assert all(after > before for before, after in pairwise(rig.arrivals))
