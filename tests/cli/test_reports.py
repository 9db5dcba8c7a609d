"""The commands about what was uploaded, and about what the account has."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome
from asyncsdk.export.load import SavedReport
from asyncsdk.sandbox import Faults
from tests.parts import command

from .kit import COMMAND, PLAIN, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

SUFFIXES = pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])


@pytest.fixture
def stumbling(sandboxes: Callable[..., SandboxThread]) -> SandboxThread:
    """Refuses the second request for lack of funds, and does not answer the third."""
    return sandboxes(faults=Faults.script(["ok", "500-after", "402"]))


def first(sandbox: SandboxThread, contacts: Path, report: Path) -> str:
    """Upload the contacts one by one, until the funds are used up."""
    group = str(sandbox.add_group("people"))
    contacts.write_text("Name;Mobil\n" + "".join(f"N{at};0160 111111{at}\n" for at in range(6)))
    words = ["--batch-size", 1, "--concurrency", 1, "--on-unknown", "report", "--map", "a=Name"]
    words += ["--normalize", "DE"]
    done = run("upload", contacts, "-g", group, *words, "--report", report, sandbox=sandbox)
    assert done.exit_code == 4, done.output
    return group


@SUFFIXES
def test_what_failed_and_is_safe_to_send_goes_out_again(
    stumbling: SandboxThread, contacts: Path, suffix: str
) -> None:
    report = contacts.with_name(f"report.{suffix}")
    group = first(stumbling, contacts, report)
    results = list(SavedReport(report))
    failed = [one for one in results if one.outcome is Outcome.FAILED]
    unknown = [one.index for one in failed if one.delivery is Delivery.UNKNOWN]
    safe = [one for one in failed if one.delivery is not Delivery.UNKNOWN]
    assert unknown == [1]
    assert safe[0].index == 2
    done = run("retry", report, sandbox=stumbling)
    assert done.exit_code == 1, "the group is that of the report, and rows were never read"
    assert "1 phone left out: perhaps in the group already" in done.stderr
    assert "(as sent)" not in done.stderr
    read = len(results)
    assert f"ended before row {read + 1} of the list" in " ".join(done.stderr.split())
    assert f": {len(safe)} created, 0 invalid, 0 failed" in done.stdout
    stored = [(phone.phone, phone.a) for phone in stumbling.phones(int(group))]
    assert stored == [(f"+49160111111{at}", f"N{at}") for at in range(2 + len(safe))], (
        "each once, as it was to be sent, with its columns"
    )


@SUFFIXES
def test_a_report_is_told_again(stumbling: SandboxThread, contacts: Path, suffix: str) -> None:
    report = contacts.with_name(f"report.{suffix}")
    first(stumbling, contacts, report)
    page = contacts.with_name("report.html")
    done = run("report", report, "--html", page)
    assert done.exit_code == 1
    assert "1 created, 0 invalid" in done.stdout
    assert "perhaps created" in done.stdout
    assert "1 created, 0 invalid" in page.read_text(encoding="utf-8")
    assert "requests" not in done.stdout, "the file does not know"
    assert "0.0 s" not in done.stdout + page.read_text(encoding="utf-8")
    told: dict[str, Any] = json.loads(run("report", report, "--json").stdout)
    assert (told["created_count"], told["unknown_count"]) == (1, 1)
    assert (told["requests"], told["elapsed"]) == (None, None)
    assert told["rejected"][0]["delivery"] == "unknown"
    assert sum(reason["count"] for reason in told["reasons"]) == told["failed_count"]


@pytest.mark.parametrize("name", ["report.jsonl", "report.csv", "report.parquet", "x.journal"])
def test_a_report_counts_rows_from_1_throughout(
    sandbox: SandboxThread, tmp_path: Path, name: str
) -> None:
    contacts, report = tmp_path / "contacts.csv", tmp_path / name
    contacts.write_text("Mobil\n0160111111\n\n0160222222\n0160222222\n", encoding="utf-8")
    words = ("-g", sandbox.add_group("x"), "--duplicates", "skip")
    option = "--journal" if name == "x.journal" else "--report"
    run("upload", contacts, *words, option, report, sandbox=sandbox)
    done = run("report", report)
    assert " row " in done.stdout
    assert "line" not in done.stdout
    (row,) = json.loads(run("report", report, "--json").stdout)["skipped"]
    assert f" {row['row']} " in done.stdout
    assert row["row"] == row["index"] + 1
    assert f"the same number as row {row['row'] - 1}" in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", ["report.jsonl", "report.csv", "report.parquet"])
def test_what_is_no_report_is_a_usage_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert run("report", path).exit_code == 2
    path.write_text("Mobil\n0160111111\n", encoding="utf-8")
    done = run("retry", path, "-g", 1)
    assert done.exit_code == 2
    assert "is no report" in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", ["kontakte.xlsx", "report.csv", "report.jsonl"])
@pytest.mark.parametrize("words", [["report"], ["retry", "-g", "1"]])
def test_a_binary_file_is_no_report(
    sandbox: SandboxThread, tmp_path: Path, name: str, words: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 10)
    done = run(*words, path, sandbox=sandbox)
    assert done.exit_code == 2, done.output
    assert "is no report" in " ".join(done.stderr.split())


@pytest.mark.parametrize("option", ["--csv", "--jsonl", "--html"])
def test_what_cannot_be_written_is_told_first(tmp_path: Path, option: str) -> None:
    report, place = tmp_path / "report.jsonl", tmp_path / "no" / "x"
    report.write_text("no report", encoding="utf-8")
    done = run("report", report, option, place)
    assert done.exit_code == 2
    told = " ".join(done.stderr.split())
    assert f"{option} {place} cannot be written: No such file or directory" in told


def test_an_export_that_cannot_be_written_asks_nobody(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    place = tmp_path / "no" / "x.csv"
    done = run("groups", "export", 7001, place, sandbox=sandbox)
    assert (done.exit_code, sandbox.requests) == (2, [])
    told = " ".join(done.stderr.split())
    assert f"{place} cannot be written: No such file or directory" in told


@SUFFIXES
def test_hostile_cells_come_back_as_they_were(
    sandbox: SandboxThread, contacts: Path, suffix: str
) -> None:
    report = contacts.with_name(f"report.{suffix}")
    cells = ["=SUMME(A1)", "'=x", "<script>", "+49 (0)160/1", "@x", "-1+1", "'"]
    with contacts.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Name", "Mobil"], *([cell, ""] for cell in cells)])
    run("upload", contacts, "-g", sandbox.add_group("x"), "--map", "a=Name", "--report", report)
    words = ("-g", sandbox.add_group("x"), "--map", "a=Name", "--report", report)
    run("upload", contacts, *words, sandbox=sandbox)
    assert [result.phone.a for result in SavedReport(report)] == cells


def test_groups(sandbox: SandboxThread, tmp_path: Path) -> None:
    words = ("--column", "a=Vorname", "--description", "all")
    made = json.loads(run("groups", "create", "people", *words, "--json", sandbox=sandbox).stdout)
    assert (made["name"], made["name_a"], made["description"]) == ("people", "Vorname", "all")
    assert "Vorname" in run("groups", "list", sandbox=sandbox).stdout
    (listed,) = json.loads(run("groups", "list", "--json", sandbox=sandbox).stdout)
    assert listed["id"] == made["id"]
    assert "people" in run("groups", "show", "people", sandbox=sandbox).stdout
    path = tmp_path / "contacts.csv"
    path.write_text("Mobil,Name\n0160111111,=SUMME(A1)\n", encoding="utf-8")
    run("upload", path, "-g", "people", "--map", "Vorname=Name", sandbox=sandbox)
    exported = tmp_path / "export.csv"
    assert run("groups", "export", "people", exported, sandbox=sandbox).exit_code == 0
    with exported.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["phone"], row["Vorname"]) == ("0160111111", "'=SUMME(A1)")
    assert run("groups", "delete", "people", sandbox=sandbox, stdin=b"n\n").exit_code == 1
    assert len(sandbox.groups) == 1
    assert run("groups", "delete", "people", "--yes", "--quiet", sandbox=sandbox).output == ""
    assert sandbox.groups[0].deleted_at is not None
    assert run("groups", "show", "people", sandbox=sandbox).exit_code == 2


def test_groups_that_cannot_be(sandbox: SandboxThread) -> None:
    assert run("groups", "create", "x", "--column", "a", sandbox=sandbox).exit_code == 2
    assert run("groups", "create", "x" * 51, sandbox=sandbox).exit_code == 2
    assert run("groups", "show", "nobody", sandbox=sandbox).exit_code == 2
    done = run("groups", "show", 77, sandbox=sandbox)
    assert done.exit_code == 2
    assert "there is no group 77 in this account ('asyncsdk groups list'" in done.stderr


def test_me_costs_one_request(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("me", "--json", sandbox=sandbox)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["id"] == int(sandbox.client_id)
    assert len(sandbox.requests) == 1
    assert sandbox.client_id in run("me", sandbox=sandbox).stdout
    monkeypatch.setattr(type(sandbox), "api_key", "not-this-one")
    done = run("me", sandbox=sandbox)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "not-this-one" not in done.stderr


def test_the_demo_for_machines() -> None:
    done = run("demo", "--phones", 2000, "--json")
    told = json.loads(done.stdout)
    assert (told["submitted"], told["accounts_match"]) == (2000, True)


def test_the_shell_completes() -> None:
    command("bash")
    asking = {"_ASYNCSDK_COMPLETE": "complete_bash", "COMP_WORDS": "asyncsdk gr", "COMP_CWORD": "1"}
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND],
        env=dict(os.environ) | PLAIN | asking,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["groups"], done.stderr


def test_json_through_a_pipe(sandbox: SandboxThread, contacts: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, "upload", "-", "--group", str(sandbox.add_group("x")), "--json"],
        env=whole_environment(sandbox),
        input=contacts.read_bytes(),
        capture_output=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["created_count"], told["invalid_count"]) == (1, 3, 2)
    assert told["file"] == "standard input"
    assert [row["line"] for row in told["rejected"]] == [3, 5]


@SUFFIXES
def test_a_report_is_no_list(sandbox: SandboxThread, contacts: Path, suffix: str) -> None:
    report = contacts.with_name(f"report.{suffix}")
    group = ("-g", sandbox.add_group("people"))
    run("upload", contacts, *group, "--report", report, sandbox=sandbox)
    stored = len(sandbox.commits)
    done = run("upload", report, *group, sandbox=sandbox)
    assert (done.exit_code, len(sandbox.commits)) == (2, stored), done.output
    assert "is a report: 'asyncsdk retry' sends" in done.stderr


def test_a_report_knows_its_group_or_needs_one(sandbox: SandboxThread, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    line = {"index": 0, "phone": {"phone": "0160111111"}, "outcome": "failed"}
    report.write_text(json.dumps(line | {"delivery": "not_sent"}) + "\n", encoding="utf-8")
    done = run("retry", report, sandbox=sandbox)
    assert (done.exit_code, sandbox.requests) == (2, [])
    assert "give --group" in done.stderr
    line["group"] = sandbox.add_group("people")
    report.write_text(json.dumps(line | {"delivery": "not_sent"}) + "\n", encoding="utf-8")
    done = run("retry", report, sandbox=sandbox)
    assert (done.exit_code, len(sandbox.commits)) == (0, 1), done.output


@SUFFIXES
def test_a_report_says_that_rows_were_never_read(
    stumbling: SandboxThread, contacts: Path, suffix: str
) -> None:
    report = contacts.with_name(f"report.{suffix}")
    first(stumbling, contacts, report)
    saved = SavedReport(report)
    read = len(list(saved))
    assert (saved.unread_from, saved.group_id) == (read, stumbling.groups[0].id)
    assert f"before row {read + 1} of the list" in " ".join(run("report", report).stdout.split())
    told = json.loads(run("report", report, "--json").stdout)
    assert (told["complete"], told["unread_from"]) == (False, read)
