"""A process that is forked while a journal is in use has nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from asyncsdk import JournalError, UploadReport
from asyncsdk.ledger.journal.lock import Lock
from asyncsdk.sandbox.thread import SandboxThread
from tests.rig import assert_accounts, phones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARENT = """
import asyncio, gc, os, sys, warnings
from asyncsdk import Client, UploadReport
from asyncsdk.ledger.journal import forks
from tests.rig import phones
warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what this is about
url, group, journal, how = sys.argv[1:]

def child(upload):
    if how == "leaves":
        whole = len(before.created) == before.created_count
        forks._inherited.clear()  # as when the interpreter ends: they are closed
        gc.collect()
        os._exit(0 if whole else 1)
    if how == "looks":
        assert UploadReport.open(journal).stopped_by == "running"
        assert len(before.created) == before.created_count
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)

async def main():
    global before
    async with Client("1234567", "k", base_url=url, rate=None) as client:
        source = phones(20_000)
        upload = client.phones.upload(int(group), source, journal=journal, batch_size=20, rate=None)
        upload.start()
        while upload.progress.created < 400:
            await asyncio.sleep(0)
        before = UploadReport.open(journal)
        len(before.created)
        for _ in range(20 if how == "leaves" else 1):
            for _ in range(3):
                await asyncio.sleep(0)
            pid = os.fork()
            if not pid:
                child(upload)
            if how == "leaves":
                assert os.waitpid(pid, 0)[1] == 0
        report = await upload
    print(report, flush=True)
    if how == "dies":
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@contextmanager
def parent(sandbox: SandboxThread, group: int, journal: Path, how: str) -> Iterator[list[str]]:
    """Run it to its end, and keep what it forked; gives what it said."""
    arguments = [sys.executable, "-c", PARENT, sandbox.url, str(group), str(journal), how]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        if how != "leaves":
            said.append(process.stdout.readline())
        try:
            yield said
        finally:
            for line in said:
                if line.strip().isdigit():
                    with suppress(ProcessLookupError):
                        os.kill(int(line), signal.SIGKILL)


@pytest.mark.parametrize("how", ["waits", "looks", "dies"])
def test_a_fork_that_goes_on_keeps_nobody_from_the_journal(how: str, journal: Path) -> None:
    with SandboxThread(client_id="1234567", api_key="k") as sandbox:
        group = sandbox.add_group("people")
        with parent(sandbox, group, journal, how) as said:
            assert any(line.startswith("20,000 phones: 20,000 created") for line in said), said
            child = next(int(line) for line in said if line.strip().isdigit())
            os.kill(child, 0)  # it is still there
            assert UploadReport.open(journal).complete
            lock = Lock(journal)
            lock.acquire()
            lock.release()
        assert_accounts(UploadReport.open(journal), sandbox, phones(20_000))


def test_forks_that_end_while_it_is_in_use_do_it_no_harm(journal: Path) -> None:
    """Their connections to it are closed with them, amid whatever the parent does."""
    with SandboxThread(client_id="1234567", api_key="k") as sandbox:
        group = sandbox.add_group("people")
        with parent(sandbox, group, journal, "leaves") as said:
            assert said[0].startswith("20,000 phones: 20,000 created"), said
        alone = journal.rename(journal.with_name("alone"))  # a report was open: its log is there
        assert_accounts(UploadReport.open(alone), sandbox, phones(20_000))


CHILD = """
import asyncio, os, sys, warnings
from pathlib import Path
from asyncsdk import Journal, JournalError
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.run import Run
warnings.simplefilter("ignore", DeprecationWarning)

async def main():
    ledger = JournalLedger(Journal(Path(sys.argv[1])), 1)
    await ledger.open(Run)
    if os.fork() == 0:
        try:
            ledger.exhausted()
            await ledger.room()
        except JournalError as error:
            print(error, flush=True)
        os._exit(0)
    os.wait()
    await ledger.close(Run())

asyncio.run(main())
"""


def test_a_fork_does_not_upload_in_the_name_of_its_parent(journal: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(journal)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "belongs to the process that this one was forked from" in done.stdout
    assert UploadReport.open(journal).complete


def test_a_lock_that_a_fork_has_inherited_is_its_parents(journal: Path) -> None:
    lock = Lock(journal)
    lock.acquire()
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        lock.forsake()
        lock.release()  # nothing is left to release
        os.write(writes, b"x")
        os.close(writes)
        signal.pause()
    os.read(reads, 1)
    try:
        with pytest.raises(JournalError, match=f"in use by process {os.getpid()}"):
            Lock(journal).acquire()
        lock.release()
        again = Lock(journal)
        again.acquire()
        again.release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reads)
        os.close(writes)
