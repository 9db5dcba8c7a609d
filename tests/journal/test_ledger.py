"""What is entered in a journal is what a later run finds there."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Delivery, Journal, Outcome, UploadReport
from asyncsdk.ledger.entry import Entry
from asyncsdk.ledger.held import State
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.run import Run
from tests.journal.moments import HeldBatch, as_after_a_kill

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.ledger.interface import Resumed


async def opened(journal: Path) -> JournalLedger:
    ledger = JournalLedger(Journal(journal), 1)
    await ledger.open(Run)
    return ledger


async def resumed(journal: Path) -> Resumed:
    """What a later run finds."""
    ledger = JournalLedger(Journal(journal), 1)
    found = await ledger.open(Run)
    await ledger.close(Run(complete=False))
    return found


async def test_a_request_that_does_not_leave_after_all_waits_again(journal: Path) -> None:
    """What was on record as sent is not in doubt, once the ledger was told."""
    batch = HeldBatch()
    ledger = await opened(journal)
    ledger.read(0, b"[]", [batch], [])
    await ledger.sending(batch)
    ledger.waiting(batch)
    await ledger.flush()
    await ledger.close(Run(complete=False))
    found = await resumed(journal)
    assert found.last_key == batch.key
    assert [(h.key, h.state, h.attempts) for h in found.held] == [(7, State.WAITING, 0)]
    assert (found.read, found.exhausted, found.begun) == (2, False, True)
    assert UploadReport.open(journal).unknown_count == 0


async def test_a_request_that_may_have_left_counts_as_an_attempt(
    journal: Path, tmp_path: Path
) -> None:
    ledger = await opened(journal)
    ledger.read(0, b"[]", [HeldBatch()], [])
    await ledger.sending(HeldBatch())
    found = await resumed(as_after_a_kill(journal, tmp_path / "copy"))
    assert [(h.key, h.state, h.attempts) for h in found.held] == [(7, State.SENDING, 1)]
    await ledger.close(Run(complete=False))


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("batch", [7, 8, None])
async def test_rows_are_written_once_whoever_encoded_them(
    batch: int | None, *, written: bool, journal: Path
) -> None:
    """The key of the batch says whether they are on file, not which object they are."""
    ledger = await opened(journal)
    ledger.read(0, b"[]", [HeldBatch()], [])
    if written:
        await ledger.flush()
    rows = HeldBatch()
    entry = Entry(Outcome.FAILED, Delivery.UNKNOWN, rows.indices, rows.body, batch=batch)
    ledger.replace([7], entries=[entry])
    assert [r.index for r in ledger.results(Outcome.FAILED)] == [0, 1]
    await ledger.close(Run())
    found = await resumed(journal)
    assert (found.held, found.run.counts.failed) == ([], 2)
    assert [r.phone.phone for r in UploadReport.open(journal).failed] == ["+49170", "+49171"]
    assert found.last_key == (7 if batch == 7 else 0)


@pytest.mark.parametrize("written", [False, True])
async def test_new_batches_in_the_place_of_old_ones(*, written: bool, journal: Path) -> None:
    ledger = await opened(journal)
    ledger.read(0, b"[]", [HeldBatch()], [])
    if written:
        await ledger.flush()
    ledger.replace([7], again=[HeldBatch(8, range(1))], doubt=[HeldBatch(9, range(1, 2))])
    ledger.replace([8], again=[HeldBatch(8, range(1))])
    await ledger.close(Run(complete=False))
    found = await resumed(journal)
    assert [(h.key, h.state) for h in found.held] == [(8, State.WAITING), (9, State.DOUBTFUL)]
    assert found.last_key == 9


async def test_what_comes_while_the_disk_is_busy_is_written_as_soon_as_it_is_not(
    journal: Path, tmp_path: Path
) -> None:
    """Nobody waits for it, and nothing comes after it."""
    ledger, rows = await opened(journal), HeldBatch()
    ledger.read(0, b"[]", [rows], [])
    with closing(sqlite3.connect(journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        flushing = asyncio.create_task(ledger.flush())
        for _ in range(20):
            await asyncio.sleep(0)
        ledger.replace([7], entries=[created(rows)])
        assert not flushing.done()
        other.execute("ROLLBACK")
        await flushing
    await asyncio.sleep(1.0)
    report = UploadReport.open(as_after_a_kill(journal, tmp_path / "copy"))
    assert (report.created_count, report.failed_count) == (2, 0)
    await ledger.close(Run())


def created(batch: HeldBatch) -> Entry:
    """The account of a batch that was answered well."""
    members = b'[{"status": 201}, {"status": 201}]'
    return Entry(
        Outcome.CREATED, Delivery.ANSWERED, batch.indices, batch.body, members=members, batch=7
    )
