"""Journals that cannot be used: a clear error, and nothing is lost or sent."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, Journal, JournalError, Phone, UploadReport, UploadStopped
from asyncsdk.ledger.journal.database import open_to_write, upgrade
from asyncsdk.ledger.journal.log import Log
from tests.journal.moments import half
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CHANGES: dict[str, Callable[[list[Phone]], list[Phone]]] = {
    "a row less": lambda source: source[:40],
    "none": lambda _: [],
    "another number": lambda source: [Phone("+49170"), *source[1:]],
    "another column": lambda source: [Phone(source[0].phone, a="x"), *source[1:]],
    "another order": lambda source: source[::-1],
    "a row more at the start": lambda source: [Phone("+49170"), *source],
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_source_that_has_changed(change: str, journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        before, stored = UploadReport.open(journal), len(rig.stored)
        with pytest.raises(UploadStopped, match="the source is not the one") as caught:
            await rig.upload(CHANGES[change](source), journal=journal)
        assert isinstance(caught.value.cause, JournalError)
        assert len(rig.stored) == stored
        assert known(caught.value.report) == known(UploadReport.open(journal)) == known(before)
        report = await rig.upload(source, journal=journal)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 300


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: [*s, Phone("+4917")], lambda _: []])
async def test_a_source_of_a_finished_upload_that_has_changed(change: Any, journal: Path) -> None:
    source = phones(100)
    async with connected() as rig:
        first = await rig.upload(source, journal=journal, batch_size=20)
        with pytest.raises(UploadStopped, match="the source is not the one"):
            await rig.upload(change(source), journal=journal)
        assert len(rig.batches) == 5
        opened = UploadReport.open(journal)
        assert opened.complete
        assert known(opened) == known(first)


async def test_the_rest_needs_the_source(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        with pytest.raises(UploadStopped, match="was not read to its end"):
            await rig.upload(None, journal=journal)
        with pytest.raises(ConfigurationError, match="phones must be"):
            rig.upload(None)
        assert (await rig.upload(source, journal=journal)).created_count == 300


async def test_another_group(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        other = rig.sandbox.add_group("others")
        with pytest.raises(JournalError, match=f"into group {rig.group_id}, not {other}"):
            await rig.client.phones.upload(other, source, journal=journal)
        assert not rig.sandbox.phones(other)


async def test_two_uploads_at_once(journal: Path) -> None:
    async with connected() as rig:
        source = phones(200)
        first = rig.upload(source, journal=journal, batch_size=10).start()
        while not first.progress.created:
            await asyncio.sleep(0)
        told = f"in use by process {os.getpid()} on .* since 20"
        with pytest.raises(JournalError, match=told):
            await rig.upload(source, journal=journal)
        linked = journal.with_name("link")
        linked.symlink_to(journal)
        with pytest.raises(JournalError, match=told):
            await rig.upload(source, journal=linked)
        assert not UploadReport.open(journal).complete
        assert_accounts(await first, rig.sandbox, source)
        assert (await rig.upload(source, journal=journal)).complete


HOLDER = """
import sys
from pathlib import Path
from asyncsdk.ledger.journal.lock import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


async def test_two_processes_at_once(journal: Path) -> None:
    async with connected() as rig:
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(journal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(JournalError, match=f"in use by process {holder.pid} on"):
                await rig.upload(phones(10), journal=journal)
            holder.kill()
        report = await rig.upload(phones(10), journal=journal)
        assert report.created_count == len(rig.stored) == 10


def text_file(path: Path) -> None:
    path.write_text("phone\n+491601234567\n" * 1000)


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE t (a)")
    file.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [text_file, other_database, folder])
async def test_what_is_no_journal_stays_as_it_is(make: Any, journal: Path) -> None:
    make(journal)
    before = journal.read_bytes() if journal.is_file() else None
    async with connected() as rig:
        with pytest.raises(JournalError, match=r"journal|opened") as caught:
            await rig.upload(phones(10), journal=journal)
        assert str(journal) in str(caught.value)
        assert not rig.batches
    with pytest.raises(JournalError):
        UploadReport.open(journal)
    assert before is None or journal.read_bytes() == before
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]


async def test_a_newer_version(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        with closing(sqlite3.connect(journal)) as file, file:
            file.execute("PRAGMA user_version=99")
        file.close()
        with pytest.raises(JournalError, match="newer version of asyncsdk"):
            await rig.upload(source, journal=journal)
        with pytest.raises(JournalError, match="newer version of asyncsdk"):
            UploadReport.open(journal)


async def test_no_folder_for_it(tmp_path: Path) -> None:
    async with connected() as rig:
        with pytest.raises(JournalError, match="there is no such folder"):
            await rig.upload(phones(10), journal=tmp_path / "nowhere" / "a.journal")
        assert not rig.batches
    with pytest.raises(JournalError, match="there is no journal"):
        UploadReport.open(tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
async def test_a_copy_that_was_cut_off(share: float, journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal, 3000)
        whole = journal.read_bytes()
        for path in journal.parent.iterdir():
            if path != journal:
                path.unlink()
        journal.write_bytes(whole[: int(len(whole) * share)])
        requests = len(rig.batches)
        with pytest.raises(JournalError, match=r"damaged|is no journal"):
            await rig.upload(source, journal=journal)
        with pytest.raises(JournalError, match=r"damaged|is no journal"):
            known(UploadReport.open(journal))
        assert len(rig.batches) == requests
        journal.write_bytes(whole)
        assert_accounts(await rig.upload(source, journal=journal), rig.sandbox, source)


async def test_bytes_that_rotted(journal: Path) -> None:
    """Wherever it is hit, the error is ours."""
    async with connected() as rig:
        await rig.upload(phones(3000), journal=journal, batch_size=100)
    whole = journal.read_bytes()
    copy = journal.with_name("copy")
    caught = 0
    for place in range(100, len(whole), len(whole) // 97):
        rotten = bytearray(whole)
        rotten[place : place + 30] = bytes(30)
        copy.write_bytes(rotten)
        try:
            known(UploadReport.open(copy))
        except JournalError as error:
            assert re.search("damaged|is no journal", str(error))
            caught += 1
    assert caught > 10


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere, so for a while it is somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_what_may_only_be_read(what: str) -> None:
    async with connected() as rig:
        with TemporaryDirectory(dir="/tmp") as name:
            place = Path(name)
            place.chmod(0o777)
            journal = place / "a.journal"
            source = await half(rig, journal)
            before = UploadReport.open(journal)
            requests = len(rig.batches)
            journal.chmod(0o444)
            place.chmod(0o777 if what == "file" else 0o555)
            with as_nobody():
                with pytest.raises(JournalError, match=r"read-only|may not be written") as caught:
                    await rig.upload(source, journal=journal)
                assert str(journal) in str(caught.value)
            assert len(rig.batches) == requests
            place.chmod(0o777)
            journal.chmod(0o600)
            assert known(UploadReport.open(journal)) == known(before)
            assert_accounts(await rig.upload(source, journal=journal), rig.sandbox, source)


async def test_a_finished_journal_can_be_read_where_nothing_can_be_written(
    journal: Path, tmp_path: Path
) -> None:
    async with connected() as rig:
        report = await rig.upload(phones(100), journal=journal)
    away = tmp_path / "archive"
    away.mkdir()
    shutil.copy(journal, away / "a.journal")
    away.chmod(0o500)
    assert UploadReport.open(away / "a.journal") == report
    assert [path.name for path in away.iterdir()] == ["a.journal"]
    away.chmod(0o700)


@pytest.mark.parametrize("value", [3, b"x", "", object()])
def test_no_path(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="a journal must be the path of a file"):
        Journal(value)


@pytest.mark.parametrize("options", [{"durable": "fire"}, {"notes": 3}])
def test_no_such_option(options: Any) -> None:
    with pytest.raises(ConfigurationError):
        Journal("a", **options)


async def test_a_journal_with_a_log_of_its_own_can_be_read_in_a_folder_that_cannot_be_written() -> (
    None
):
    """One that was stopped and copied away is in WAL mode, and nobody may make a log for it."""
    async with connected() as rig:
        with TemporaryDirectory(dir="/tmp") as name:
            place = Path(name)
            journal = place / "a.journal"
            await half(rig, journal)
            before = known(UploadReport.open(journal))
            assert [path.name for path in place.iterdir()] == ["a.journal"]
            journal.chmod(0o444)
            place.chmod(0o555)
            with as_nobody():
                assert known(UploadReport.open(journal)) == before
            place.chmod(0o755)


async def test_what_is_marked_read_only_is_not_written_by_root_either(journal: Path) -> None:
    async with connected() as rig:
        source = await half(rig, journal)
        journal.chmod(0o444)
        before = journal.read_bytes()
        with pytest.raises(JournalError, match="it is read-only"):
            await rig.upload(source, journal=journal)
        assert journal.read_bytes() == before
        journal.chmod(0o600)
        assert_accounts(await rig.upload(source, journal=journal), rig.sandbox, source)


def test_one_that_another_program_reads_says_so(journal: Path) -> None:
    """Until that one is closed, what is written cannot be brought into the one file."""
    with (
        closing(open_to_write(journal, "crash")) as connection,
        closing(sqlite3.connect(journal, isolation_level=None)) as other,
    ):
        upgrade(connection)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM meta").fetchone()
        connection.execute("PRAGMA busy_timeout=0")  # no test waits for real
        with pytest.raises(JournalError, match=r"read by another program.*close that, and resume"):
            Log(journal).begin(connection)
        other.execute("ROLLBACK")
        Log(journal).begin(connection)
