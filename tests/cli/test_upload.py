from __future__ import annotations

import csv
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.models import Phone, Problem
from asyncsdk.rejects import rejected_rows
from asyncsdk.results import Outcome, PhoneResult
from asyncsdk.sandbox import Faults
from asyncsdk.sources import read_csv

from .kit import COMMAND, KONTAKTE, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_reasons_are_summed_up_where_not_each_row_is_listed(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Mobil\n0160 1111111\n" + "".join(f"unknown {n}\n" for n in range(7)))
    group = sandbox.add_group("x")
    words = ("upload", path, "--group", group, "--normalize", "DE")
    for show, found in ((7, False), (6, True)):
        done = run(*words, "--show", show, sandbox=sandbox)
        assert done.exit_code == 1, done.output
        lines = [line.split() for line in done.stdout.splitlines()]
        assert any(line[:2] == ["7", "phone:"] for line in lines) is found, done.stdout


def test_all_created_is_exit_code_0(sandbox: SandboxThread, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Mobil\n+4915100000001\n+4915100000002\n", encoding="utf-8")
    done = run("upload", path, "--group", sandbox.add_group("x"), sandbox=sandbox)
    assert done.exit_code == 0, done.output
    assert "2 phones: 2 created, 0 invalid, 0 failed" in done.stdout
    assert "2 rows, phone from column 'Mobil' (by its name)" in done.stderr.replace("\n", " ")


def test_rejected_rows_are_told_with_line_number_and_reason(
    sandbox: SandboxThread, contacts: Path
) -> None:
    done = run("upload", contacts, "--group", sandbox.add_group("x"), sandbox=sandbox)
    assert done.exit_code == 1
    assert "5 phones: 3 created, 2 invalid, 0 failed" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert any(line[:2] == ["3", "invalid"] for line in lines), "the row without a phone"
    assert any(line[:3] == ["5", "nobody", "invalid"] for line in lines)
    assert [commit.phone[-1] for commit in sandbox.commits] == ["1", "2", "3"]


def test_columns_are_mapped(sandbox: SandboxThread, contacts: Path) -> None:
    group = sandbox.add_group("x")
    words = ("--group", group, "--map", "a=Name", "--map", "phone=2", "--quiet")
    done = run("upload", contacts, *words, sandbox=sandbox)
    assert (done.exit_code, done.output) == (1, "")
    assert [commit.a for commit in sandbox.commits] == ["Ann", "Cem", "Eva"]


def test_rejects_can_be_mended_and_uploaded_again(sandbox: SandboxThread, contacts: Path) -> None:
    rejects = contacts.with_name("rejects.csv")
    group = ("--group", sandbox.add_group("x"))
    run("upload", contacts, *group, "--rejects", rejects, sandbox=sandbox)
    assert rejects.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = rows_of(rejects)
    own = ["file", "line", "outcome", "delivery", "reason", "phone_was"]
    assert list(rows[0]) == [*own, "Name", "Mobil", "read_as"]
    assert {row["file"] for row in rows} == {str(contacts)}
    assert [(row["line"], row["Name"], row["Mobil"]) for row in rows] == [
        ("3", "Bea", ""),
        ("5", "Dag", "nobody"),
    ]
    assert [row["outcome"] for row in rows] == ["invalid", "invalid"]
    assert [row["delivery"] for row in rows] == ["not_sent", "answered"]

    text = rejects.read_text(encoding="utf-8-sig").replace("nobody", "+4915100000004")
    rejects.write_text(text, encoding="utf-8-sig")
    again = rejects.with_name("again.csv")
    done = run("upload", rejects, *group, "--rejects", again, sandbox=sandbox)
    assert done.exit_code == 1
    assert sandbox.commits[-1].phone == "+4915100000004"
    (row,) = rows_of(again)
    assert list(row) == [*own, "Name", "Mobil", "read_as"]
    assert (row["file"], row["line"], row["Name"]) == (str(rejects), "2", "Bea")
    assert "rejects.csv, line 2" in done.stdout, "a line of which file is said"


def test_the_messy_list_names_row_number_and_reason_of_each_reject(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    words = ("--group", sandbox.add_group("x"), "--json", "--rejects", rejects)
    done = run("upload", KONTAKTE, *words, sandbox=sandbox)
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["submitted"] == 2105
    assert report["created_count"] == len(sandbox.commits)
    assert len(report["rejected"]) == report["invalid_count"] == 2105 - len(sandbox.commits)
    lines = KONTAKTE.read_bytes().decode("utf-8-sig").split("\r\n")
    text = "\n".join(lines).split("\n")
    for row in report["rejected"]:
        assert row["reason"]
        assert row["phone"] in text[row["line"] - 1]
    assert [row["line"] for row in report["rejected"]] == [
        int(row["line"]) for row in rows_of(rejects)
    ]


def test_the_list_itself_is_never_overwritten(sandbox: SandboxThread, contacts: Path) -> None:
    done = run("upload", contacts, "-g", 1, "--rejects", contacts, sandbox=sandbox)
    assert done.exit_code == 2
    assert "would overwrite the list" in done.stderr
    assert not sandbox.requests


@pytest.mark.parametrize("second", ["--report", "--html", "--journal"])
def test_no_file_of_an_upload_overwrites_another_one(
    sandbox: SandboxThread, contacts: Path, second: str
) -> None:
    """There would be no rejects to mend, where the report has their name."""
    path = contacts.with_name("out.csv")
    other = contacts.parent / "." / "x" / ".." / "out.csv"
    (contacts.parent / "x").mkdir()
    done = run("upload", contacts, "-g", 1, "--rejects", path, second, other, sandbox=sandbox)
    assert done.exit_code == 2
    assert "are both" in done.stderr
    assert not path.exists()
    assert not sandbox.requests


def test_nothing_is_where_everything_may_go(sandbox: SandboxThread, contacts: Path) -> None:
    group = sandbox.add_group("x")
    where = ("--rejects", "/dev/null", "--html", "/dev/null")
    assert run("upload", contacts, "-g", group, *where, sandbox=sandbox).exit_code == 1


def test_rejects_that_cannot_be_written_are_told_before_the_upload(
    sandbox: SandboxThread, contacts: Path
) -> None:
    rejects = contacts.with_name("gone") / "rejects.csv"
    done = run("upload", contacts, "-g", 1, "--rejects", rejects, sandbox=sandbox)
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert not sandbox.requests


def test_rejects_may_go_into_a_pipe(sandbox: SandboxThread, contacts: Path) -> None:
    pipe = contacts.with_name("pipe")
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text, encoding="utf-8-sig")
        words = ("--group", sandbox.add_group("x"), "--rejects", pipe)
        assert run("upload", contacts, *words, sandbox=sandbox).exit_code == 1
        assert len(read.result().splitlines()) == 3
    assert pipe.is_fifo()


def test_a_list_that_lost_rows_since_it_was_sent_still_has_its_account(contacts: Path) -> None:
    source = read_csv(contacts)
    problem = Problem(detail="no")
    invalid = [
        PhoneResult(index, Phone(number), Outcome.INVALID, error=problem)
        for index, number in ((1, ""), (4, "nobody"))
    ]
    report: Any = SimpleNamespace(invalid=invalid, failed=[], complete=True, submitted=5)
    contacts.write_text("Name;Mobil\nAnn;+4915100000001\nBea;\n", encoding="utf-8")
    found = list(rejected_rows(source, report))
    assert [(row.index, row.line, row.phone) for row in found] == [(1, 3, ""), (4, None, "nobody")]
    assert "changed since" in found[1].reason


def test_a_duplicate_names_the_line_of_the_first(sandbox: SandboxThread, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text('Mobil;x\n0160111111;"a\nb"\n0160222222;\n0160222222;\n', encoding="utf-8")
    words = ("--group", sandbox.add_group("x"), "--duplicates", "skip", "--json")
    (row,) = json.loads(run("upload", path, *words, sandbox=sandbox).stdout)["skipped"]
    assert (row["line"], row["index"]) == (5, 2)
    assert row["reason"].endswith("the same number as line 4")


def test_a_long_row_says_that_it_is_one(sandbox: SandboxThread, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Nr;Name;Mobil\n1;May; Eva;0160123456\n2;Ann;0160654321\n", encoding="utf-8")
    done = run("upload", path, "--group", sandbox.add_group("x"), "--json", sandbox=sandbox)
    (row,) = json.loads(done.stdout)["rejected"]
    assert row["line"] == 2
    assert "the row has 4 cells, the file 3 columns" in row["reason"]
    assert [commit.phone for commit in sandbox.commits] == ["0160654321"]


def test_hostile_cells_are_shown_as_they_are(sandbox: SandboxThread, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Mobil\n[red]x[/]\x1b[m\u202ey\n+4915100000001\n", encoding="utf-8")
    done = run("upload", path, "--group", sandbox.add_group("x"), sandbox=sandbox)
    assert r"[red]x[/]\x1b[m\u202ey" in done.stdout
    assert "\x1b" not in done.stdout


def test_standard_input_is_a_file_too(sandbox: SandboxThread, contacts: Path) -> None:
    words = ("--group", sandbox.add_group("x"), "--json")
    done = run("upload", "-", *words, sandbox=sandbox, stdin=contacts.read_bytes())
    report = json.loads(done.stdout)
    assert (report["file"], report["created_count"]) == ("standard input", 3)
    assert [row["line"] for row in report["rejected"]] == [3, 5]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--map", "phone"], "FIELD=COLUMN"),
        (["--map", "phone=Handy"], "the columns are 'Name', 'Mobil'"),
        (["--map", "a=Name", "--map", "a=Mobil"], "mapped twice"),
        (["--rate", "fast"], "REQUESTS/TIME"),
        (["--rate", "0/1s"], "at least 1"),
        (["--concurrency", "many"], "adaptive"),
        (["--concurrency", "9-3"], "must not be below"),
        (["--duplicates", "eat"], "duplicates must be one of"),
        (["--encoding", "klingon"], "no text encoding"),
        (["--group", "0"], "a whole number of at least 1"),
        (["--report", "report.txt"], "must end in .jsonl, .csv, .parquet"),
        (["--mobile-only"], "mobile_only needs normalize"),
    ],
)
def test_usage_errors_are_exit_code_2(
    sandbox: SandboxThread, contacts: Path, words: list[str], told: str
) -> None:
    done = run("upload", contacts, "--group", 7116, *words, sandbox=sandbox)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert not sandbox.requests


def test_no_credentials_are_a_usage_error(contacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASYNCSDK_CLIENT_ID", raising=False)
    monkeypatch.delenv("ASYNCSDK_API_KEY", raising=False)
    both = "set the environment variables ASYNCSDK_CLIENT_ID and ASYNCSDK_API_KEY"
    for words in (("upload", contacts, "--group", 7116), ("me",), ("groups", "list")):
        done = run(*words)
        assert done.exit_code == 2
        assert " ".join(done.stderr.split()) == f"Error: {both}", "before the list is read"
    monkeypatch.setenv("ASYNCSDK_CLIENT_ID", "1234567")
    assert "variable ASYNCSDK_API_KEY" in run("me").stderr


@pytest.mark.parametrize("name", ["contacts.csv", "contacts.jsonl"])
def test_a_list_without_phones_says_how_to_name_their_column(tmp_path: Path, name: str) -> None:
    columns = [f"Spalte {at}" for at in range(11)]
    rows = {"contacts.csv": ";".join(columns) + "\n" + ";".join("x" * 11) + "\n"}
    rows["contacts.jsonl"] = json.dumps(dict.fromkeys(columns, "x")) + "\n"
    path = tmp_path / name
    path.write_text(rows[name], encoding="utf-8")
    done = run("check", path)
    assert done.exit_code == 2
    told = " ".join(done.stderr.split())
    assert "no column looks like phones: name it with --map phone=COLUMN; the columns are" in told
    assert "'Spalte 0'" in told
    assert told.endswith("'Spalte 7' and 3 more")


def test_a_broken_file_is_found_before_anything_is_sent(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text('Mobil;Name\n0160111111;x\n0160222222;"x\n0160333333;x\n', encoding="utf-8")
    done = run("upload", path, "--group", sandbox.add_group("x"), sandbox=sandbox)
    assert done.exit_code == 2
    assert f"{path}, line 3: " in done.stderr.replace("\n", "")
    assert not sandbox.requests


def test_a_wrong_key_is_exit_code_3(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(sandbox), "api_key", "not-this-one")
    rejects = tmp_path / "rejects.csv"
    words = ("--group", sandbox.add_group("x"), "--rejects", rejects)
    done = run("upload", contacts, *words, sandbox=sandbox)
    assert done.exit_code == 3
    assert "Stopped: HTTP 401" in done.stderr
    assert "not-this-one" not in done.output
    assert [row["line"] for row in rows_of(rejects)] == ["2", "3", "4", "5", "6"]


def test_what_stops_an_upload_is_exit_code_4(
    sandboxes: Callable[..., SandboxThread], contacts: Path, tmp_path: Path
) -> None:
    sandbox = sandboxes(faults=Faults.script(["ok", "402"]))
    rejects = tmp_path / "rejects.csv"
    words = ("--batch-size", 1, "--concurrency", 1, "--rejects", rejects, "--json")
    done = run("upload", contacts, "--group", sandbox.add_group("x"), *words, sandbox=sandbox)
    assert done.exit_code == 4
    assert "Stopped: HTTP 402" in done.stderr
    report = json.loads(done.stdout)
    assert (report["created_count"], report["exit_code"]) == (1, 4)
    assert report["submitted"] + report["unread"] == 5
    assert [row["line"] for row in rows_of(rejects)] == ["3", "4", "5", "6"], "all that is missing"


def test_phones_in_doubt_are_told(sandboxes: Callable[..., SandboxThread], contacts: Path) -> None:
    sandbox = sandboxes(faults=Faults.script(["500-after"]))
    words = ("--group", sandbox.add_group("x"), "--on-unknown", "report")
    done = run("upload", contacts, *words, sandbox=sandbox)
    assert done.exit_code == 1
    assert "perhaps created" in done.stdout
    assert "may be in the group" in done.stdout


def test_a_pipe_shows_no_progress_bar(sandbox: SandboxThread, contacts: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, "upload", str(contacts), "--group", str(sandbox.add_group("x"))],
        env=whole_environment(sandbox),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 4, "what was chosen, three rows, and nothing else"
    assert "━" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_reader_that_is_gone_loses_no_rejects(
    sandbox: SandboxThread, tmp_path: Path, words: list[str]
) -> None:
    rejects = tmp_path / "rejects.csv"
    arguments = ["upload", str(KONTAKTE), "--group", str(sandbox.add_group("x")), "--rejects"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *arguments, str(rejects), "--show", "100000", *words],
        env=whole_environment(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        told = child.stderr.read()
    assert child.returncode == 1
    assert "Error" not in told
    assert "Traceback" not in told
    assert len(rows_of(rejects)) + len(sandbox.commits) == 2105


def test_check_sends_nothing(sandbox: SandboxThread, contacts: Path) -> None:
    done = run("check", contacts, "--json", sandbox=sandbox)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [row["line"] for row in report["rejected"]] == [3]
    assert not sandbox.requests


def test_check_needs_no_credentials(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Mobil\n+4915100000001\n", encoding="utf-8")
    done = run("check", path)
    assert (done.exit_code, done.stdout) == (
        0,
        (
            "1 row: 1 may be sent, 0 invalid. Nothing was sent.\n"
            "1 request, 28 bytes, at 10 requests per 1 s.\n"
        ),
    )


def test_phones_in_doubt_are_looked_up(
    sandboxes: Callable[..., SandboxThread], contacts: Path
) -> None:
    sandbox = sandboxes(faults=Faults.script(["500-after"]))
    words = ("--group", sandbox.add_group("x"), "--quiet-period", 0)
    done = run("upload", contacts, *words, sandbox=sandbox)
    assert "5 phones: 3 created, 2 invalid, 0 failed" in done.stdout, done.output
    assert "3 of 4 phones without an answer were in the group" in done.stderr
    assert len(sandbox.commits) == 3


def test_check_tells_reasons_requests_bytes_and_time(contacts: Path) -> None:
    path = contacts.with_name("many.csv")
    rows = [f"0160 {at:07}" for at in range(25)]
    path.write_text("\n".join(["Mobil", *rows, *rows[:3], "nobody"]), encoding="utf-8")
    words = ("--normalize", "DE", "--duplicates", "skip", "--batch-size", 10, "--rate", "1/2s")
    done = run("check", path, *words)
    assert done.exit_code == 1
    assert "29 rows: 25 may be sent, 1 invalid, 3 skipped. Nothing" in done.stdout
    told = "3 requests, 653 bytes, at least 0:04 at 1 request per 2 s."
    assert told in " ".join(done.stdout.split())
    assert "3 the same number as an earlier row" in " ".join(done.stdout.split())
    report = json.loads(run("check", path, *words, "--json").stdout)
    assert (report["batches"], report["bytes"]) == (3, 653)


def test_a_group_is_found_by_its_name_or_created(sandbox: SandboxThread, contacts: Path) -> None:
    group = sandbox.add_group("people", name_a="Vorname")
    words = ("--map", "Vorname=Name", "--quiet")
    assert run("upload", contacts, "-g", "people", *words, sandbox=sandbox).exit_code == 1
    assert [phone.a for phone in sandbox.phones(group)] == ["Ann", "Cem", "Eva"]
    done = run("upload", contacts, "-g", "others", sandbox=sandbox)
    assert (done.exit_code, len(sandbox.groups)) == (2, 1)
    assert "no group is named 'others'" in done.stderr
    done = run("upload", contacts, "-g", "others", "--create-group", sandbox=sandbox)
    assert [(group.name, group.count_items) for group in sandbox.groups][1:] == [("others", 3)]
    sandbox.add_group("people")
    done = run("upload", contacts, "-g", "people", sandbox=sandbox)
    assert (done.exit_code, "several groups" in done.stderr) == (2, True)


def test_check_knows_the_names_of_a_group(sandbox: SandboxThread, contacts: Path) -> None:
    sandbox.add_group("people", name_a="Vorname")
    words = ("-g", "people", "--map", "Vorname=Name", "-v")
    done = run("check", contacts, *words, sandbox=sandbox)
    assert "a from column 'Name'" in done.stderr
    assert "GET /groups" in done.stderr, "-v tells the requests"
    assert sandbox.api_key not in done.output
    done = run("check", contacts, "-g", "nobody", "--map", "Vorname=Name", sandbox=sandbox)
    assert (done.exit_code, sandbox.commits) == (2, [])


@pytest.mark.parametrize("words", [(), ("--on-unknown", "report"), ("--map", "Ort=Name")])
def test_a_group_that_is_not_there_is_named(
    sandbox: SandboxThread, contacts: Path, words: tuple[str, ...]
) -> None:
    done = run("upload", contacts, "-g", 4711, *words, sandbox=sandbox)
    assert done.exit_code == 4
    told = " ".join(done.stderr.split())
    assert "there is no group 4711 in this account" in told
    assert "'asyncsdk groups list' shows them all" in told


def test_phones_that_failed_alike_are_one_line(
    sandboxes: Callable[..., SandboxThread], contacts: Path
) -> None:
    sandbox = sandboxes(faults=Faults.script(["402"]))
    rows = [f"0160{at:06}" for at in range(500)]
    contacts.write_text("\n".join(["Mobil", "", *rows]), encoding="utf-8")
    rejects = contacts.with_name("rejects.csv")
    words = ("-g", sandbox.add_group("x"), "--batch-size", 100, "--concurrency", 1)
    done = run("upload", contacts, *words, "--show", 0, "--rejects", rejects, sandbox=sandbox)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert sum("Payment Required" in line for line in lines) == 1, done.stdout
    assert any(line.startswith("100 failed") for line in lines)
    assert f"400 rows of the list ({rejects} has them all)" in " ".join(lines)


def test_a_field_that_is_none_names_those_there_are(sandbox: SandboxThread, contacts: Path) -> None:
    group = sandbox.add_group("x", name_b="Ort")
    done = run("upload", contacts, "-g", group, "--map", "fon=Name", sandbox=sandbox)
    assert done.exit_code == 2
    assert "no field 'fon'" in done.stderr
    assert "'Ort'" in done.stderr


def test_several_lists_are_one_upload_with_one_rejects_file(
    sandbox: SandboxThread, contacts: Path
) -> None:
    more = contacts.with_name("more.csv")
    more.write_text("Mobil,Notiz\n=nobody,=SUMME(A1)\n0160999999,x\n", encoding="utf-8")
    rejects = contacts.with_name("rejects.csv")
    words = ("--group", sandbox.add_group("x"), "--rejects", rejects)
    done = run("upload", contacts, more, *words, sandbox=sandbox)
    assert "7 phones: 4 created, 3 invalid" in done.stdout, done.output
    assert "more.csv, line 2" in done.stdout
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(row["file"], row["line"]) for row in rows] == [
        (str(contacts), "3"),
        (str(contacts), "5"),
        (str(more), "2"),
    ]
    assert (rows[2]["Mobil"], rows[2]["Notiz"]) == ("'=nobody", "'=SUMME(A1)"), "no formula"
    again = read_csv(rejects, columns={"a": "Notiz"})
    assert list(again)[2] == Phone("=nobody", a="=SUMME(A1)"), "read as it was"


def test_requests_are_told_without_the_key(sandbox: SandboxThread, contacts: Path) -> None:
    done = run("upload", contacts, "-g", sandbox.add_group("x"), "-v", sandbox=sandbox)
    assert "POST /groups/" in done.stderr
    assert sandbox.api_key not in done.output


def test_reports_are_written(sandbox: SandboxThread, contacts: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("jsonl", "csv", "parquet", "html")}
    for name, path in files.items():
        option = "--html" if name == "html" else "--report"
        group = sandbox.add_group(name)
        run("upload", contacts, "-g", group, option, path, "--quiet", sandbox=sandbox)
    assert len(files["jsonl"].read_text(encoding="utf-8").splitlines()) == 5
    assert len(files["csv"].read_text(encoding="utf-8").splitlines()) == 6
    assert files["parquet"].read_bytes()[:4] == b"PAR1"
    assert "5 phones: 3 created, 2 invalid" in files["html"].read_text(encoding="utf-8")
