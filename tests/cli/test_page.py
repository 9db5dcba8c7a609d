"""The page of `--html`: whose it is, in which language, and how to go on with the real names."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from .kit import run

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread


def commands(page: Path) -> list[str]:
    found = re.findall("<pre>(.*?)</pre>", page.read_text(encoding="utf-8"), re.DOTALL)
    return [unescape(line) for text in found for line in text.splitlines()]


def head(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    found = text[text.index("<header>") : text.index("</header>")]
    return [unescape(re.sub("<[^>]+>", "", one)) for one in re.findall("<dd>(.*?)</dd>", found)]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


def test_it_knows_its_list_and_its_group(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path, page: Path
) -> None:
    group = sandbox.add_group("Kunden Süd")
    rejects, report = tmp_path / "mend.csv", tmp_path / "all.jsonl"
    words = ("--rejects", rejects, "--report", report, "--html", page, "--lang", "de")
    options = ("--map", "a=Name", "--normalize", "DE")
    done = run("upload", contacts, "-g", "Kunden Süd", *options, *words, sandbox=sandbox)
    assert done.exit_code == 1, done.output
    assert "5 phones: 3 created" in done.stdout, "the command line stays English"
    assert head(page)[:2] == ["contacts.csv", f"Kunden Süd ({group})"]
    text = page.read_text(encoding="utf-8")
    assert '<html lang="de">' in text
    assert '<th scope="col">Mobil</th>' in text
    assert '<th scope="col">Name</th>' in text
    assert "Mobil: es steht keine Nummer darin" in text
    assert '<td data-name="Zeile" class="number">5</td>' in text
    (again,) = commands(page)
    next_rejects = tmp_path / "mend-2.csv"
    assert again == f"asyncsdk upload {rejects} --group {group} --rejects {next_rejects}"
    done = run(*again.split()[1:], sandbox=sandbox)
    assert done.exit_code == 1, "as it is typed"
    assert next_rejects.exists()
    assert len(sandbox.commits) == 3


def test_a_group_that_is_given_by_its_id_has_its_name(
    sandbox: SandboxThread, contacts: Path, page: Path, tmp_path: Path
) -> None:
    group = sandbox.add_group("Kunden")
    run(
        "upload",
        contacts,
        "-g",
        group,
        "--html",
        page,
        "--rejects",
        tmp_path / "r.csv",
        sandbox=sandbox,
    )
    assert head(page)[:2] == ["contacts.csv", f"Kunden ({group})"]
    text = page.read_text(encoding="utf-8")
    assert "JOURNAL" not in text
    assert "REPORT" not in text, "what was not written has no command"


def test_a_group_that_was_asked_for_its_columns_has_its_name(
    sandbox: SandboxThread, contacts: Path, page: Path
) -> None:
    group = sandbox.add_group("Kunden", name_a="Vorname")
    words = ("--map", "Vorname=Name", "--html", page)
    run("upload", contacts, "-g", group, *words, sandbox=sandbox)
    assert head(page)[:2] == ["contacts.csv", f"Kunden ({group})"]


def test_a_journal_writes_the_rejects_that_nobody_asked_for(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path, page: Path
) -> None:
    group, journal = sandbox.add_group("Kunden"), tmp_path / "k.journal"
    run("upload", contacts, "-g", group, "--journal", journal, "--html", page, sandbox=sandbox)
    first, second = commands(page)
    assert first == f"asyncsdk resume {journal} --rejects rejects.csv"
    assert second == f"asyncsdk upload rejects.csv --group {group} --rejects rejects-2.csv"
    rejects = tmp_path / "rejects.csv"
    done = run("resume", journal, "--rejects", rejects, "--html", page, sandbox=sandbox)
    assert "2 rows written to" in done.stderr.replace("\n", " ")
    assert commands(page)[0].startswith(f"asyncsdk upload {rejects} ")

    run("report", journal, "--html", page, "--lang", "de")
    assert head(page)[:2] == ["contacts.csv", str(group)]
    assert commands(page)[0] == first


def test_a_saved_report_is_named(
    sandbox: SandboxThread, contacts: Path, tmp_path: Path, page: Path
) -> None:
    report = tmp_path / "all.csv"
    sandbox.add_group("Kunden")
    run("upload", contacts, "-g", "Kunden", "--report", report, sandbox=sandbox)
    run("report", report, "--html", page, "--lang", "de")
    text = page.read_text(encoding="utf-8")
    assert "<time" in text
    assert "Nummer: fehlt" in text, "a reason that a file has is translated as well"
    assert "Send it again" not in text


def test_a_check_has_its_page(contacts: Path, page: Path) -> None:
    done = run("check", contacts, "--normalize", "DE", "--html", page, "--lang", "de_DE.UTF-8")
    assert done.exit_code == 1, done.output
    text = page.read_text(encoding="utf-8")
    assert "Prüfung einer Liste" in text
    assert "3 zu senden" in text
    assert head(page)[0] == "contacts.csv"


@pytest.mark.parametrize("command", ["upload", "check"])
def test_another_language_is_a_usage_error(
    sandbox: SandboxThread, contacts: Path, page: Path, command: str
) -> None:
    group = sandbox.add_group("Kunden")
    done = run(command, contacts, "-g", group, "--html", page, "--lang", "fr", sandbox=sandbox)
    assert done.exit_code == 2
    assert "choose English (en) or German (de)" in " ".join(done.stderr.split())
    assert not page.exists()
    assert not sandbox.commits
