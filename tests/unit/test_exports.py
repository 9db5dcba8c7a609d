"""A report as files."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Outcome, Phone
from asyncsdk.ledger.entry import Entry
from asyncsdk.results import Delivery
from asyncsdk.sources.inert import inert
from asyncsdk.wire.rows import encode_rows, rows_of

from .samples import REFUSED, created_entry, failed_entry, invalid_entry, report_of

if TYPE_CHECKING:
    from pathlib import Path

REPORT = report_of(failed_entry([2]), created_entry([0, 3]), invalid_entry([1, 4]))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    assert REPORT.to_csv(path) == 5
    rows = read_csv(path)
    assert [row["index"] for row in rows] == ["0", "3", "1", "4", "2"]
    assert rows[0] == {
        **dict.fromkeys(
            ["b", "c", "d", "e", "callback_data", "reason", "duplicate_of", "group"], ""
        ),
        "index": "0",
        "phone": "+490",
        "a": "row 0",
        "number": "+490",
        "outcome": "created",
        "status": "201",
        "id": "100",
        "delivery": "answered",
        "attempts": "1",
        "request_id": "r" * 32,
    }
    assert rows[2]["reason"] == "Invalid phone: phone: is too long"
    assert (rows[4]["outcome"], rows[4]["delivery"]) == ("failed", "unknown")


def test_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    assert REPORT.to_jsonl(str(path)) == 5
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    plain = REPORT.to_dict()
    assert rows == [*plain["created"], *plain["invalid"], *plain["failed"]]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("only", "indices"),
    [
        (Outcome.INVALID, [1, 4]),
        ("failed", [2]),
        (["failed", "invalid"], [2, 1, 4]),
        ((Outcome.CREATED,), [0, 3]),
        ([], []),
    ],
)
def test_only_some_outcomes(tmp_path: Path, only: str | list[str], indices: list[int]) -> None:
    assert REPORT.to_csv(tmp_path / "x.csv", only=only) == len(indices)
    assert REPORT.to_jsonl(tmp_path / "x.jsonl", only=only) == len(indices)
    assert [int(row["index"]) for row in read_csv(tmp_path / "x.csv")] == indices
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == indices


def test_an_outcome_that_does_not_exist_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("precious")
    with pytest.raises(ValueError, match="lost"):
        REPORT.to_csv(path, only="lost")
    assert path.read_text() == "precious"


def test_a_file_that_cannot_be_finished_leaves_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("precious")
    broken = Entry(Outcome.FAILED, Delivery.UNKNOWN, [5], b"no json", problem=REFUSED)
    with pytest.raises(ValueError, match="malformed"):
        report_of(failed_entry([1]), broken).to_jsonl(path)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_texts_survive(tmp_path: Path) -> None:
    texts = ['semi;colon, "quoted"\r\nline', "Grüße 🎉", " space ", "\t"]
    phones = rows_of([Phone("1", *texts)])
    entry = Entry(Outcome.FAILED, Delivery.NOT_SENT, [0], encode_rows(phones), problem=REFUSED)
    report_of(entry).to_csv(tmp_path / "x.csv")
    report_of(entry).to_jsonl(tmp_path / "x.jsonl")
    row = read_csv(tmp_path / "x.csv")[0]
    assert [row[name] for name in "abc"] == texts[:3]
    plain = json.loads((tmp_path / "x.jsonl").read_text())["phone"]
    assert [plain[name] for name in "abcd"] == texts


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\r\n=1", "'\r\n'=1"),
        (" =1", " '=1"),
        ('"=1', "\"'=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("Maria;=1+1", "Maria;'=1+1"),
        ('Maria;" =1+1', "Maria;\" '=1+1"),
        ("a\nb\n@SUM(A1)", "a\nb\n'@SUM(A1)"),
        ("a,-b|+c", "a,'-b|'+c"),
        ("+49 151 123; +49 151 124", "'+49 151 123; '+49 151 124"),
        ("a\r\n\nb", "a\r\n\nb"),
        ("1-2, 3=4", "1-2, 3=4"),
        ("+4915112345678", "+4915112345678"),
        ("+49 151 123", "+49 151 123"),
        ("Maria", "Maria"),
        ("", ""),
        (None, None),
    ],
)
def test_no_cell_is_a_formula(cell: str | None, written: str | None) -> None:
    assert inert(cell) == written
