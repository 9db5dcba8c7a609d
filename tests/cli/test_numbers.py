"""What `check` says of the numbers, and how it is told what bare ones are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .kit import run

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

NUMBERS = ("+49 171 1234567", "030 1234567", "0199 1234567", "49171 1234568", "171 1234569")
DOUBTFUL = ("16012345678", "41791234567")


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["Mobil", *NUMBERS, "+41 79 123 45 67", *DOUBTFUL]))
    return path


def test_check_counts_what_the_numbers_are(contacts: Path) -> None:
    done = run("check", contacts, "--normalize", "DE")
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    for line in (
        "6 DE 5, CH 1",
        "4 mobile",
        "1 landline",
        "1 not in the plan of numbers: mistyped, or too new for it",
        "1 without their +, read as international",
        "1 without their leading 0, read as national",
        "2 not sent, for they can be two numbers: see --bare",
    ):
        assert line in said, done.stdout
    assert "+16012345678 or +4916012345678" in " ".join(done.stdout.split())


def test_and_for_machines(contacts: Path) -> None:
    found = json.loads(run("check", contacts, "--normalize", "DE", "--json").stdout)["survey"]
    assert found["countries"] == {"DE": 5, "CH": 1}
    assert (found["total"], found["two_readings"], found["not_in_plan"]) == (6, 2, 1)
    assert json.loads(run("check", contacts, "--json").stdout)["survey"] is None


@pytest.mark.parametrize(
    ("bare", "sent"),
    [
        ("national", ["+4916012345678", "+4941791234567"]),
        ("international", ["+16012345678", "+41791234567"]),
    ],
)
def test_who_knows_the_list_says_what_bare_numbers_are(
    bare: str, sent: list[str], tmp_path: Path, sandbox: SandboxThread
) -> None:
    path, rejects = tmp_path / "list.csv", tmp_path / "rejects.csv"
    path.write_text("\n".join(["Mobil", *DOUBTFUL, "unbekannt"]))
    group = ("-g", sandbox.add_group("Kunden"))
    words = ("--normalize", "DE", "--bare", bare, "--rejects", rejects)
    run("upload", path, *group, *words, sandbox=sandbox)
    assert [commit.phone for commit in sandbox.commits] == sent
    rejects.write_text(rejects.read_text().replace("unbekannt", "16012345679"))
    run("upload", rejects, *group, sandbox=sandbox)
    again = sandbox.commits[-1].phone
    assert again == ("+4916012345679" if bare == "national" else "+16012345679"), "as it was noted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bare", "national"], "add --normalize DE"),
        (["--normalize", "DE", "--bare", "local"], "bare must be one of"),
    ],
)
def test_bare_numbers_of_what(words: list[str], said: str, contacts: Path) -> None:
    done = run("check", contacts, *words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
