"""What is chosen is shown, what is not clear is asked, and both hold when rejects are uploaded."""

from __future__ import annotations

import csv
import gzip
import json
import os
import threading
from typing import TYPE_CHECKING

import pexpect
import pytest

from asyncsdk import UploadReport
from asyncsdk.errors import SourceError
from asyncsdk.sandbox import Faults
from asyncsdk.sources import read
from tests.parts import module
from tests.sources.books import workbook

from .kit import COMMAND, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

TWO = "Name,Handy,Mobil\nAnna,0171 1234560,0171 1234561\nBert,folgt,0171 1234562\n"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.csv"
    path.write_text(TWO, encoding="utf-8")
    return path


def test_three_rows_are_shown_as_they_would_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [f"{name};0171 123456{at}" for at, name in enumerate("ABCDE")]
    path.write_text("\n".join(["Name;Mobil", "X;", *rows]), encoding="utf-8")
    done = run("check", path, "--normalize", "DE", "--map", "a=Name")
    assert done.stderr.splitlines()[1:] == [
        f"  line {at}: +49171123456{at - 3} (from '0171 123456{at - 3}'), a='{'ABC'[at - 3]}'"
        for at in (3, 4, 5)
    ]


def test_elsewhere_the_question_is_a_refusal(two: Path, sandbox: SandboxThread) -> None:
    done = run("upload", two, "-g", sandbox.add_group("x"), sandbox=sandbox)
    assert done.exit_code == 2
    assert f"{two}: several columns could be the phones: name one" in done.stderr
    assert "--map phone=Mobil (in 2 of the first 2 rows); --map phone=Handy (in 1" in done.stderr
    assert not sandbox.commits


def asked(two: Path, sandbox: SandboxThread, *words: object) -> pexpect.spawn[str]:
    group = str(sandbox.add_group("x"))
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "upload", str(two), "--group", group, *map(str, words)],
        env=whole_environment(sandbox),
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=60,
    )


def test_on_a_terminal_it_is_asked(two: Path, sandbox: SandboxThread, tmp_path: Path) -> None:
    journal = tmp_path / "x.journal"
    child = asked(two, sandbox, "--journal", journal)
    child.expect("1 to 2, or 0 to stop")
    assert "Mobil (in 2 of the first 2 rows): 0171 1234561, 0171 1234562" in (child.before or "")
    child.sendline("7")
    child.expect("1 to 2, or 0 to stop")
    child.sendline("1")
    child.expect(pexpect.EOF)
    assert "as answered" in (child.before or "")
    assert [commit.phone for commit in sandbox.commits] == ["0171 1234561", "0171 1234562"]
    assert len(list(UploadReport.open(journal).created)) == 2
    again = run("upload", two, "-g", sandbox.groups[0].id, "--journal", journal, sandbox=sandbox)
    assert "is already finished" in again.stderr, "who was asked once is not asked again"
    done = run("resume", journal, sandbox=sandbox)
    assert "is already finished" in done.stderr, "it knows the answer"


def test_no_answer_is_asked_for_again(
    two: Path, sandboxes: Callable[..., SandboxThread], tmp_path: Path
) -> None:
    """Of several lists, of sheets and of columns in them; the account is empty on the way."""
    sandbox = sandboxes(faults=Faults.script(["ok", "402"]))
    other, book = tmp_path / "other.csv", tmp_path / "book.xlsx"
    other.write_text(TWO.replace("Handy,Mobil", "Mobil,Handy"), encoding="utf-8")
    rows = [["Name", "Handy", "Mobil"], ["Anna", "0171 1234563", "0171 1234564"]]
    workbook(book, {"Mai": rows, "Juni": [*rows, ["Bert", "", "0171 1234565"]]})
    journal = tmp_path / "x.journal"
    words = ("--batch-size", 1, "--concurrency", 1, "--journal", journal)
    child = asked(two, sandbox, other, book, *words)
    for about, answer in (("two.csv", "1"), ("other.csv", "1"), ("sheet", "2"), ("book.xlsx", "1")):
        child.expect("1 to [23], or 0 to stop")
        assert about in (child.before or "")
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, len(sandbox.commits)) == (4, 1)
    done = run("resume", journal, sandbox=sandbox)
    assert done.exit_code == 0, done.output
    assert [commit.phone for commit in sandbox.commits] == [
        *("0171 1234561", "0171 1234562"),
        *("0171 1234561", "0171 1234562"),
        *("0171 1234564", "0171 1234565"),
    ]


def test_who_does_not_answer_sends_nothing(two: Path, sandbox: SandboxThread) -> None:
    child = asked(two, sandbox)
    child.expect("1 to 2, or 0 to stop")
    child.sendline("0")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, list(sandbox.commits)) == (2, [])


def test_a_named_pipe_is_read_once_and_that_is_enough(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("Mobil\n+491711234560\nx\n",))
    writer.start()
    rejects = tmp_path / "rejects.csv"
    words = ("-g", sandbox.add_group("x"), "--normalize", "DE", "--rejects", rejects)
    done = run("upload", pipe, *words, sandbox=sandbox)
    writer.join()
    assert "2 phones: 1 created, 1 invalid" in done.stdout, done.output
    assert [row.cells[6] for row in read(rejects).rows()] == ["x"]


def test_numbers_in_json_from_standard_input(sandbox: SandboxThread) -> None:
    words = ("upload", "-", "-g", sandbox.add_group("x"))
    run(*words, sandbox=sandbox, stdin=b"[491711234560, 491711234561]")
    assert len(sandbox.commits) == 2


def test_rejects_for_a_german_spreadsheet(
    sandbox: SandboxThread, two: Path, tmp_path: Path
) -> None:
    words = ("-g", sandbox.add_group("x"), "--map", "phone=Handy", "--rejects")
    for region, delimiter in (("DE", ";"), ("CH", ";"), ("GB", ",")):
        path = tmp_path / f"{region}.csv"
        run("upload", two, *words, path, "--normalize", region, sandbox=sandbox)
        raw = path.read_bytes()
        assert raw.startswith(b'\xef\xbb\xbf"file"' + delimiter.encode() + b'"line"'), region


def test_rejects_as_a_workbook_have_texts_in_all_cells(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    path, rejects = tmp_path / "list.csv", tmp_path / "rejects.xlsx"
    path.write_text("Nr;Mobil;Notiz\n007;x;=A1\n'08;y;'=B2\n+9;z;1e5\n", encoding="utf-8")
    words = ("-g", sandbox.add_group("x"), "--map", "phone=Mobil", "--normalize", "DE")
    run("upload", path, *words, "--rejects", rejects, sandbox=sandbox)
    book = module("python_calamine").CalamineWorkbook.from_path(rejects)
    header, *rows = book.get_sheet_by_index(0).to_python()
    assert header[6:] == ["Nr", "Mobil", "Notiz", "read_as"]
    assert rows[0][6:9] == ["007", "x", "'=A1"]
    assert all(isinstance(cell, str) for row in rows for cell in row)
    assert json.loads(rows[0][9]) == {"phone": "Mobil", "normalize": "DE"}
    again = [row.cells[6:9] for row in read(rejects).rows()]
    assert again == [["007", "x", "=A1"], ["'08", "y", "'=B2"], ["+9", "z", "1e5"]]


def test_the_options_hold_again_and_may_be_overridden(
    sandbox: SandboxThread, two: Path, tmp_path: Path
) -> None:
    rejects, group = tmp_path / "rejects.csv", sandbox.add_group("x")
    words = ("--map", "phone=Handy", "--map", "a=Name", "--normalize", "DE", "--mobile-only")
    run("upload", two, "-g", group, *words, "--rejects", rejects, sandbox=sandbox)
    rejects.write_text(rejects.read_text("utf-8-sig").replace("folgt", "0171/1234569"), "utf-8")
    done = run("upload", rejects, "-g", group, sandbox=sandbox)
    assert "as noted in" in done.stderr
    assert "--normalize DE --mobile-only" in " ".join(done.stderr.split())
    assert [(c.phone, c.a) for c in sandbox.commits][1:] == [("+491711234569", "Bert")]
    run("upload", rejects, "-g", group, "--normalize", "AT", "--map", "a=line", sandbox=sandbox)
    assert [(c.phone, c.a) for c in sandbox.commits][2:] == [], "Vienna has no mobiles"


def test_a_column_that_is_gone_is_named(sandbox: SandboxThread, two: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    words = ("-g", sandbox.add_group("x"), "--map", "phone=Handy", "--normalize", "DE")
    run("upload", two, *words, "--rejects", rejects, sandbox=sandbox)
    text = rejects.read_text("utf-8-sig").replace('"Handy";', '"Telefon";', 1)
    rejects.write_text(text, "utf-8")
    done = run("upload", rejects, *words[:2], sandbox=sandbox)
    assert (done.exit_code, "there is no column 'Handy'" in done.stderr) == (2, True)


def test_check_lists_every_row_with_its_number(two: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    words = ("--map", "phone=Handy", "--normalize", "DE", "--report", report, "--json")
    told = json.loads(run("check", two, *words).stdout)
    assert told["lists"] == [{"file": str(two), "columns": {"phone": "Handy"}, "notes": []}]
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(row["line"], row["phone"], row["number"], row["outcome"]) for row in rows] == [
        ("2", "0171 1234560", "'+491711234560", "would be sent"),
        ("3", "folgt", "", "invalid"),
    ]
    with pytest.raises(SourceError, match="is a report"):
        read(report)


def test_check_warns_of_what_looks_wrong(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = ["4,91711E+11", "unbekannt", "0171 123456 / 0171 123457", "<td>0171</td>", "12.11.2024"]
    rows += ["+491711234560", "0171 1234560", "-1711234518", "123", "491711234560.00"]
    path.write_text("\n".join(["Name;Mobil", *(f"x;{row}" for row in rows)]), encoding="utf-8")
    told = " ".join(run("check", path).stdout.split())
    assert "Warning: without --normalize" in told
    for what in (
        *("1 rounded by a spreadsheet: the last digits are lost (line 2)",),
        *("2 words or markup, not a number alone (line 3)", "1 two numbers in one cell (line 4)"),
        *("1 a date (line 6)", "1 without its country (line 8)"),
        *("1 negative: a spreadsheet took it for a sum (line 9)", "dialled (line 10)"),
        "1 decimals behind it (line 11)",
    ):
        assert what in told, what
    assert "Warning" not in run("check", path, "--normalize", "DE").stdout


@pytest.mark.parametrize("command", ["check", "upload"])
def test_what_unpacks_to_too_much_is_allowed_by_an_option(
    command: str, sandbox: SandboxThread, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv.gz"
    rows = [f"0160{at * 7919 % 10_000_000:07}" for at in range(2000)]
    path.write_bytes(gzip.compress("\n".join(["Mobil", *rows]).encode()))
    group = [] if command == "check" else ["--group", sandbox.add_group("x")]
    for place, given in ((path, b""), ("-", path.read_bytes())):
        words = (command, place, *group)
        done = run(*words, "--max-bytes", 5000, sandbox=sandbox, stdin=given)
        assert done.exit_code == 2
        assert "unpacks to more than 5,000 bytes" in done.stderr
        assert "--max-bytes" in done.stderr
        assert run(*words, "--max-bytes", 50_000, sandbox=sandbox, stdin=given).exit_code == 0
