"""An upload that keeps a journal, on the command line."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Journal, UploadReport
from asyncsdk.ledger.journal.ledger import JournalLedger
from asyncsdk.ledger.run import Run
from tests.journal.moments import HeldBatch

from .kit import COMMAND, KONTAKTE, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

OPTIONS = ("--normalize", "DE", "--duplicates", "skip", "--batch-size", "100", "--rate", "none")
SLOW = ("--concurrency", "1", "--quiet-period", "0", "--show", "3")


@pytest.fixture
def interrupted(sandboxes: Callable[..., SandboxThread], tmp_path: Path) -> SandboxThread:
    """A sandbox, and beside `k.journal` what an upload left that was killed or stopped there."""
    found: list[subprocess.Popen[bytes]] = []

    def latency(number: int) -> float:
        if number == 8 and found:
            found[0].send_signal(signal.SIGINT)
        return 0.02

    sandbox = sandboxes(latency=latency)
    group = sandbox.add_group("Kunden")
    words = ["upload", KONTAKTE, "-g", group, *OPTIONS, *SLOW, "--journal", tmp_path / "k.journal"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *map(str, words), "--rejects", str(tmp_path / "rejects.csv")],
        env=whole_environment(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        found.append(process)
        out, err = process.communicate()
    assert process.returncode == 130, err
    told = (out + err).decode()
    assert told.count("asyncsdk resume") == 1, "it is said once, and last"
    assert err.decode().rstrip().endswith("k.journal' goes on.")
    assert told.count("Interrupted.") == 1
    assert b"asyncsdk report" in out, "where the rows are that are not listed"
    assert b"look there before" not in out, "the journal does"
    assert not (tmp_path / "rejects.csv").exists()
    return sandbox


def test_an_interrupted_upload_goes_on(interrupted: SandboxThread, tmp_path: Path) -> None:
    journal, rejects = tmp_path / "k.journal", tmp_path / "rejects.csv"
    before = len(interrupted.commits)
    assert 0 < before < 1560
    told = run("report", journal)
    assert told.exit_code == 1
    assert "asyncsdk resume" in told.output
    assert "look there before" not in told.output
    page = tmp_path / "page.html"
    run("report", journal, "--html", page)
    assert "asyncsdk resume" in page.read_text(encoding="utf-8")
    assert "asyncsdk upload" not in page.read_text(encoding="utf-8")
    refused = run("retry", journal, sandbox=interrupted)
    assert refused.exit_code == 2
    assert "was not finished" in refused.output

    result = run("resume", journal, "--rejects", rejects, sandbox=interrupted)
    assert result.exit_code == 1, result.output
    assert "2,105 phones: 1,560 created, 233 invalid, 0 failed, 312 skipped" in result.output
    stored = [commit.phone for commit in interrupted.commits]
    assert len(stored) == len(set(stored)) == 1560
    assert len(rejects.read_text(encoding="utf-8-sig").splitlines()) > 233

    again = run("resume", journal, sandbox=interrupted)
    assert again.exit_code == 1
    assert "is already finished: nothing was sent" in " ".join(again.stderr.split())
    assert "goes on" not in again.stderr
    assert len(interrupted.commits) == 1560


def test_a_finished_journal_is_a_report(sandbox: SandboxThread, tmp_path: Path) -> None:
    journal, group = tmp_path / "k.journal", sandbox.add_group("Kunden")
    words = ("upload", KONTAKTE, "-g", "Kunden", *OPTIONS, "--quiet-period", 0)
    run(*words, "--journal", journal, sandbox=sandbox)
    told = run(
        "report", journal, "--csv", tmp_path / "a.csv", "--jsonl", tmp_path / "a.jsonl",
        "--only", "invalid", "--html", tmp_path / "a.html", "--show", 2,
    )  # fmt: skip
    assert told.exit_code == 1
    assert "2,105 phones: 1,560 created, 233 invalid, 0 failed, 312 skipped" in told.output
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 233
    assert UploadReport.open(journal).created_count == 1560
    assert run("retry", journal, sandbox=sandbox).exit_code == 0
    assert len(sandbox.phones(group)) == 1560


def test_what_cannot_be_resumed(sandbox: SandboxThread, tmp_path: Path, contacts: Path) -> None:
    group = sandbox.add_group("Kunden")
    journal = tmp_path / "k.journal"
    assert "there is no journal" in run("resume", journal, sandbox=sandbox).output
    assert "is no journal" in run("resume", contacts, sandbox=sandbox).output
    piped = run(
        "upload", "-", "-g", group, "--journal", journal, sandbox=sandbox,
        stdin=contacts.read_bytes(),
    )  # fmt: skip
    assert piped.exit_code == 1
    result = run("resume", journal, sandbox=sandbox)
    assert result.exit_code == 2
    assert "came from standard input: pipe it once more" in result.output
    again = run(
        "upload", "-", "-g", group, "--journal", journal, sandbox=sandbox,
        stdin=contacts.read_bytes(),
    )  # fmt: skip
    assert again.exit_code == 1
    assert len(sandbox.phones(group)) == 3

    contacts.write_text("Mobil\n+4915100000009\n", encoding="utf-8")
    other = run("upload", contacts, "-g", group, "--journal", journal, sandbox=sandbox)
    assert other.exit_code == 4
    assert "is not the one" in other.output


def test_names_of_files_that_are_no_text(sandbox: SandboxThread, tmp_path: Path) -> None:
    """A name of a file is bytes: those of an old archive may be in any encoding."""
    folder = tmp_path / os.fsdecode(b"list\xff")
    folder.mkdir()
    contacts, journal, rejects = folder / "k.csv", folder / "k.journal", folder / "rejects.xlsx"
    contacts.write_text("Name;Mobil\nAnna;+4915100000001\nBert;+49151 / 2\n")
    words = ("--group", sandbox.add_group("x"), "--normalize", "DE", "--journal", journal)
    done = run("upload", contacts, *words, "--rejects", rejects, sandbox=sandbox)
    assert done.exit_code == 1
    assert run("resume", journal, sandbox=sandbox).exit_code == 1
    assert run("check", rejects).exit_code == 1
    assert len(sandbox.commits) == 1


def test_a_journal_of_a_program(sandbox: SandboxThread, tmp_path: Path) -> None:
    async def begin() -> None:
        ledger = JournalLedger(Journal(tmp_path / "p.journal"), 1)
        await ledger.open(Run)
        await ledger.close(Run())

    asyncio.run(begin())
    journal = tmp_path / "p.journal"
    result = run("resume", journal, sandbox=sandbox)
    assert result.exit_code == 2
    assert "make the same call" in " ".join(result.output.split())


def test_an_unfinished_journal_of_a_program(sandbox: SandboxThread, tmp_path: Path) -> None:
    async def begin() -> None:
        ledger = JournalLedger(Journal(tmp_path / "p.journal"), 1)
        await ledger.open(Run)
        await ledger.close(Run(complete=False))

    asyncio.run(begin())
    for done in (
        run("report", tmp_path / "p.journal"),
        run("retry", tmp_path / "p.journal", sandbox=sandbox),
    ):
        told = " ".join(done.output.split())
        assert "he same call of client.phones.upload with journal=" in told
        assert "asyncsdk resume" not in told


def test_a_journal_goes_on_with_its_own_options(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "k.journal"
    words = ("upload", contacts, "-g", sandbox.add_group("x"), "--journal", journal)
    options = ("--normalize", "DE", "--map", "a=Name", "--map", "phone=Mobil")
    run(*words, *options, sandbox=sandbox)
    done = run(*words, "--duplicates", "skip", sandbox=sandbox)
    told = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "begun with other options (--map, --normalize, --duplicates)" in told
    assert "k.journal' goes on with those it was begun with" in told
    assert "asyncsdk resume" in told
    again = ("--normalize", "DE", "--map", "phone=Mobil", "--map", "a=Name", "--rate", "5/1s")
    done = run(*words, *again, sandbox=sandbox)
    assert done.exit_code == 1, "the order of the columns and the pace do not matter"
    assert "already finished" in done.stderr


def test_a_journal_from_before_the_columns_were_called_so(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "k.journal"
    words = ("upload", contacts, "-g", sandbox.add_group("x"), "--journal", journal)
    run(*words, "--map", "phone=Mobil", sandbox=sandbox)
    with closing(sqlite3.connect(journal)) as file, file:
        changed = file.execute(
            "UPDATE meta SET value = replace(value, 'columns', 'mapping') WHERE key = 'notes'"
        )
        assert changed.rowcount == 1
    file.close()
    done = run(*words, "--map", "phone=Tel", sandbox=sandbox)
    assert "begun with other options (--map)" in " ".join(done.stderr.split())
    for same in ((*words, "--map", "phone=Mobil"), ("resume", journal)):
        done = run(*same, sandbox=sandbox)
        assert "already finished" in done.stderr, done.output


def test_a_piped_list_goes_on_with_its_own_options(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path
) -> None:
    journal, stdin = tmp_path / "k.journal", contacts.read_bytes()
    words = ("upload", "-", "-g", sandbox.add_group("x"), "--journal", journal)
    options = ("--normalize", "DE", "--batch-size", 1, "--no-header", "--map", "a=1")
    run(*words, *options, sandbox=sandbox, stdin=stdin)
    typed = f"asyncsdk upload - --group {sandbox.groups[0].id} --map a=1 --normalize DE --no-header"
    for done in (
        run("resume", journal, sandbox=sandbox),
        run(*words, sandbox=sandbox, stdin=stdin),
    ):
        assert done.exit_code == 2
        assert typed in " ".join(done.stderr.split())
    done = run(*words, *options, sandbox=sandbox, stdin=stdin)
    assert "already finished" in done.stderr


def test_what_is_no_journal_does_not_go_on(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path
) -> None:
    other = tmp_path / "kontakte.xlsx"
    other.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 10)
    done = run("upload", contacts, "-g", 1, "--journal", other, sandbox=sandbox)
    assert "goes on" not in done.output
    assert "is no journal" in " ".join(done.stderr.split())


def test_a_journal_does_not_overwrite_the_list(sandbox: SandboxThread, contacts: Path) -> None:
    before = contacts.read_bytes()
    result = run("upload", contacts, "-g", 1, "--journal", contacts, sandbox=sandbox)
    assert result.exit_code == 2
    assert "is the list itself" in " ".join(result.output.split())
    assert contacts.read_bytes() == before


def test_a_journal_of_an_upload_that_still_runs(sandbox: SandboxThread, tmp_path: Path) -> None:
    journal = tmp_path / "p.journal"

    async def look() -> None:
        ledger = JournalLedger(Journal(journal), sandbox.add_group("x"))
        await ledger.open(Run)
        batch = HeldBatch()
        ledger.read(0, b"[]", [batch], [])
        await ledger.sending(batch)
        told = await asyncio.to_thread(run, "report", journal, "--csv", tmp_path / "a.csv")
        assert told.exit_code == 1
        assert "0 phones: 0 created, 0 invalid, 0 failed" in told.output
        assert "This upload still runs" in told.output
        assert "goes on" not in told.output
        assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 1
        refused = await asyncio.to_thread(run, "retry", journal, sandbox=sandbox)
        assert refused.exit_code == 2
        assert "still runs" in " ".join(refused.output.split())
        await ledger.close(Run(complete=False))

    asyncio.run(look())
    assert UploadReport.open(journal).unknown_count == 2
