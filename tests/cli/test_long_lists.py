"""Long lists, row by row: the right number or a refusal, and never another number."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from tests.lists.long import LISTS

from .kit import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", LISTS)
def test_each_row_is_sent_as_what_it_means_or_not_at_all(name: str, tmp_path: Path) -> None:
    made = LISTS[name]()
    path, report, rejects = tmp_path / made.name, tmp_path / "rows.csv", tmp_path / "again.csv"
    path.write_bytes(made.raw)
    done = run("check", path, *made.words, "--report", report, "--rejects", rejects)
    assert done.exit_code == 1, done.output
    with report.open(encoding="utf-8-sig", newline="") as file:
        found = {
            int(row["line"]): row["number"].lstrip("'")
            for row in csv.DictReader(file, delimiter=";")
        }
    assert [row for row in made.rows if found[row.line] not in {row.number or "", ""}] == []
    assert [row for row in made.rows if row.number and row.certain and not found[row.line]] == []
    assert sum(map(bool, found.values())) > 0.6 * len(made.rows), "a refusal of all is easy"
    again = json.loads(run("check", rejects, "--json").stdout)
    assert again["submitted"] == sum(not sent for sent in found.values())
    assert again["would_be_sent_count"] == 0
