"""`--existing skip`: what the group holds already is neither sent nor to be mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import UploadReport

from .kit import run

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

OPTIONS = ("--normalize", "DE", "--existing", "skip", "--duplicates", "skip")


@pytest.fixture
def group(sandbox: SandboxThread) -> int:
    found = sandbox.add_group("people")
    sandbox.hold(found, ["+49 160 1111111", "0170/2222222"])
    return found


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    path = tmp_path / "contacts.csv"
    numbers = ["0160 1111111", "0049-170-2222222", "0171 3333333", "+49 171 3333333"]
    path.write_text("\n".join(["Mobil", *numbers]), encoding="utf-8")
    return path


def test_all_others_were_created_is_a_success(
    sandbox: SandboxThread, group: int, contacts: Path, tmp_path: Path
) -> None:
    rejects, page, report = (tmp_path / name for name in ("rejects.csv", "page.html", "all.jsonl"))
    words = ("--rejects", rejects, "--html", page, "--report", report)
    done = run("upload", contacts, "-g", group, *OPTIONS, *words, sandbox=sandbox)
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert "4 phones: 1 created, 0 invalid, 0 failed, 3 skipped" in text
    assert "2 Existing phone: in the group already" in text
    assert "1 the same number as an earlier row" in text
    assert [commit.phone for commit in sandbox.commits] == ["+491713333333"]
    assert len(rejects.read_text(encoding="utf-8-sig").splitlines()) == 1, "nothing to mend"
    html = page.read_text(encoding="utf-8")
    assert "in the group already" in html
    assert "3 skipped" in html
    assert "Send it again" not in html
    told = json.loads(run("report", report, "--json").stdout)
    assert (told["skipped_count"], told["ok"], told["rejected"]) == (3, True, [])
    assert run("report", report).exit_code == 0


@pytest.mark.parametrize("name", ["report.jsonl", "report.csv", "report.parquet", "x.journal"])
def test_a_report_says_which_kind_it_was(
    sandbox: SandboxThread, group: int, contacts: Path, tmp_path: Path, name: str
) -> None:
    report = tmp_path / name
    option = "--journal" if name == "x.journal" else "--report"
    run("upload", contacts, "-g", group, *OPTIONS, option, report, sandbox=sandbox)
    done = run("report", report, "--only", "skipped", "--jsonl", tmp_path / "skipped.jsonl")
    assert done.exit_code == 0
    lines = (tmp_path / "skipped.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    kinds = [violation["code"] for row in rows for violation in row["error"]["violations"]]
    assert kinds == ["existing", "existing", "duplicate"]
    assert [row["index"] for row in rows] == [0, 1, 3]
    done = run("retry", report, "-g", group, sandbox=sandbox)
    assert len(sandbox.commits) == 1, "what was skipped is not what failed"


def test_a_resume_knows_the_option(
    sandbox: SandboxThread, group: int, contacts: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "list.journal"
    words = ("upload", contacts, "-g", group, *OPTIONS, "--journal", journal)
    run(*words, sandbox=sandbox)
    requests = len(sandbox.requests)
    assert run("resume", journal, sandbox=sandbox).exit_code == 0
    assert len(sandbox.requests) == requests
    assert UploadReport.open(journal).skipped_count == 3
    done = run("upload", contacts, "-g", group, "--journal", journal, sandbox=sandbox)
    assert done.exit_code == 2
    assert "--existing" in done.stderr


def test_an_export_that_cannot_be_read_sends_nothing(
    sandbox: SandboxThread, contacts: Path
) -> None:
    done = run("upload", contacts, "-g", 4711, *OPTIONS, sandbox=sandbox)
    assert done.exit_code == 4
    assert not sandbox.commits


def test_another_word_is_a_usage_error(sandbox: SandboxThread, contacts: Path, group: int) -> None:
    done = run("upload", contacts, "-g", group, "--existing", "eat", sandbox=sandbox)
    assert done.exit_code == 2
    assert "existing must be one of" in done.stderr


def test_a_check_is_told_as_one(contacts: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = ("--normalize", "DE", "--duplicates", "skip")
    done = run("check", contacts, *words, "--html", page, "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["would_be_sent_count"], told["failed_count"]) == (3, 0)
    assert (told["dry_run"], told["exit_code"]) == (True, 0)
    html = page.read_text(encoding="utf-8")
    assert "dry run" in html
    assert "3 would be sent" in html
    assert "Phones per second" not in html
    for wrong in ("failed", "created", "stored twice", "Send it again", "retry"):
        body = html[html.index("<body>") : html.index("<script>")]
        assert wrong not in body, wrong
