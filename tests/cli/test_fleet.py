"""An upload in partitions, on the command line."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.integrations.redis_server import RedisServer
from tests.rig import numbers

from .kit import COMMAND, KONTAKTE, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

PLAIN = ("--rate", "none")


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """Ninety phones."""
    path = tmp_path / "list.csv"
    path.write_text("Mobil;n\n" + "".join(f"{number};1\n" for number in numbers(90)))
    return path


@pytest.fixture
def state(tmp_path: Path, contacts: Path, sandbox: SandboxThread) -> Path:
    """Three partitions of them."""
    sandbox.add_group("Kunden")
    place = tmp_path / "state"
    made = run("plan", place, contacts, "-g", "Kunden", "--partition-rows", 30, sandbox=sandbox)
    assert made.exit_code == 0, made.output
    assert "3 partitions of 90 rows in 1 list" in made.output
    assert f"asyncsdk run {place} --all" in " ".join(made.output.split())
    return place


def test_one_partition_after_the_other(state: Path, sandbox: SandboxThread, contacts: Path) -> None:
    told = run("report", state)
    assert told.exit_code == 1
    assert "0 of 90 rows are settled so far" in told.output
    first = run("run", state, 0, *PLAIN, sandbox=sandbox)
    assert first.exit_code == 0, first.output
    assert "30 phones: 30 created" in first.output
    env = {"SLURM_ARRAY_TASK_ID": "1"}
    words = ("run", state, "--index-from", "SLURM_ARRAY_TASK_ID", *PLAIN, "--json")
    second = json.loads(run(*words, sandbox=sandbox, env=env).stdout)
    assert (second["partition"], second["created_count"], second["ok"]) == (1, 30, True)
    assert "60 of 90 rows are settled" in run("report", state).output
    assert run("run", state, "--all", *PLAIN, sandbox=sandbox).exit_code == 0
    before = len(sandbox.requests)
    again = run("run", state, "--all", *PLAIN, sandbox=sandbox)
    assert again.exit_code == 0
    assert "90 phones: 90 created" in again.output
    assert len(sandbox.requests) == before
    whole = json.loads(run("report", state, "--json").stdout)
    assert (whole["created_count"], whole["complete"]) == (90, True)
    table = state.with_name("all.csv")
    assert run("report", state, "--csv", table).exit_code == 0
    assert len(table.read_text(encoding="utf-8-sig").splitlines()) == 91
    again = run("plan", state, contacts, "-g", "Kunden", "--partition-rows", 30, sandbox=sandbox)
    assert again.exit_code == 0


def test_what_does_not_say_which(state: Path, sandbox: SandboxThread) -> None:
    for words, why in (
        ((), "say which partition"),
        ((1, "--all"), "say which partition"),
        ((3,), "there is no partition 3"),
        (("--index-from", "NOWHERE"), "has no index"),
        ((0, "--pace", "redis://localhost", *PLAIN), "cannot be without"),
    ):
        told = run("run", state, *words, sandbox=sandbox)
        assert told.exit_code == 2, told.output
        assert why in " ".join(told.output.split())
    assert run("run", state / "absent", 0, sandbox=sandbox).exit_code == 2
    assert not sandbox.commits


def test_a_deadline_ends_it(
    sandboxes: Callable[..., SandboxThread], contacts: Path, tmp_path: Path
) -> None:
    sandbox = sandboxes(latency=0.2)
    group = sandbox.add_group("Kunden")
    state = tmp_path / "state"
    words = ("plan", state, contacts, "-g", group, "--batch-size", 1, "--concurrency", 1)
    assert run(*words, sandbox=sandbox).exit_code == 0
    for which in ("--all", 0):
        told = run("run", state, which, *PLAIN, "--deadline", 0.5, sandbox=sandbox)
        assert told.exit_code == 4, told.output
        assert "The same command goes on." in told.output
    assert 0 < len(sandbox.commits) < 90


def test_a_list_that_was_changed(state: Path, sandbox: SandboxThread, contacts: Path) -> None:
    contacts.write_text(contacts.read_text() + "+491709999999;1\n")
    told = run("run", state, 0, sandbox=sandbox)
    assert told.exit_code == 2
    assert "was changed since the upload was planned" in " ".join(told.output.split())
    other = run("plan", state, contacts, "-g", "Kunden", sandbox=sandbox)
    assert other.exit_code == 2
    assert "--replace" in other.output
    words = ("plan", state, contacts, "-g", "Kunden", "--replace", "--json")
    made = json.loads(run(*words, sandbox=sandbox).stdout)
    assert (made["rows"], len(made["partitions"])) == (91, 1)


def test_numbers_are_skipped_across_partitions(sandbox: SandboxThread, tmp_path: Path) -> None:
    sandbox.add_group("Kunden")
    words = ("plan", tmp_path / "s", KONTAKTE, "-g", "Kunden", "--partition-rows", 300)
    how = ("--normalize", "DE", "--duplicates", "skip", "--existing", "skip", "--json")
    made = json.loads(run(*words, *how, sandbox=sandbox).stdout)
    assert made["marked"] >= 312
    told = run("run", tmp_path / "s", "--all", "--at-once", 3, *PLAIN, sandbox=sandbox)
    assert told.exit_code == 1
    assert "2,105 phones: 1,560 created, 233 invalid, 0 failed, 312 skipped" in told.output
    report = run("report", tmp_path / "s", "--html", tmp_path / "page.html")
    assert "the same number as an earlier row" in report.output
    assert "1,560" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_rejects_are_those_of_one_upload(sandbox: SandboxThread, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("Name;Mobil;Anrede\nA;0171 2222222;Frau\nB;keine;Herr\nC;0171 2222222 / 3;\n")
    how = ("--normalize", "DE", "--duplicates", "skip")
    for group in ("One", "Parts"):
        sandbox.add_group(group)
    one, parts, state = tmp_path / "one.csv", tmp_path / "parts.csv", tmp_path / "s"
    whole = ("upload", KONTAKTE, more, "-g", "One", *how, *PLAIN, "--rejects", one)
    assert run(*whole, sandbox=sandbox).exit_code == 1
    planned = ("plan", state, KONTAKTE, more, "-g", "Parts", "--partition-rows", 300, *how)
    assert run(*planned, sandbox=sandbox).exit_code == 0
    early = run("report", state, "--rejects", parts)
    assert early.exit_code == 2
    assert "--all' goes on" in " ".join(early.output.split())
    assert not parts.exists()
    assert run("run", state, "--all", *PLAIN, sandbox=sandbox).exit_code == 1
    told = run("report", state, "--rejects", parts)
    assert told.exit_code == 1, told.output
    assert "235 rows written to" in " ".join(told.output.split())
    assert parts.read_text() == one.read_text()
    # Of what is no plan, it is said how to come by one.
    assert "--rejects is for the folder" in run("report", one, "--rejects", parts).output


@pytest.mark.parametrize("option", ["--rejects", "--csv", "--jsonl", "--html"])
def test_no_output_takes_the_place_of_what_is_read(
    state: Path, sandbox: SandboxThread, contacts: Path, option: str
) -> None:
    assert run("run", state, "--all", *PLAIN, sandbox=sandbox).exit_code == 0
    files = [contacts, *state.iterdir()]
    before = [file.read_bytes() for file in files]
    for file in files:
        told = run("report", state, option, file)
        assert told.exit_code == 2, told.output
        assert "give it another name" in " ".join(told.output.split())
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_no_output_takes_the_place_of_a_journal_nor_of_its_list(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path, option: str
) -> None:
    sandbox.add_group("Kunden")
    journal, log = tmp_path / "whole.journal", tmp_path / "whole.journal-wal"
    words = ("upload", contacts, "-g", "Kunden", *PLAIN, "--journal", journal)
    assert run(*words, sandbox=sandbox).exit_code == 0
    log.touch()
    for file in (journal, log, contacts):
        told = run("report", journal, option, file)
        assert told.exit_code == 2, told.output
        assert "give it another name" in " ".join(told.output.split())


def test_rejects_of_what_is_no_plan(
    state: Path, sandbox: SandboxThread, contacts: Path, tmp_path: Path
) -> None:
    assert run("run", state, "--all", *PLAIN, sandbox=sandbox).exit_code == 0
    rejects, journal = tmp_path / "rejects.csv", tmp_path / "whole.journal"
    words = ("upload", contacts, "-g", "Kunden", *PLAIN, "--journal", journal)
    assert run(*words, sandbox=sandbox).exit_code == 0
    for file, way_out in (
        (state / "00000.journal", f"asyncsdk report {state} --rejects"),
        (journal, f"asyncsdk resume {journal} --rejects {rejects}' writes it"),
        (contacts, "--csv FILE --only invalid"),
        (tmp_path / "nothing", "No such file"),
    ):
        told = run("report", file, "--rejects", rejects)
        assert told.exit_code == 2, told.output
        assert way_out in " ".join(told.output.split())
    assert run("resume", journal, "--rejects", rejects, sandbox=sandbox).exit_code == 0
    assert rejects.exists()


def test_what_a_list_leaves_open_is_said_as_it_is_typed(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    path = tmp_path / "two.csv"
    path.write_text("Telefon;Telefon privat\n+491600000001;+491600000002\n")
    told = run("plan", tmp_path / "s", path, "-g", 1, sandbox=sandbox)
    assert told.exit_code == 2
    assert "--map phone=" in " ".join(told.output.split())


def test_a_wrong_key_ends_all(state: Path, sandbox: SandboxThread) -> None:
    env = {"ASYNCSDK_API_KEY": "wrong"}
    told = run("run", state, "--all", *PLAIN, sandbox=sandbox, env=env)
    assert told.exit_code == 3
    assert len([r for r in sandbox.requests if r.status == 401]) == 1


def test_with_a_shared_pace(state: Path, sandbox: SandboxThread) -> None:
    with RedisServer() as redis:
        env = {"ASYNCSDK_REDIS_URL": redis.url}
        words = ("run", state, "--rate", "1000/1s")
        told = run(*words, 0, sandbox=sandbox, env=env)
        assert told.exit_code == 0, told.output
        assert run(*words, "--all", sandbox=sandbox, env=env).exit_code == 0
    assert min(path.name for path in state.glob("*.journal")) > "00000-1"
    assert run("report", state).exit_code == 0
    assert len(sandbox.commits) == 90


def test_on_a_terminal_it_shows_all_of_them_and_stops(
    sandboxes: Callable[..., SandboxThread], contacts: Path, tmp_path: Path
) -> None:
    sandbox = sandboxes(latency=0.05)
    group = sandbox.add_group("Kunden")
    state = tmp_path / "state"
    words = ("plan", state, contacts, "-g", group, "--partition-rows", 30, "--batch-size", 1)
    assert run(*words, sandbox=sandbox).exit_code == 0

    def spawned() -> pexpect.spawn[str]:
        return pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], "run", str(state), "--all", *PLAIN],
            env=whole_environment(sandbox),
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=60,
        )

    child = spawned()
    child.expect(r"[1-9]\d* created")
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before or "")
    child.close()
    assert child.exitstatus == 130
    assert "The same command goes on." in shown
    assert 0 < len(sandbox.commits) < 90
    child = spawned()
    child.expect(pexpect.EOF)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before or "")
    child.close()
    assert child.exitstatus == 0, shown
    assert "90 phones: 90 created" in shown
    assert "100%" in shown
    assert max(map(len, re.split(r"[\r\n]+", shown)[1:-2])) <= 80
    assert len({commit.phone for commit in sandbox.commits}) == len(sandbox.commits) == 90
