"""A report as a data frame: of polars where that is there, else of pandas."""

from __future__ import annotations

import csv
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.export.rows import COLUMNS
from asyncsdk.results import WOULD_BE_SENT
from tests.unit.samples import (
    created_entry,
    failed_entry,
    invalid_entry,
    report_of,
    skipped_entry,
)

if TYPE_CHECKING:
    from pathlib import Path

REPORT = report_of(
    created_entry([0, 3]),
    invalid_entry([1]),
    failed_entry([2]),
    skipped_entry([4]),
    skipped_entry([5], WOULD_BE_SENT),
    complete=False,
)
LIBRARIES = ("polars", "pandas")


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one that is there; the other, and what an upload needs of neither, is not."""
    name: str = request.param
    (other,) = set(LIBRARIES) - {name}
    monkeypatch.setitem(sys.modules, other, None)
    monkeypatch.setitem(sys.modules, "narwhals", None)
    return name


def cells(table: Any) -> list[dict[str, Any]]:
    if hasattr(table, "to_dicts"):
        rows = table.to_dicts()
    else:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [dict(row) for row in rows]


def test_it_holds_what_csv_holds(library: str, tmp_path: Path) -> None:
    table = REPORT.to_frame()
    assert isinstance(table, import_module(library).DataFrame)
    REPORT.to_csv(tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert list(table.columns) == list(COLUMNS)
    found = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in cells(table)
    ]
    assert found == told
    assert [row["outcome"] for row in found].count("skipped") == 2
    assert found[-1]["outcome"] == "unread"


@pytest.mark.usefixtures("library")
def test_whole_numbers_stay_whole_beside_missing_ones() -> None:
    rows = cells(REPORT.to_frame(only=["created", "invalid"]))
    assert [row["id"] for row in rows] == [100, 103, None]
    assert all(type(row["index"]) is int for row in rows)


@pytest.mark.usefixtures("library")
def test_of_no_rows_it_has_the_same_columns() -> None:
    empty, full = report_of().to_frame(), REPORT.to_frame()
    assert (len(empty), list(empty.columns)) == (0, list(COLUMNS))
    assert list(empty.dtypes) == list(full.dtypes)


def test_of_many_rows(library: str) -> None:
    many = report_of(created_entry(range(25_000))).to_frame()
    assert len(many) == 25_000
    assert cells(many.tail(1))[0]["index"] == 24_999
    if library == "pandas":
        assert many.index.is_unique


def test_without_either(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'asyncsdk\[files\]'"):
        REPORT.to_frame()
