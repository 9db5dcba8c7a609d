"""A journal is free again when its block is left, whatever cancels meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asyncsdk import Journal, StoppedBy, UploadReport
from asyncsdk.ledger.journal.file import JournalFile
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.journal.lock import Lock, holder
from asyncsdk.ledger.run import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open", "write", "close"):
        call = getattr(JournalFile, name)

        def slowly(*arguments: Any, call: Any = call) -> Any:
            time.sleep(0.02)
            return call(*arguments)

        monkeypatch.setattr(JournalFile, name, slowly)


async def used(path: Path) -> None:
    """A journal that is opened, written and closed."""
    ledger = JournalLedger(Journal(path), 1)
    await ledger.open(Run)
    try:
        ledger.exhausted()
        await asyncio.sleep(60)
    finally:
        await ledger.close(Run(complete=False, stopped_by=StoppedBy.CANCELLED))


async def cancelled_twice(path: Path) -> None:
    task = asyncio.ensure_future(used(path))
    for _ in range(2):
        await asyncio.sleep(1)
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def cancelled_in_every_round(path: Path) -> None:
    task = asyncio.ensure_future(used(path))
    await asyncio.sleep(1)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def in_a_scope_that_is_cancelled(path: Path) -> None:
    with anyio.move_on_after(1) as scope:
        await used(path)
    assert scope.cancelled_caught


async def in_a_group_that_is_cancelled(path: Path) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(used, path)
        await anyio.sleep(1)
        group.cancel_scope.cancel()


async def in_time_that_is_over(path: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await used(path)


@pytest.mark.parametrize(
    "end",
    [
        cancelled_twice,
        cancelled_in_every_round,
        in_a_scope_that_is_cancelled,
        in_a_group_that_is_cancelled,
        in_time_that_is_over,
    ],
)
async def test_it_is_closed_before_the_cancellation_is_told(
    end: Callable[[Path], Awaitable[None]], journal: Path
) -> None:
    await end(journal)
    assert holder(journal) is None
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]
    assert UploadReport.open(journal).stopped_by is StoppedBy.CANCELLED
    Lock(journal).acquire()


@pytest.mark.parametrize("rounds", range(8))
async def test_it_is_free_when_its_opening_was_cancelled(rounds: int, journal: Path) -> None:
    with anyio.CancelScope() as scope:
        asyncio.get_running_loop().call_later(rounds / 1000, scope.cancel)
        ledger = JournalLedger(Journal(journal), 1)
        try:
            await ledger.open(Run)
        finally:
            await ledger.close(Run())
    assert holder(journal) is None
    await ledger.open(Run)
    await ledger.close(Run())
