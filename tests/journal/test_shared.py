"""Journals on disks of several hosts: without a log, and none with one where that can be seen."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncsdk import Journal, JournalError, UploadReport
from asyncsdk.ledger.journal import disks
from asyncsdk.ledger.journal.copying import continued
from asyncsdk.ledger.journal.disks import network_disk
from tests.rig import assert_accounts, connected, phones

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:50 / /home rw - nfs4 server:/home rw,vers=4.2
31 30 0:51 / /home/local\\040disk rw - xfs /dev/sdb rw
32 22 0:52 / /mnt/share rw - cifs //server/share rw
33 22 0:53 / /mnt/host rw - 9p host rw
34 22 0:54 / /mnt/ssh rw - fuse.sshfs user@host: rw
35 22 0:55 / /mnt/ntfs rw - fuseblk /dev/sdc rw
36 22 0:56 / /scratch rw - lustre mgs:/scratch rw
37 32 0:57 / /mnt/share rw master:2 - tmpfs tmpfs rw
38 22 0:58 / /tmp rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    place = tmp_path / "mountinfo"
    place.write_text(MOUNTS)
    return place


@pytest.mark.parametrize(
    ("path", "disk"),
    [
        ("/home/me/a.journal", "nfs4"),
        ("/home/local disk/a.journal", None),
        ("/home/local", "nfs4"),
        ("/homework/a.journal", None),
        ("/mnt/share/a.journal", None),
        ("/mnt/host/deep/er/a.journal", "9p"),
        ("/mnt/ssh/a.journal", "fuse.sshfs"),
        ("/mnt/ntfs/a.journal", None),
        ("/scratch/../scratch/a.journal", "lustre"),
        ("/var/a.journal", None),
    ],
)
def test_the_disk_that_a_file_is_on_is_found(path: str, disk: str | None, mounts: Path) -> None:
    assert network_disk(Path(path), mounts) == disk


def test_where_nobody_can_tell_nothing_is_said(tmp_path: Path) -> None:
    assert network_disk(Path("/home/a.journal"), tmp_path / "absent") is None


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on what the system calls a network file system."""
    folder = tmp_path / "remote"
    folder.mkdir()
    table = tmp_path / "mounts"
    table.write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {folder} rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(disks, "_MOUNTS", table)
    return folder


async def test_a_journal_with_a_log_is_refused_there(remote: Path) -> None:
    journal = remote / "a.journal"
    async with connected() as rig:
        with pytest.raises(JournalError, match=r"nfs4.*shared=True"):
            await rig.upload(phones(5), journal=journal)
        assert not rig.stored
        report = await rig.upload(phones(5), journal=Journal(journal, shared=True))
        assert report.ok
        assert UploadReport.open(journal).ok


async def test_it_is_gone_on_with_and_has_no_log(journal: Path) -> None:
    shared = Journal(journal, shared=True)
    async with connected(latency=1.0) as rig:
        upload = rig.upload(phones(50), journal=shared, batch_size=5, concurrency=2).start()
        await asyncio.sleep(3.5)
        assert not journal.with_name("upload.journal-wal").exists()
        assert UploadReport.open(journal).created_count >= 20  # while it is written
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(phones(50), journal=shared, batch_size=5, on_unknown="resend")
        assert report.created_count == 50
        assert_accounts(UploadReport.open(journal), rig.sandbox, phones(50), resent=True)


@pytest.mark.parametrize("first", ["on one host", "shared"])
async def test_one_that_was_begun_otherwise_is_gone_on_with(first: str, journal: Path) -> None:
    shared = first == "shared"
    async with connected(latency=1.0) as rig:
        options: dict[str, Any] = {"batch_size": 5, "concurrency": 1, "on_unknown": "resend"}
        upload = rig.upload(phones(20), journal=Journal(journal, shared=shared), **options).start()
        await asyncio.sleep(2.5)
        upload.cancel()
        await upload.wait_closed()
        await rig.upload(phones(20), journal=Journal(journal, shared=not shared), **options)
        assert_accounts(UploadReport.open(journal), rig.sandbox, phones(20), resent=True)
        assert UploadReport.open(journal).ok


AMID = """
import os, signal, sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA cache_size=1")
file.execute("BEGIN EXCLUSIVE")
for number in range(2000):
    file.execute("INSERT INTO meta VALUES (?, ?)", (str(number), os.urandom(5000)))
file.execute("UPDATE entry SET outcome = 'failed'")
print("written", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def stopped_amid(journal: Path) -> subprocess.Popen[str]:
    """A process that is stopped while it writes to a journal, which it has locked."""
    arguments = [sys.executable, "-c", AMID, str(journal)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


async def test_what_is_taken_over_from_a_process_that_is_stopped_amid_a_commit(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the lock for ever; what it had not committed is undone in the copy."""
    connect = sqlite3.connect

    def impatient(*args: Any, **options: Any) -> Any:
        return connect(*args, **{**options, "timeout": 0.0})

    async with connected() as rig:
        await rig.upload(phones(20), journal=Journal(journal, shared=True))
    process = stopped_amid(journal)
    try:
        monkeypatch.setattr(sqlite3, "connect", impatient)
        with pytest.raises(JournalError, match="locked by another"):
            UploadReport.open(journal)
        copy = journal.with_name("copy.journal")
        continued(journal, copy)
        assert UploadReport.open(copy).created_count == 20
        assert sorted(path.name for path in journal.parent.glob("*copy*")) == ["copy.journal"]
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
