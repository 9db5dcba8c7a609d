"""The rejects of what a program uploaded: rows of any kind, and what can be read only once."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, Phone, StoppedBy
from asyncsdk.sources import read
from asyncsdk.sources.inert import revive
from asyncsdk.sources.listed import source_of
from tests.parts import module
from tests.rig import connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

GOOD, BAD = "+4915100000001", "x" * 31


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        return [{name: revive(cell or "") for name, cell in row.items()} for row in rows]


def records() -> list[Any]:
    """Rows of a database; `dict` would not take the values of one."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    query = "SELECT ? AS phone, 'Ann' AS a UNION ALL SELECT ?, 'Bea'"
    found = connection.execute(query, (GOOD, BAD)).fetchall()
    connection.close()
    return found


class Again:
    """An iterable of a program's own, which begins anew each time."""

    def __iter__(self) -> Iterator[dict[str, str]]:
        yield {"phone": GOOD, "a": "Ann"}
        yield {"phone": BAD, "a": "Bea"}


@pytest.mark.parametrize(
    "source",
    [
        [{"phone": GOOD, "a": "Ann"}, {"phone": BAD, "a": "Bea"}],
        (Phone(GOOD, "Ann"), Phone(BAD, "Bea")),
        [Phone(GOOD), OrderedDict(phone=BAD, a="Bea")],
        {1: {"phone": GOOD}, 2: {"phone": BAD, "a": "Bea"}}.values(),
        Again(),
    ],
    ids=["dicts", "phones", "mixed", "view", "own"],
)
async def test_rows_that_were_not_created(tmp_path: Path, source: Iterable[Any]) -> None:
    path = tmp_path / "rejects.csv"
    async with connected() as rig:
        report = await rig.upload(source)
        assert report.to_rejects(path, source) == 1
        (row,) = written(path)
        assert (row["line"], row["outcome"], row["file"]) == ("2", "invalid", "")
        assert (row["phone"], row["a"]) == (BAD, "Bea")
        assert "is longer than" in row["reason"]
        path.write_text(path.read_text(encoding="utf-8").replace(BAD, "+4915100000002"))
        again = await rig.upload(read(path))
        assert [one.phone.phone for one in again.created] == ["+4915100000002"]


async def test_bare_numbers(tmp_path: Path) -> None:
    source = [GOOD, BAD, "", GOOD]
    async with connected() as rig:
        report = await rig.upload(source, duplicates="skip")
    assert report.to_rejects(tmp_path / "rejects.csv", source) == 2
    rows = written(tmp_path / "rejects.csv")
    assert [(row["line"], row["phone"], row["outcome"]) for row in rows] == [
        ("2", BAD, "invalid"),
        ("3", "", "invalid"),
    ]


def test_rows_of_a_database_and_cells_of_all_types() -> None:
    source = source_of(records())
    assert source.columns == ("phone", "a")
    assert [row.cells for row in source.rows()] == [[GOOD, "Ann"], [BAD, "Bea"]]
    assert [phone.a for phone in source] == ["Ann", "Bea"]
    rows = [{"phone": 4915100000001, "callback_data": 17, "b": None}, {"a": float("nan")}, 7]
    typed = source_of(rows)
    assert typed.columns == ("phone", "callback_data", "b", "a")
    assert [row.cells for row in typed.rows()] == [
        ["4915100000001", "17", "", ""],
        [""] * 4,
        [""] * 4,
    ]


def test_a_data_frame() -> None:
    frame = module("polars").DataFrame({"Mobil": [GOOD, BAD], "Name": ["Ann", "Bea"]})
    assert source_of(frame).columns == ("Mobil", "Name")


async def test_rows_that_the_upload_did_not_come_to(tmp_path: Path) -> None:
    source = [{"phone": f"+49151000000{at:02}", "a": f"Nr. {at}"} for at in range(20)]
    async with connected(latency=1.0) as rig:
        upload = rig.upload(source, batch_size=1, concurrency=1)
        report = await upload.start().stop()
    assert report.stopped_by is StoppedBy.STOP
    assert report.to_rejects(tmp_path / "rejects.csv", source) == 20 - report.created_count
    assert written(tmp_path / "rejects.csv")[-1]["a"] == "Nr. 19"


async def numbers() -> AsyncIterator[str]:
    yield GOOD


@pytest.mark.parametrize(
    "source",
    [
        (row for row in [GOOD, BAD]),
        iter([GOOD, BAD]),
        map(str, [GOOD, BAD]),
        io.StringIO(f"{GOOD}\n{BAD}\n"),
        numbers(),
        GOOD,
        {"phone": GOOD},
        None,
        7,
    ],
    ids=lambda source: type(source).__name__,
)
async def test_what_cannot_be_read_again_is_a_usage_error(tmp_path: Path, source: Any) -> None:
    path = tmp_path / "rejects.csv"
    async with connected() as rig:
        report = await rig.upload([GOOD, BAD])
    with pytest.raises(ConfigurationError, match=r"give (a|the) list .* asyncsdk\.sources\.read"):
        report.to_rejects(path, source)
    assert not path.exists()


async def test_a_total_and_what_is_below_it_are_refused_and_no_success(tmp_path: Path) -> None:
    """A contact below a line that looks like a total must not get lost without a word."""
    path = tmp_path / "list.csv"
    path.write_text("Name,Mobil\nAnn,+491601111111\nSumme,1\nBea,+491602222222\n")
    async with connected() as rig:
        report = await rig.upload(read(path))
    assert (report.created_count, report.invalid_count, report.skipped_count) == (1, 2, 0)
    assert not report.ok
    assert "line of totals" in str(report.invalid[0].error)
    assert "below the totals" in str(report.invalid[1].error)
