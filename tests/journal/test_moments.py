"""Whatever moment something happens at: a look at the journal, a cancellation, a failing disk."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import time
from contextlib import closing
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    Client,
    Delivery,
    Journal,
    JournalError,
    Phone,
    Rate,
    RetryPolicy,
    StoppedBy,
    UploadReport,
    UploadStopped,
)
from asyncsdk.ledger.journal.file import JournalFile
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.journal.lock import Lock
from asyncsdk.ledger.journal.reader import Reader
from asyncsdk.ledger.run import Run
from asyncsdk.sandbox import Faults
from tests.failures.raw import answer, read_request, serving
from tests.journal.moments import as_after_a_kill, half
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.mark.parametrize("state", ["running", "killed"])
async def test_a_report_is_of_one_moment(
    state: str, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are answered between two looks at the file are neither missing nor there twice."""
    look = Reader.run

    def overtaken(reader: Reader) -> Any:
        found = look(reader)
        with closing(sqlite3.connect(reader.path)) as file, file:
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
        looked_at = journal
        if state == "killed":
            looked_at = as_after_a_kill(journal, tmp_path / "copy")
        monkeypatch.setattr(Reader, "run", overtaken)
        report = UploadReport.open(looked_at)
        monkeypatch.undo()
        expected = 50 if state == "killed" else 0
        assert report.unknown_count == report.submitted == len(known(report)) == expected
        upload.cancel()
        await upload.wait_closed()


async def test_a_report_of_a_running_upload_tells_what_is_settled(journal: Path) -> None:
    """What waits or is under way has not failed: nobody knows yet."""
    source = [Phone(""), *phones(300)[1:]]
    async with connected() as rig:
        upload = rig.upload(source, journal=journal, batch_size=20, rate=Rate(10)).start()
        while upload.progress.created < 100:
            await asyncio.sleep(0.01)
        report = UploadReport.open(journal)
        assert report.stopped_by is StoppedBy.RUNNING
        assert not report.complete
        assert not report.ok
        assert (report.failed_count, report.invalid_count) == (0, 1)
        assert 0 < report.created_count < 300
        assert report.submitted == report.created_count + 1
        await upload
        assert len(report.created) == report.created_count
        assert len(known(report)) == report.submitted
        assert UploadReport.open(journal).stopped_by is None


async def test_a_report_of_what_is_resumed_just_now(journal: Path, tmp_path: Path) -> None:
    """It may begin between two looks at the file."""
    async with connected(latency=lambda no: 5.0 if no > 8 else 0.0) as rig:
        source = await half(rig, journal)
        assert UploadReport.open(journal).stopped_by is StoppedBy.STOP
        upload = rig.upload(source, journal=journal, batch_size=20, concurrency=2).start()
        while upload.progress.in_flight < 40:
            await asyncio.sleep(0.01)
        report = UploadReport.open(journal)
        assert (report.stopped_by, report.failed_count) == ("running", 0)
        killed = UploadReport.open(as_after_a_kill(journal, tmp_path / "copy"))
        assert killed.stopped_by is StoppedBy.CRASH
        assert killed.failed_count > killed.unknown_count > 0
        upload.cancel()
        await upload.wait_closed()
        assert UploadReport.open(journal).stopped_by == "cancelled"


async def test_a_finished_upload_that_is_opened_again_is_finished(journal: Path) -> None:
    async with connected() as rig:
        await rig.upload(phones(10), journal=journal)
        ledger = JournalLedger(Journal(journal), rig.group_id)
        await ledger.open(Run)
        report = UploadReport.open(journal)
        assert report.complete
        assert report.stopped_by is None
        await ledger.close(Run())


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


@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
async def test_what_was_to_be_resent_is_in_doubt_for_a_run_that_resends_nothing(
    on_unknown: str, journal: Path, tmp_path: Path
) -> None:
    source = phones(20)
    async with connected(faults=Faults.script(["reset-after"])) as rig:
        pause = RetryPolicy(base=1000.0, cap=1000.0)
        upload = rig.upload(source, journal=journal, on_unknown="resend", retry=pause).start()
        while not rig.stored or upload.progress.in_flight:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(source, journal=copy, on_unknown=on_unknown)
        assert_accounts(report, rig.sandbox, source)
        assert report.unknown_count == len(rig.stored) == 20


async def test_what_was_interrupted_says_so_at_every_stage(journal: Path, tmp_path: Path) -> None:
    """Whatever an earlier request with it was told."""
    source = phones(20)
    async with connected(
        faults=Faults.script(["503"]), latency=lambda no: 5.0 if no else 0.0
    ) as rig:
        upload = rig.upload(source, journal=journal).start()
        while len(rig.batches) < 2:
            await asyncio.sleep(0.01)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        reports = [UploadReport.open(copy)]
        with pytest.raises(UploadStopped, match="the source is not the one") as caught:
            await rig.upload([], journal=copy)
        reports += [caught.value.report, UploadReport.open(copy)]
        reports.append(await rig.upload(source, journal=copy))
        for report in reports:
            for result in known(report):
                assert result.delivery is Delivery.UNKNOWN
                assert result.status is None
                assert "interrupted while it was under way" in str(result.error)


async def test_cancelled_while_it_opens_the_report_agrees_with_itself(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        counts = set()
        for turns in range(1, 12):
            upload = rig.upload(source, journal=journal).start()
            for _ in range(turns):
                await asyncio.sleep(0)
            time.sleep(0.02)  # noqa: ASYNC251 - the thread that opens it goes on
            before = upload.report
            upload.cancel()
            after = upload.report
            await upload.wait_closed()
            for report in (before, after, upload.report):
                assert report.created_count == len(report.created)
                counts.add(report.created_count)
        assert 0 in counts


async def test_an_ending_that_cannot_be_written_is_told(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        msg = "disk I/O error"
        raise sqlite3.OperationalError(msg)

    source = phones(50)
    async with connected() as rig:
        monkeypatch.setattr(JournalLedger, "_write_ending", fails)
        with pytest.raises(UploadStopped, match="disk I/O error") as caught:
            await rig.upload(source, journal=journal)
        assert not caught.value.report.complete
        assert_accounts(caught.value.report, rig.sandbox, source)
        monkeypatch.undo()
        report = await rig.upload(source, journal=journal)
        assert_accounts(report, rig.sandbox, source)
        assert report.complete
        assert len(rig.batches) == 1


def slow_down(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let each transaction take so much longer."""
    write = JournalFile.write

    def slowly(*arguments: Any) -> float:
        time.sleep(seconds)
        return write(*arguments)

    monkeypatch.setattr(JournalFile, "write", slowly)


async def test_cancelled_again_and_again_it_lets_go_before_it_ends(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(monkeypatch, 0.02)
    source, closed = phones(300), []

    def rows() -> Iterator[Phone]:
        try:
            yield from source
        finally:
            closed.append(True)

    async with connected() as rig:
        upload = rig.upload(rows(), journal=journal, batch_size=10, concurrency=1).start()
        while upload.progress.created < 50:
            await asyncio.sleep(0)
        for _ in range(10):
            upload.cancel()
            await asyncio.sleep(0)
        await upload.wait_closed()
        assert closed
        report = await rig.upload(source, journal=journal, on_unknown="resend")
        assert report.submitted == 300


async def test_the_ids_of_every_run_are_kept_once_one_reconciled(journal: Path) -> None:
    """Else a phone that a run answered is taken for another one with the same number."""
    source = [Phone("+491600000001", callback_data=str(i)) for i in range(60)]
    options: dict[str, Any] = {
        "journal": journal,
        "batch_size": 10,
        "concurrency": 1,
        "keep_created": False,
    }
    faults = Faults.script(["403", "ok", "ok", "ok", "timeout-before"])
    async with connected(faults=faults) as rig:
        with pytest.raises(UploadStopped):
            await rig.upload(source, on_unknown="reconcile", **options)
        upload = rig.upload(source, **options).start()
        while faults.injected < 2:
            await asyncio.sleep(0.01)
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(source, on_unknown="reconcile", **options)
        assert report.created_count == len(rig.stored) == 60


async def test_killed_before_its_first_run_was_noted(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    async with connected() as rig:
        with monkeypatch.context() as patch:
            patch.setattr("asyncsdk.ledger.journal.ledger.begin_run", killed)
            ledger = JournalLedger(Journal(journal), rig.group_id)
            with pytest.raises(KeyboardInterrupt):
                ledger._commits.file.open(ledger._begin)
            ledger._commits.file.release()
        with pytest.raises(JournalError, match="is empty: no upload has begun"):
            UploadReport.open(journal)
        assert (await rig.upload(phones(10), journal=journal)).created_count == 10


ROT = {
    "rows": "UPDATE batch SET phones = x'5b7b00' WHERE id IN (SELECT batch FROM held)",
    "fewer rows": "UPDATE batch SET phones = '[]' WHERE id IN (SELECT batch FROM held)",
    "a batch": "DELETE FROM batch WHERE id IN (SELECT batch FROM held)",
    "a state": "DELETE FROM held",
    "a fate": "DELETE FROM entry WHERE id = 1",
}


@pytest.mark.parametrize("what", ROT)
async def test_a_journal_that_lacks_something_is_not_gone_on_with(
    what: str, journal: Path, tmp_path: Path
) -> None:
    async with connected(latency=lambda no: 5.0 if no > 3 else 0.0) as rig:
        source = phones(200)
        upload = rig.upload(source, journal=journal, batch_size=20).start()
        while len(rig.batches) < 5:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        copy = as_after_a_kill(journal, tmp_path / "copy")
        upload.cancel()
        await upload.wait_closed()
        with closing(sqlite3.connect(copy)) as file, file:
            file.execute(ROT[what])
            file.execute("DELETE FROM meta WHERE key = 'log'")  # closing merges it
        file.close()
        requests = len(rig.batches)
        with pytest.raises(JournalError, match="is damaged"):
            await rig.upload(source, journal=copy)
        assert len(rig.batches) == requests


async def test_a_slow_disk_is_waited_for_though_nothing_is_sent(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(monkeypatch, 0.05)
    ledger = JournalLedger(Journal(journal), 1)
    monkeypatch.setattr("asyncsdk.resources.phones._ledger", lambda *_: ledger)
    most = 0

    def rows() -> Iterator[str]:
        nonlocal most
        for _ in range(200):
            most = max(most, len(ledger._recent.unwritten))
            yield from [""] * 100

    async with connected() as rig:
        report = await rig.upload(rows(), journal=journal, batch_size=100)
    assert report.invalid_count == len(report.invalid) == 20_000
    assert 10 < most < 80


async def test_a_broken_disk_ends_an_upload_that_has_nothing_to_send(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        msg = "database or disk is full"
        raise sqlite3.OperationalError(msg)

    monkeypatch.setattr("asyncsdk.ledger.journal.ledger.insert_entry", fails)
    async with connected() as rig:
        with pytest.raises(UploadStopped, match="disk is full") as caught:
            await rig.upload(repeat(""), journal=journal, batch_size=100)
        report = caught.value.report
        assert report.submitted == report.invalid_count == len(report.invalid)


async def test_a_request_id_that_is_no_text(journal: Path) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whole = answer(await read_request(reader), "X-LOX24-REQUEST-ID: a?b\r\n")
        writer.write(whole.replace(b"a?b", b"a\xffb"))
        await writer.drain()
        await reader.read()

    async with serving(reply) as url, Client("1", "k", base_url=url, rate=None) as client:
        report = await client.phones.upload(1, phones(3), journal=journal)
    assert report.created_count == 3
    assert known(UploadReport.open(journal)) == known(report)
    assert report.created[0].request_id == "a?b"


def test_an_upload_whose_event_loop_is_gone_holds_no_journal(journal: Path) -> None:
    Lock(journal).acquire()  # nobody is left who could release it
    gc.collect()
    again = Lock(journal)
    again.acquire()
    with pytest.raises(JournalError, match=f"in use by process {os.getpid()}"):
        Lock(journal).acquire()
    again.release()
