"""Rows that say their country are read by it, and by no other."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asyncsdk import Normalize, UploadReport
from asyncsdk.sources import read
from tests.parts import module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rig import Rig

HOW = Normalize("DE", country="Land")
TABLE = [
    ("DE", "0171 1234567", "+491711234567"),
    ("CH", "079 123 45 67", "+41791234567"),
    ("Österreich", "0664 1234567", "+436641234567"),
    ("POL", "501 234 567", "+48501234567"),
    ("+33", "06 12 34 56 78", "+33612345678"),
    ("", "0171 1234568", "+491711234568"),
    ("AT", "+49 171 1234569", "+491711234569"),
    ("CH", "791234568", "+41791234568"),
    ("US", "(202) 555-0131", "+12025550131"),
    ("Atlantis", "0171 1234560", "country"),
    ("Berlin", "+491711234561", "country"),
    ("0171", "0171 1234562", "country"),
]


def outcomes(report: UploadReport) -> list[str]:
    """What was sent of each row, or the code of why it was not."""
    every = sorted(report.results(), key=lambda result: result.index)
    return [
        str(one.error.violations[0].code) if one.error else one.number or one.phone.phone
        for one in every
    ]


EXPECTED = [found for *_, found in TABLE]


@dataclass
class Contact:
    phone: str
    Land: str


def database() -> list[sqlite3.Row]:
    with sqlite3.connect(":memory:") as file:
        file.row_factory = sqlite3.Row
        file.execute("CREATE TABLE contact (Land TEXT, phone TEXT)")
        file.executemany("INSERT INTO contact VALUES (?, ?)", [row[:2] for row in TABLE])
        rows = file.execute("SELECT * FROM contact").fetchall()
    file.close()
    return rows


def columns() -> dict[str, list[str]]:
    return {"Land": [row[0] for row in TABLE], "Mobil": [row[1] for row in TABLE]}


ROWS: dict[str, Callable[[], Any]] = {
    "mappings": lambda: [{"phone": phone, "Land": land} for land, phone, _ in TABLE],
    "rows of a database": database,
    "dataclasses": lambda: [Contact(phone, land) for land, phone, _ in TABLE],
    "pandas": lambda: module("pandas").DataFrame(columns()),
    "polars": lambda: module("polars").DataFrame(columns()),
    "polars, lazy": lambda: module("polars").LazyFrame(columns()),
    "pyarrow": lambda: module("pyarrow").table(columns()),
}


@pytest.mark.parametrize("kind", ROWS)
async def test_each_row_by_its_own_country(kind: str, rig: Rig) -> None:
    report = await rig.upload(ROWS[kind](), normalize=HOW, duplicates="skip", existing="skip")
    assert outcomes(report) == EXPECTED
    assert all(result.created for result in report.created)


async def test_under_names_of_their_own(rig: Rig) -> None:
    rows = [{"Mobil": phone, "Land": land, "Ort": "Ulm"} for land, phone, _ in TABLE]
    fields = {"phone": "Mobil", "a": "Land"}
    report = await rig.upload(rows, normalize=HOW, columns=fields)
    assert outcomes(report) == EXPECTED
    assert report.created[1].phone.a == "CH"


async def test_a_list_says_by_itself_which_column_it_is(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    lines = [f"{land};{phone}" for land, phone, _ in TABLE]
    path.write_text("\n".join(["Land;Mobil", *lines]))
    report = await rig.upload(read(path, country="Land"), normalize="DE", existing="skip")
    assert outcomes(report) == EXPECTED


@pytest.mark.parametrize("row", [{"phone": "0171 1234567"}, "0171 1234567", {"phone": "1", "A": 1}])
async def test_a_row_without_the_column_is_not_read_by_another_country(row: Any, rig: Rig) -> None:
    rows = [{"phone": "0171 1234568", "Land": None}, row]
    report = await rig.upload(rows, normalize=HOW)
    assert report.created_count == 1
    assert report.invalid[0].error is not None
    assert not rig.stored[1:]


@pytest.mark.parametrize(
    ("land", "found"),
    [
        (None, "+491711234567"),
        (float("nan"), "+491711234567"),
        ("  ", "+491711234567"),
        (49, "+491711234567"),
        (49.0, "+491711234567"),
        (43, "+431711234567"),
        (b"DE", "country"),
        (True, "country"),
        (["DE"], "country"),
    ],
)
async def test_a_country_of_another_type(land: object, found: str, rig: Rig) -> None:
    report = await rig.upload([{"phone": "0171 1234567", "Land": land}], normalize=HOW)
    assert outcomes(report) == [found]


async def test_what_the_group_holds_is_the_same_only_if_it_surely_is(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["0664 1234567", "491711234567", "+41 79 123 45 67"])
    rows = [
        {"phone": "0664 1234567", "Land": "AT"},
        {"phone": "0664 1234567", "Land": "DE"},
        {"phone": "0171 1234567", "Land": "DE"},
        {"phone": "079 123 45 67", "Land": "CH"},
    ]
    report = await rig.upload(rows, normalize=HOW, existing="skip")
    assert [result.index for result in report.skipped] == [3], "the others do not say their country"


async def test_a_bare_number_is_a_duplicate_only_if_it_is_one_number(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["491711234567", "16012345678", "41791234567"])
    rows = ["+491711234567", "+4916012345678", "+16012345678", "+41791234567", "+4941791234567"]
    report = await rig.upload(rows, normalize="DE", existing="skip")
    assert [result.index for result in report.skipped] == [0]
    again = ["49172 1234567", "0172 1234567", "+49 172 1234567", "1721234567", "16012345679"]
    report = await rig.upload([*again, "0160 12345679"], normalize="DE", duplicates="skip")
    assert [result.index for result in report.skipped] == [1, 2, 3]
    assert [result.index for result in report.invalid] == [4]
    assert rig.stored[-1] == "+4916012345679"


async def test_what_is_said_of_the_list_is_not_said_of_the_group(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["49171123456"])
    rows = ["49171123456", "+49171123456"]
    how = Normalize("DE", bare="national")
    report = await rig.upload(rows, normalize=how, existing="skip")
    assert [result.number for result in report.created] == ["+4949171123456", "+49171123456"]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("bits", [16, 32, 64])
async def test_a_type_that_has_lost_digits(
    library: str, bits: int, rig: Rig, tmp_path: Path
) -> None:
    values = np.array([491711234567, 491711234560], dtype=np.float64)
    if bits == 16:
        values = np.array([60000, 50000])
    table = {"Mobil": values.astype(f"float{bits}")}
    known = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}
    frame = getattr(module(library), known[library])(table)
    report = await rig.upload(frame, normalize="DE", columns={"phone": "Mobil"})
    sent = ["+491711234567", "+491711234560"] if bits == 64 else []
    assert rig.stored == sent
    if library == "polars" and bits != 16:
        frame.write_parquet(tmp_path / "list.parquet")
        again = read(tmp_path / "list.parquet", columns={"phone": "Mobil"})
        report = await rig.upload(again, normalize="DE")
        assert report.created_count == len(sent)


async def test_a_survey_of_what_was_sent(rig: Rig) -> None:
    rows = [
        *("+49 171 1234567", "491711234568", "1711234569", "030 1234567", "0199 1234567"),
        *("+12025550131", "+41791234567", "0800 1234567", "16012345678", "nobody"),
    ]
    for dry_run in (True, False):
        report = await rig.upload(rows, normalize="DE", dry_run=dry_run)
        survey = report.survey()
        assert survey.countries == {"DE": 6, "US": 1, "CH": 1}
        assert next(iter(survey.countries)) == "DE"
        assert (survey.mobile, survey.landline, survey.mobile_or_landline) == (4, 1, 1)
        assert (survey.service, survey.not_in_plan) == (1, 1)
        assert (survey.plus_lost, survey.zero_lost, survey.two_readings) == (1, 1, 1)
        assert (survey.total, survey.as_they_are) == (8, 0)
    plain = await rig.upload(["0171 1234567", "+491711234567"], dry_run=True)
    assert plain.survey().to_dict()["as_they_are"] == 1
