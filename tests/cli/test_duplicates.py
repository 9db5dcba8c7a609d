"""A duplicate names the first row with its number in one way, wherever it is shown."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Outcome, Phone, PhoneResult, Problem, UploadReport, Violation
from asyncsdk.export.reasons import reason_for
from asyncsdk.ledger.run import Counts, Run
from asyncsdk.sources.inert import revive

from .kit import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

SKIP = ("--duplicates", "skip")
NAMED = re.compile(r"the same number as (?!an earlier row)((?:\S+, )?(?:row|line) \d+)")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Row 2, which is on line 4, has the number of row 3, which is on line 5."""
    path = tmp_path / "contacts.csv"
    path.write_text('Mobil;x\n0160111111;"a\nb"\n0160222222;\n0160222222;\n', encoding="utf-8")
    return path


def named(text: str) -> set[str]:
    """The places that a text names as those of first rows."""
    return set(NAMED.findall(" ".join(text.split())))


def reasons(path: Path) -> str:
    """The reasons in a file of results or rejects."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if ";" in file.readline() else ","
        file.seek(0)
        rows = csv.DictReader(file, delimiter=delimiter)
        return " ".join(revive(row["reason"] or "") for row in rows)


@pytest.mark.parametrize("command", ["upload", "check"])
def test_by_its_line_where_a_list_is_at_hand(
    sandbox: SandboxThread, pair: Path, tmp_path: Path, command: str
) -> None:
    rejects, page = tmp_path / "rejects.csv", tmp_path / "page.html"
    group = ("-g", sandbox.add_group("x")) if command == "upload" else ()
    done = run(
        *(command, pair, *group, *SKIP, "--rejects", rejects, "--html", page), sandbox=sandbox
    )
    assert named(done.stdout) == {"line 4"}
    assert done.exit_code == 0, "it was to be skipped"
    assert named(page.read_text(encoding="utf-8")) == {"line 4"}
    assert not reasons(rejects), "there is nothing to mend"
    done = run(command, pair, *group, *SKIP, "--json", sandbox=sandbox)
    assert named(done.stdout) == {"line 4"}


def test_by_its_file_too_where_there_are_several(
    sandbox: SandboxThread, pair: Path, tmp_path: Path
) -> None:
    more, page = tmp_path / "more.csv", tmp_path / "page.html"
    more.write_text("Mobil\n0160333333\n0160111111\n0160333333\n", encoding="utf-8")
    words = ("-g", sandbox.add_group("x"), *SKIP, "--html", page, "--json")
    done = run("upload", pair, more, *words, sandbox=sandbox)
    expected = {"contacts.csv, line 4", "contacts.csv, line 2", "more.csv, line 2"}
    assert named(page.read_text(encoding="utf-8")) == expected
    assert named(done.stdout) == expected


@pytest.mark.parametrize("name", ["report.jsonl", "report.csv", "report.parquet", "x.journal"])
def test_by_its_row_from_1_where_only_a_report_is(
    sandbox: SandboxThread, pair: Path, tmp_path: Path, name: str
) -> None:
    report, page, again = tmp_path / name, tmp_path / "page.html", tmp_path / "again.csv"
    option = "--journal" if name == "x.journal" else "--report"
    run("upload", pair, "-g", sandbox.add_group("x"), *SKIP, option, report, sandbox=sandbox)
    done = run("report", report, "--html", page, "--csv", again)
    assert named(done.stdout) == {"row 2"}
    assert named(page.read_text(encoding="utf-8")) == {"row 2"}
    assert named(reasons(again)) == {"row 2"}
    told = json.loads(run("report", report, "--json").stdout)
    assert not told["rejected"]
    assert [row["reason"] for row in told["skipped"]] == [
        "Duplicate phone: the same number as row 2"
    ]
    assert told["reasons"][0]["reason"] == "the same number as an earlier row"
    if report.suffix == ".csv":
        assert named(reasons(report)) == {"row 2"}


def test_an_invalid_row_that_has_the_number_of_a_later_one(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    contacts, rejects = tmp_path / "contacts.csv", tmp_path / "rejects.csv"
    long = "x" * 40
    rows = [("0160 0000001", long), ("+491600000001", "ok"), ("0160 0000001", long)]
    contacts.write_text("\n".join(["Mobil;Nr", *map(";".join, rows)]), encoding="utf-8")
    words = ("--map", "callback_data=Nr", "--normalize", "DE", *SKIP, "--rejects", rejects)
    run("upload", contacts, "-g", sandbox.add_group("x"), *words, sandbox=sandbox)
    both = reasons(rejects)
    assert named(both) == {"line 3"}
    assert both.count("the same number as line 3") == both.count("is longer than") == 2


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            lambda rule: Problem("Duplicate phone", rule.message, violations=(rule,)),
            "Duplicate phone: the same number as row 12",
        ),
        (
            lambda rule: Problem("Invalid phone", violations=(Violation("a", "is odd"), rule)),
            "a: is odd; phone: the same number as row 12",
        ),
        (
            lambda rule: Problem(detail="row 1, not row 11", violations=(rule,)),
            "row 1, not row 11",
        ),
        (lambda _: Problem("Conflict", "row 11 is there"), "Conflict: row 11 is there"),
    ],
)
@pytest.mark.parametrize("message", ["the same number as row 11", "as an earlier row"])
def test_no_sentence_is_cut_up(
    tmp_path: Path, problem: Callable[[Violation], Problem], words: str, message: str
) -> None:
    """What the core says is not searched for numbers: those of others stay as they are."""
    rule = Violation("phone", message, "duplicate", duplicate_of=11)
    result = PhoneResult(99, Phone("0160"), Outcome.INVALID, error=problem(rule))
    assert reason_for(result) == words
    report = UploadReport(
        Run(Counts(invalid=1)), lambda outcome: [result] if outcome is Outcome.INVALID else []
    )
    report.to_csv(tmp_path / "x.csv")
    assert reasons(tmp_path / "x.csv").endswith(words)


def test_a_rejects_file_is_not_said_to_have_what_was_skipped(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    path, rejects = tmp_path / "contacts.csv", tmp_path / "rejects.csv"
    path.write_text("Mobil\n0160111111\nbald\n0160111111\nspäter\n", encoding="utf-8")
    words = ("upload", path, "-g", sandbox.add_group("x"), "--normalize", "DE", "--show", 1)
    skipping = run(*words, *SKIP, "--rejects", rejects, sandbox=sandbox)
    assert f"… and 2 more: {rejects} has them, without the skipped." in skipping.stdout
    sending = run(*words, "--rejects", rejects, sandbox=sandbox)
    assert f"… and 1 more: {rejects} has them all." in sending.stdout
    without = run(*words, *SKIP, sandbox=sandbox)
    assert "… and 2 more: --rejects FILE writes them, without the skipped." in without.stdout
