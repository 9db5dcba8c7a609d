from __future__ import annotations

import csv
import re
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Phone
from asyncsdk.sandbox import Faults
from asyncsdk.sources.inert import as_text, escape, inert, revive
from tests.parts import module
from tests.rig import connected

if TYPE_CHECKING:
    from pathlib import Path


async def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    source = [Phone("0160 1234567", a="=1+1"), "+49 160 1234567", "", "@x"]
    async with connected(faults=Faults.script([])) as rig:
        report = await rig.upload(source, normalize="DE", duplicates="skip")
    assert report.to_parquet(tmp_path / "report.parquet") == 4
    report.to_csv(tmp_path / "report.csv")
    rows = module("polars").read_parquet(tmp_path / "report.parquet").to_dicts()
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    for row, line in zip(rows, told, strict=True):
        texts = {name: "" if value is None else str(value) for name, value in row.items()}
        assert {
            n: inert(t) if n in {"phone", "a", "number"} else t for n, t in texts.items()
        } == line
    assert [row["duplicate_of"] for row in rows] == [None, None, None, 0]
    assert [rows[at]["number"] for at in (0, 3)] == ["+491601234567"] * 2
    assert [row["outcome"] for row in rows] == ["created", "invalid", "invalid", "skipped"]
    assert report.to_parquet(tmp_path / "none.parquet", only="failed") == 0


async def test_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as rig:
        report = await rig.upload([])
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"pip install 'asyncsdk\[files\]'"):
        report.to_parquet(tmp_path / "report.parquet")


CELLS = st.text("'=+-@\t\rx01./:e ;,|\n\"\v\uff1d\x85\xa0", max_size=9) | st.text(max_size=6)


@given(CELLS)
def test_no_cell_is_a_formula_and_each_comes_back(cell: str) -> None:
    written = escape(cell)
    assert revive(written) == cell
    assert revive(as_text(cell)) == cell
    for safe in (written, inert(cell) or ""):
        plain = re.match(r"[+-] *\d[\d ]*\Z", safe)
        assert not safe or safe[0] not in "=+-@\t\r\n\uff1d" or plain


@pytest.mark.parametrize(
    "cell",
    [
        *("0171 1234567 / 8", "0171/1234567", "3/4", "1e5", "4,91711E+11", "12:30", "2024-03-01"),
        *("01.02.2024", "1,50", "0171.1234567", "+491711234567", "007", "491711234567"),
    ],
)
def test_no_spreadsheet_makes_something_else_of_it(cell: str) -> None:
    """It would be written back as a fraction, a date or a time."""
    assert as_text(cell) == f"'{cell}"
    assert revive(as_text(cell)) == cell
    assert revive(as_text(f"'{cell}")) == f"'{cell}"
