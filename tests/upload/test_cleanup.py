"""What was begun is closed for certain: in cancelled scopes, on a second cancel, at every await."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asyncsdk import UploadReport, UploadStopped
from tests.rig import Rig, assert_accounts, client_of, connected, phones
from tests.upload.foreign import ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from asyncsdk import Phone, Upload

pytestmark = pytest.mark.timeout(60)

PLENTY = phones(400)

STEPS = range(61)
"""Steps of the loop after which an upload is cancelled."""


async def steps(count: int) -> None:
    """Let the loop go round so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def check(rig: Rig, upload: Upload, journal: Path | None) -> None:
    """The account is whole, nothing runs any more, and the journal is free for another upload."""
    await ended(upload.wait_closed(), 20)
    report = upload.report
    assert_accounts(report, rig.sandbox, PLENTY)
    requests = len(rig.sandbox.requests)
    if journal is None:
        await asyncio.sleep(5)
        assert len(rig.sandbox.requests) == requests
        return
    _compare(report, journal)
    again = await ended(rig.upload(PLENTY, batch_size=50, journal=journal), 200)
    assert isinstance(again, UploadReport)
    assert again.complete
    assert_accounts(again, rig.sandbox, PLENTY)


def _compare(report: UploadReport, journal: Path) -> None:
    if journal.exists():  # an upload that ended before it began has none
        assert UploadReport.open(journal).created_count == report.created_count


@pytest.fixture(params=[False, True], ids=["memory", "journal"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the accounts are kept."""
    return tmp_path / "upload.journal" if request.param else None


async def awaited(upload: Upload) -> None:
    await upload


async def iterated(upload: Upload) -> None:
    async for _ in upload:
        await asyncio.sleep(0)


async def in_a_block(upload: Upload) -> None:
    async with upload:
        await upload.start()


async def stopped_at_once(upload: Upload) -> None:
    upload.start()
    await steps(10)
    await upload.stop()


WAYS: list[Callable[[Upload], Coroutine[Any, Any, None]]] = [awaited, in_a_block, stopped_at_once]


# a cancel, and another one while it closes


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("latency", [0.0, 0.01])
async def test_a_cancel_after_any_number_of_steps(
    way: Callable[[Upload], Coroutine[Any, Any, None]], latency: float
) -> None:
    async with connected(latency=latency) as rig:
        for count in STEPS:
            rig.sandbox.commits.clear()
            upload = rig.upload(PLENTY, batch_size=20, concurrency=3)
            task = asyncio.create_task(way(upload))
            await steps(count)
            task.cancel()
            await asyncio.wait({task})
            upload.cancel()  # if it was not begun
            await check(rig, upload, None)


@pytest.mark.parametrize("later", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("way", WAYS)
async def test_a_second_cancel_while_it_closes(
    way: Callable[[Upload], Coroutine[Any, Any, None]], later: int
) -> None:
    async with connected() as rig:
        for count in STEPS:
            rig.sandbox.commits.clear()
            upload = rig.upload(PLENTY, batch_size=20, concurrency=3)
            task = asyncio.create_task(way(upload))
            await steps(count)
            for _ in range(3):
                task.cancel()
                await steps(later)
            await asyncio.wait({task})
            upload.cancel()
            await check(rig, upload, None)


@pytest.mark.parametrize("later", [0, 1, 3, 5])
async def test_with_a_journal_it_is_free_again(later: int, tmp_path: Path) -> None:
    async with connected() as rig:
        for count in STEPS[later::5]:
            rig.sandbox.commits.clear()
            journal = tmp_path / f"{count}.journal"
            upload = rig.upload(PLENTY, batch_size=20, concurrency=3, journal=journal)
            task = asyncio.create_task(in_a_block(upload))
            await steps(count)
            for _ in range(3 if later else 1):
                task.cancel()
                await steps(later)
            await asyncio.wait({task})
            upload.cancel()
            await check(rig, upload, journal)


@pytest.mark.parametrize("later", [1, 3])
async def test_whoever_iterates_is_cancelled_twice(later: int) -> None:
    async with connected() as rig:
        for count in STEPS[::3]:
            upload = rig.upload(PLENTY, batch_size=20, concurrency=3)
            task = asyncio.create_task(iterated(upload))
            await steps(count)
            for _ in range(2):
                task.cancel()
                await steps(later)
            await asyncio.wait({task})
            upload.cancel()
            await ended(upload.wait_closed(), 20)
            report = upload.report
            counts = (report.created_count, report.invalid_count, report.failed_count)
            assert report.submitted == sum(counts)


# scopes


async def test_the_end_of_an_upload_in_a_cancelled_scope(journal: Path | None) -> None:
    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        upload = rig.upload(PLENTY, batch_size=20, concurrency=3, journal=journal)
        with anyio.move_on_after(2.0) as scope:
            async with upload:
                await upload.start()
        assert scope.cancelled_caught
        await check(rig, upload, journal)


async def test_a_client_that_is_left_in_a_cancelled_scope(journal: Path | None) -> None:
    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        with anyio.CancelScope() as scope:
            async with client_of(rig.sandbox) as client:
                upload = client.phones.upload(
                    rig.group_id, PLENTY, batch_size=20, rate=None, journal=journal
                ).start()
                await asyncio.sleep(2)
                scope.cancel()
                await asyncio.sleep(1)
        assert client.closed
        await check(rig, upload, journal)


async def test_aclose_within_a_cancelled_scope(journal: Path | None) -> None:
    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        client = client_of(rig.sandbox)
        upload = client.phones.upload(
            rig.group_id, PLENTY, batch_size=20, rate=None, journal=journal
        ).start()
        await asyncio.sleep(2)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await client.aclose()
        await client.aclose()
        assert client.closed
        await check(rig, upload, journal)


async def beside(child: Callable[[], Coroutine[Any, Any, None]], upload: Upload) -> None:
    async with anyio.create_task_group() as group, upload:
        group.start_soon(child)
        await upload.start()


async def test_a_task_group_of_anyio_whose_child_fails(journal: Path | None) -> None:
    async def fail() -> None:
        await anyio.sleep(2)
        raise LookupError

    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        upload = rig.upload(PLENTY, batch_size=20, concurrency=3, journal=journal)
        with pytest.raises(ExceptionGroup):
            await beside(fail, upload)
        await check(rig, upload, journal)


@pytest.mark.parametrize("cancels", [1, 2, 3])
@pytest.mark.parametrize("later", [1, 2, 5, 9])
async def test_aclose_that_is_cancelled_closes_all_the_same(
    cancels: int, later: int, journal: Path | None
) -> None:
    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        client = client_of(rig.sandbox)
        upload = client.phones.upload(
            rig.group_id, PLENTY, batch_size=20, rate=None, journal=journal
        ).start()
        await asyncio.sleep(2)
        closing = asyncio.create_task(client.aclose())
        for _ in range(cancels):
            await steps(later)
            closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        await ended(client.aclose(), 20)
        assert client.closed
        await check(rig, upload, journal)


async def test_a_stop_that_is_cancelled_while_it_drains(journal: Path | None) -> None:
    async with connected(latency=lambda no: 0.0 if no < 4 else 5.0) as rig:
        upload = rig.upload(PLENTY, batch_size=20, concurrency=3, journal=journal).start()
        await asyncio.sleep(2)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await upload.stop()
        await check(rig, upload, journal)


async def test_a_slow_generator_is_closed_in_a_cancelled_scope(journal: Path | None) -> None:
    closed = list[str]()

    async def rows() -> AsyncIterator[Phone]:
        try:
            for row in PLENTY:
                yield row
                await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(0.5)
            closed.append("yes")

    async with connected() as rig:
        upload = rig.upload(rows(), batch_size=20, concurrency=3, journal=journal)
        with anyio.move_on_after(2.0):
            async with upload:
                await upload.start()
        await check(rig, upload, journal)
        assert closed == ["yes"]


async def test_a_server_that_stops_it_while_it_is_cancelled(journal: Path | None) -> None:
    """Two ends at once: one of them is told, and the account is whole."""
    async with connected(latency=0.5) as rig:
        for count in range(0, 30, 3):
            upload = rig.client.phones.upload(999, PLENTY, batch_size=20, rate=None)
            task = asyncio.create_task(awaited(upload))
            await asyncio.sleep(0.499)
            await steps(count)
            task.cancel()
            with suppress(asyncio.CancelledError, UploadStopped):
                await task
            await ended(upload.wait_closed(), 20)
            assert upload.report.submitted == upload.report.failed_count
        upload = rig.upload(PLENTY, batch_size=20, journal=journal)
        await upload
        await check(rig, upload, journal)


# replies that are slow


async def _cancelled(upload: Upload, _: Rig) -> None:
    upload.cancel()


async def _cancelled_as_it_stops(upload: Upload, _: Rig) -> None:
    stopping = asyncio.create_task(upload.stop())
    await asyncio.sleep(0.1)
    upload.cancel()
    await asyncio.wait([stopping])


async def _awaited_in_a_cancelled_task(upload: Upload, _: Rig) -> None:
    task = asyncio.create_task(awaited(upload))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])


async def _awaited_with_a_timeout(upload: Upload, _: Rig) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await upload


async def _left(upload: Upload, _: Rig) -> None:
    async with upload:
        await asyncio.sleep(0.1)


async def _closed_with_its_client(_: Upload, rig: Rig) -> None:
    await rig.client.aclose()


ENDS = [
    _cancelled,
    _cancelled_as_it_stops,
    _awaited_in_a_cancelled_task,
    _awaited_with_a_timeout,
    _left,
    _closed_with_its_client,
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("concurrency", [1, 2, 8])
async def test_a_cancelled_upload_waits_for_no_reply(
    end: Callable[[Upload, Rig], Coroutine[Any, Any, None]], concurrency: int
) -> None:
    async with connected(latency=3.0) as rig:
        await rig.upload(PLENTY[:1])  # the key is proved: from here on requests go side by side
        rig.sandbox.commits.clear()
        upload = rig.upload(PLENTY[1:], batch_size=50, concurrency=concurrency).start()
        await asyncio.sleep(0.3)
        assert upload.progress.in_flight == min(399, 50 * concurrency)
        began = asyncio.get_running_loop().time()
        await end(upload, rig)
        await upload.wait_closed()
        assert asyncio.get_running_loop().time() - began < 0.5
        assert upload.report.unknown_count == min(399, 50 * concurrency)
