"""A row of a list is called the same by everything that names it.

The list has lines above its names and a line break within a cell, and there is a second one; or it
is a workbook.
"""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from asyncsdk.errors import SourceError
from asyncsdk.sources import read

from .kit import run

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

from tests.sources.books import workbook

NORMAL = ("--normalize", "DE", "--duplicates", "skip")
HEAD = ["Name", "Mobil"]


@pytest.fixture
def lists(tmp_path: Path) -> list[Path]:
    """`a.csv` has its first contact on line 6, a wrong number on 8, and its own number on 9."""
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    above = ["Kunden", "Stand: 1.10.2026", ""]
    rows = ["Name;Mobil;Notiz", ";", 'Anna;0171 1234560;"am\nFreitag"']
    rows += ["Bert;4,91E+11;", "Cara;0171/1234560;", "Dora;0171 1234561;"]
    a.write_text("\n".join([*above, *rows]), encoding="utf-8")
    b.write_text("Name;Mobil\nEmil;110\nFritz;01711234561\n", encoding="utf-8")
    return [a, b]


def plain(text: str) -> str:
    """A text on one line, without what draws a table."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize("command", ["check", "upload"])
def test_one_list(command: str, lists: list[Path], tmp_path: Path, sandbox: SandboxThread) -> None:
    rejects, page, german = (tmp_path / name for name in ("r.csv", "p.html", "g.html"))
    group = ("-g", sandbox.add_group("x")) if command == "upload" else ()
    words = (*NORMAL, "--rejects", rejects)
    done = run(command, lists[0], *group, *words, "--html", page, sandbox=sandbox)
    said = plain(done.stdout)
    assert "line 6: +491711234560 (from '0171 1234560')" in plain(done.stderr)
    assert re.search(r" line phone what reason \W+ 5 .* 8 4,91E\+11 ", said), said
    assert re.search(r" 9 0171/1234560 skipped .*the same number as line 6$", said), said
    assert "Line" in plain(page.read_text("utf-8"))
    assert re.search(r" 8 4,91E\+11 invalid ", plain(page.read_text("utf-8")))
    assert "the same number as line 6" in plain(page.read_text("utf-8"))
    assert [(row["file"], row["line"]) for row in cells(rejects)] == [
        (str(lists[0]), "5"),
        (str(lists[0]), "8"),
    ]
    group = ("-g", sandbox.add_group("y")) if command == "upload" else ()
    done = run(
        *(command, lists[0], *group, *NORMAL, "--json", "--html", german, "--lang", "de"),
        sandbox=sandbox,
    )
    told = json.loads(done.stdout)
    assert [row["line"] for row in told["rejected"]] == [5, 8]
    (twin,) = [row for row in told["skipped"] if "same number" in row["reason"]]
    assert (twin["line"], twin["reason"]) == (9, "Duplicate phone: the same number as line 6")
    assert "dieselbe Nummer wie Zeile 6" in plain(german.read_text("utf-8"))
    assert " r.csv, line 3 4,91E+11 invalid " in plain(run("check", rejects).stdout)


def test_two_lists(lists: list[Path], tmp_path: Path) -> None:
    rejects, page, rows = (tmp_path / name for name in ("r.csv", "p.html", "rows.csv"))
    words = (*NORMAL, "--rejects", rejects, "--report", rows, "--html", page, "--lang", "de")
    done = run("check", *lists, *words)
    said = plain(done.stdout)
    for place in ("a.csv, line 8", "a.csv, line 9", "b.csv, line 2", "b.csv, line 3"):
        assert f" {place} " in said, said
    assert " place phone what reason " in said
    assert "the same number as a.csv, line 10" in said
    assert "dieselbe Nummer wie a.csv, Zeile 10" in plain(page.read_text("utf-8"))
    assert "b.csv, Zeile 2" in plain(page.read_text("utf-8"))
    named = [(row["file"][-5:], row["line"]) for row in cells(rejects)]
    assert named == [("a.csv", "5"), ("a.csv", "8"), ("b.csv", "2")]
    listed = {(row["file"][-5:], row["line"]): row["reason"] for row in cells(rows)}
    assert listed["b.csv", "3"].endswith("the same number as a.csv, line 10")
    doubted = plain(run("check", *lists).stdout)
    assert "rounded by a spreadsheet: the last digits are lost (a.csv, line 8)" in doubted
    assert "too short or too long to be dialled (b.csv, line 2)" in doubted


def test_a_workbook(tmp_path: Path) -> None:
    path, page, rejects = tmp_path / "x.xlsx", tmp_path / "p.html", tmp_path / "r.csv"
    rows = [HEAD, ["Anna", "0171 1234560"], ["Bert", "110"], ["Cara", "0171 1234560"]]
    workbook(path, {"Notiz": [["Bitte"]], "Mai": [["Liste"], *rows]})
    done = run("check", path, *NORMAL, "--html", page, "--lang", "de", "--rejects", rejects)
    assert "sheet 'Mai', row 3: +491711234560" in plain(done.stderr)
    said = plain(done.stdout)
    assert " row phone what reason " in said
    assert " 4 110 invalid " in said
    assert "the same number as sheet 'Mai', row 3" in said
    assert "dieselbe Nummer wie Tabellenblatt 'Mai', Zeile 3" in plain(page.read_text("utf-8"))
    assert [(row["file"], row["line"]) for row in cells(rejects)] == [(f"{path}, sheet 'Mai'", "4")]
    workbook(path, {"Mai": rows, "Juni": rows})
    told = json.loads(run("check", path, *NORMAL, "--all-sheets", "--json").stdout)
    named = [(row["sheet"], row["line"]) for row in told["rejected"]]
    assert named == [("Mai", 3), ("Juni", 3)]
    assert "the same number as sheet 'Mai', row 2" in told["skipped"][-1]["reason"]
    assert [each["sheet"] for each in told["lists"]] == ["Mai", "Juni"]


def test_what_breaks_a_list(lists: list[Path], tmp_path: Path) -> None:
    """The line on which the row begins, as the other texts have it."""
    lists[0].write_text(lists[0].read_text("utf-8") + '\n"open;0171 1234569', encoding="utf-8")
    with pytest.raises(SourceError, match=r"a\.csv, line 11: the quotes of the row"):
        list(read(lists))
    path = tmp_path / "x.xlsx"
    workbook(path, {"Mai": [HEAD, ["Anna", "0171 1234560"]]})
    with pytest.raises(SourceError, match=r"x\.xlsx, sheet 'Mai', row 1: "):
        read(path, columns={"phone": "Handy"})
