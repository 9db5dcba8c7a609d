"""A journal whose state is in doubt: nothing is sent, and the error says what to do."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import JournalError, Rate, UploadReport, UploadStopped
from asyncsdk.ledger.journal import lock
from asyncsdk.ledger.journal.file import JournalFile
from asyncsdk.ledger.journal.log import log_of
from tests.journal.moments import as_after_a_kill, half
from tests.rig import Rig, assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLOW: dict[str, Any] = {"batch_size": 20, "rate": Rate(10)}


async def killed(rig: Rig, journal: Path, copy: Path, created: int = 100) -> Path:
    """What is left of an upload of 300 phones that was killed, and of one that went on."""
    upload = rig.upload(phones(300), journal=journal, **SLOW).start()
    while upload.progress.created < created or not rig.batches:
        await asyncio.sleep(0.01)
    as_after_a_kill(journal, copy)
    upload.cancel()
    await upload.wait_closed()
    return copy


async def refused(rig: Rig, journal: Path, match: str, **options: Any) -> None:
    """No request leaves, and no report is given where that would be one of another moment."""
    requests = len(rig.sandbox.requests)
    with pytest.raises(JournalError, match=match) as caught:
        await rig.upload(phones(300), journal=journal, **options)
    assert str(journal) in str(caught.value)
    assert len(rig.sandbox.requests) == requests


@pytest.mark.parametrize("created", [0, 20, 100, 280])
@pytest.mark.parametrize("lost", ["away", "empty"])
async def test_without_its_log(created: int, lost: str, journal: Path, tmp_path: Path) -> None:
    async with connected() as rig:
        copy = await killed(rig, journal, tmp_path / "copy", created)
        whole = log_of(copy).read_bytes()
        if lost == "away":
            log_of(copy).unlink()
        else:
            log_of(copy).write_bytes(b"")
        for _ in range(2):  # nothing is changed by looking
            await refused(rig, copy, "copy-wal, which is not beside it. Bring that file along")
            with pytest.raises(JournalError, match="is not beside it"):
                UploadReport.open(copy)
        log_of(copy).write_bytes(whole)
        report = await rig.upload(phones(300), journal=copy, on_unknown="report")
        assert report.complete


async def test_a_report_of_a_crash_leaves_the_log_to_who_goes_on(
    journal: Path, tmp_path: Path
) -> None:
    """Whoever closes a database last merges its log; a report must not."""
    async with connected() as rig:
        copy = await killed(rig, journal, tmp_path / "copy")
        sizes = copy.stat().st_size, log_of(copy).stat().st_size
        before = known(UploadReport.open(copy))
        assert (copy.stat().st_size, log_of(copy).stat().st_size) == sizes
        moved = tmp_path / "elsewhere"
        shutil.copy(copy, moved)
        shutil.copy(log_of(copy), log_of(moved))
        assert known(UploadReport.open(moved)) == before
        shutil.copy(copy, tmp_path / "alone")
        await refused(rig, tmp_path / "alone", "is not beside it")


async def long(rig: Rig, journal: Path, moments: int, tmp_path: Path) -> list[Path]:
    """Copies of a journal of many logs, one after the other."""
    upload = rig.upload(phones(60_000), journal=journal, batch_size=500, rate=Rate(20)).start()
    copies: list[Path] = []
    for moment in range(1, moments + 1):
        while upload.progress.created < moment * 20_000:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.03)
        copies.append(as_after_a_kill(journal, tmp_path / f"{moment}"))
    upload.cancel()
    await upload.wait_closed()
    return copies


async def test_a_file_and_a_log_of_different_moments(journal: Path, tmp_path: Path) -> None:
    async with connected() as rig:
        early, late = await long(rig, journal, 2, tmp_path)
        for name, file, log in (("a", early, late), ("b", late, early)):
            mixed = tmp_path / name
            shutil.copy(file, mixed)
            shutil.copy(log_of(log), log_of(mixed))
            requests = len(rig.sandbox.requests)
            with pytest.raises(JournalError, match="are not of the same moment"):
                await rig.upload(phones(60_000), journal=mixed)
            assert len(rig.sandbox.requests) == requests
        for copy in (early, late):
            report = await rig.upload(phones(60_000), journal=copy, batch_size=1000)
            assert report.complete
            assert report.submitted == 60_000


async def test_a_log_that_is_older_than_its_file(journal: Path, tmp_path: Path) -> None:
    """Copied first, while the upload went on and brought more into the file."""
    async with connected() as rig:
        copy = await killed(rig, journal, tmp_path / "copy", 40)
        later = await killed(rig, tmp_path / "other", tmp_path / "later", 200)
        old = log_of(copy).read_bytes()
        shutil.copy(later, copy)
        log_of(copy).write_bytes(old)
        await refused(rig, copy, "are not of the same moment")


def test_a_log_that_is_older_than_its_file_and_has_not_begun_anew(
    journal: Path, tmp_path: Path
) -> None:
    """Copied first, in the course of one log."""

    def enter(query: str) -> Any:
        return lambda connection: connection.execute(query)

    file = JournalFile(journal, "crash")
    file.open(lambda _: None)
    file.write([enter("INSERT INTO entry (id, members) VALUES (1, randomblob(900000))")])
    mixed = tmp_path / "mixed"
    shutil.copy(log_of(journal), log_of(mixed))
    # By now the log is long enough to be brought into the file, which grows no more.
    rewritten = enter("UPDATE entry SET members = randomblob(900000)")
    file.write([rewritten, enter("INSERT INTO entry (id) VALUES (2)")])
    shutil.copy(journal, mixed)
    file.close([])
    with pytest.raises(JournalError, match="are not of the same moment"):
        JournalFile(mixed, "crash").open(lambda _: None)


async def test_its_log_without_the_file(journal: Path, tmp_path: Path) -> None:
    async with connected() as rig:
        copy = await killed(rig, journal, tmp_path / "copy")
        whole = copy.read_bytes()
        copy.unlink()
        await refused(rig, copy, "is gone, and copy-wal")
        copy.write_bytes(b"")
        await refused(rig, copy, "is gone, and copy-wal")
        assert log_of(copy).stat().st_size
        copy.write_bytes(whole)
        assert (await rig.upload(phones(300), journal=copy)).complete


def removed(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


@pytest.mark.parametrize("ending", ["", "-wal", "-lock"])
@pytest.mark.parametrize("change", [removed, moved, replaced])
async def test_changed_while_it_is_in_use(
    change: Callable[[Path], None], ending: str, journal: Path
) -> None:
    source = phones(300)
    async with connected() as rig:
        upload = rig.upload(source, journal=journal, concurrency=2, **SLOW).start()
        while upload.progress.created < 100:
            await asyncio.sleep(0.01)
        change(journal.with_name(journal.name + ending))
        requests = len(rig.sandbox.requests)
        with pytest.raises(UploadStopped, match="was moved, removed or replaced") as caught:
            await upload
        assert isinstance(caught.value.cause, JournalError)
        assert len(rig.sandbox.requests) <= requests + 1  # one was past its record
        if ending == "-lock":
            assert_accounts(caught.value.report, rig.sandbox, source)
        assert caught.value.report.created_count <= len(rig.stored)


async def test_moved_with_all_that_belongs_to_it_it_goes_on(journal: Path, tmp_path: Path) -> None:
    source = phones(300)
    away = tmp_path / "away"
    away.mkdir()
    async with connected() as rig:
        upload = rig.upload(source, journal=journal, on_unknown="reconcile", **SLOW).start()
        while upload.progress.created < 100:
            await asyncio.sleep(0.01)
        for path in (journal, log_of(journal)):
            path.rename(away / path.name)
        with pytest.raises(UploadStopped, match="was moved, removed or replaced"):
            await upload
        assert not journal.exists()
        report = await rig.upload(source, journal=away / journal.name, on_unknown="reconcile")
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 300


HERE = "process 7 on {host} since 2026-01-01 00:00:00 UTC\n{boot}"


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("", True),
        ("rubbish", True),
        (HERE.format(host="{own}", boot=""), True),
        (HERE.format(host="{own}", boot="another"), True),
        (HERE.format(host="db-7.example", boot="{boot}"), True),
        (HERE.format(host="db-7.example", boot="another"), False),
        (HERE.format(host="db-7.example", boot=""), False),
        ("process 7 on db-7.example since 2026-01-01 00:00:00 UTC", False),
    ],
    ids=["empty", "rubbish", "here", "rebooted", "a container", "elsewhere", "no boot", "older"],
)
async def test_what_another_host_may_hold(
    text: str, *, free: bool, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock of the system says nothing of the processes of other hosts."""
    monkeypatch.setattr(lock, "_boot", lambda: "this-boot")
    whole = text.format(own=socket.gethostname(), boot="this-boot")
    async with connected() as rig:
        source = await half(rig, journal)
        beside = journal.with_name(f"{journal.name}-lock")
        beside.write_text(whole)
        if not free:
            await refused(rig, journal, "process 7 on db-7.example since .* remove upload.journal-")
            assert UploadReport.open(journal).stopped_by == "running"
            assert beside.read_text() == whole
            beside.unlink()
        report = await rig.upload(source, journal=journal)
        assert_accounts(report, rig.sandbox, source)
        assert not beside.exists()


ABANDONED = """
import asyncio, sys
from pathlib import Path
from asyncsdk import Journal
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.run import Run
async def begin():
    await ledger.open(Run)
    ledger.exhausted()
    await ledger.flush()

loop = asyncio.new_event_loop()
ledger = JournalLedger(Journal(Path(sys.argv[1])), 1)
loop.run_until_complete(begin())
loop.close()
"""


@pytest.mark.parametrize("last", ["", "del ledger", "import gc; ledger = None; gc.collect()"])
def test_an_upload_that_is_left_behind_leaves_what_a_crash_would(last: str, journal: Path) -> None:
    """No event loop is left to close it, and whoever lets go of it merges nothing."""
    subprocess.run([sys.executable, "-c", ABANDONED + last, journal], check=True)
    assert log_of(journal).stat().st_size
    assert UploadReport.open(journal).stopped_by == "crash"
    log_of(journal).unlink()
    with pytest.raises(JournalError, match="is not beside it"):
        UploadReport.open(journal)


async def test_a_journal_of_before_there_were_notes_of_logs(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        with closing(sqlite3.connect(journal)) as file, file:
            file.execute("PRAGMA user_version=1")
        file.close()
        report = await rig.upload(source, journal=journal)
        assert_accounts(report, rig.sandbox, source)
        with closing(sqlite3.connect(journal)) as file, file:
            assert file.execute("PRAGMA user_version").fetchone() == (3,)
        file.close()
