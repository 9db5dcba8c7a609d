"""No field of a file of ours is a formula, however a spreadsheet parts it; and all come back."""

from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asyncsdk import Outcome, Phone
from asyncsdk.export.load import SavedReport
from asyncsdk.export.sheet import write_sheet
from asyncsdk.ledger.entry import Entry
from asyncsdk.models import Problem
from asyncsdk.rejects import rejected_rows
from asyncsdk.rejects_file import write_rejects
from asyncsdk.results import Delivery
from asyncsdk.sources import read
from asyncsdk.wire.rows import encode_rows, rows_of
from tests.effort import effort
from tests.parts import module
from tests.unit.samples import report_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = st.text(max_size=8) | st.text(
    "=+-@'\"\t\r\n ;,|x0\uff1d\uff0b\ufe63\xa0\u200b\x00", max_size=8
)
NAMED = TEXT.map(lambda text: f"x{text}") | TEXT


def dropped(char: str) -> bool:
    """Whether a spreadsheet may take what follows for the beginning of the cell."""
    return char == '"' or char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Zs"}


def is_active(field: str) -> bool:
    """Whether a field, as some program reads it, starts a formula; a signed number is none."""
    if field[:1] in {"\t", "\r", "\n"}:
        return True
    start = next((at for at, char in enumerate(field) if not dropped(char)), len(field))
    rest = field[start:]
    if not rest or unicodedata.normalize("NFKC", rest[0]) not in {"=", "+", "-", "@", "\u2212"}:
        return False
    number = rest[1:].strip(' "\n\r').partition('"')[0].replace(" ", "")
    return not (rest[0] in "+-" and number.isdecimal())


def fields(text: str) -> Iterator[str]:
    """Every field that it has for a program that parts it by one of these."""
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield from row
        for line in text.splitlines():
            yield from line.split(separator)


def assert_inert(path: Path) -> None:
    text = path.read_text("utf-8-sig") if path.suffix == ".csv" else ""
    assert not [field for field in fields(text) if is_active(field)]


@given(st.lists(TEXT, min_size=2, max_size=5), st.lists(TEXT, min_size=2, max_size=5))
@settings(max_examples=effort(200, 4000), deadline=None)
def test_no_field_of_a_sheet_is_a_formula(names: list[str], cells: list[str]) -> None:
    with TemporaryDirectory() as folder:
        for delimiter in ",;\t|":
            path = Path(folder) / "sheet.csv"
            # The first and the last column are ours, as in every file. Beside a tab that parts
            # cells, one that ends like a cell makes a field that begins with it, elsewhere.
            ends = "" if delimiter != "\t" else "x"
            rows = [["x", *(f"{cell}{ends}" for cell in row), "x"] for row in (names, cells)]
            write_sheet(path, rows[0], rows[1:], delimiter=delimiter)
            assert_inert(path)


@given(st.lists(TEXT, min_size=5, max_size=5), TEXT, TEXT)
@settings(max_examples=effort(200, 4000), deadline=None)
def test_a_report_comes_back_and_is_none(cells: list[str], number: str, reason: str) -> None:
    clean = [cell.encode(errors="replace").decode() for cell in (number or "1", *cells)]
    phone = Phone(*clean)
    problem = Problem(detail=reason)
    entry = Entry(
        *(Outcome.FAILED, Delivery.NOT_SENT, [0], encode_rows(rows_of([phone]))),
        problem=problem,
        request_id=number.encode(errors="replace").decode(),
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        report_of(entry).to_csv(path)
        assert_inert(path)
        (found,) = SavedReport(path)
    assert [getattr(found.phone, name) or "" for name in ("phone", *"abcde")] == clean
    assert found.error is not None
    assert str(found.error) == str(problem)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@given(
    names=st.lists(NAMED, min_size=3, max_size=3, unique=True),
    cells=st.lists(TEXT, min_size=3, max_size=3),
)
@settings(max_examples=effort(60, 1200), deadline=None)
def test_rejects_come_back_and_are_none(suffix: str, names: list[str], cells: list[str]) -> None:
    names = [name.encode(errors="replace").decode().replace("\x00", "") for name in names]
    cells = [cell.encode(errors="replace").decode().replace("\x00", "") for cell in cells]
    if suffix == ".xlsx":  # XML has no control characters, and ends lines in one way
        names, cells = ([_xml(cell) for cell in row] for row in (names, cells))
    assume(len(set(names)) == len(names))
    rows = [{"phone": "123", **dict(zip(names, cells, strict=True))}]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rejects{suffix}"
        source = read(module("polars").DataFrame(rows), columns={"phone": "phone"})
        entry = Entry(
            *(Outcome.INVALID, Delivery.NOT_SENT, [0], encode_rows(rows_of([Phone("123")]))),
            problem=Problem(detail=cells[0]),
        )
        write_rejects(path, source, rejected_rows(source, report_of(entry)))
        assert_inert(path)
        again = read(path)
        (row,) = again.rows()
        kept = list(zip(again.columns, row.cells, strict=True))[7:-1]
    assert kept == list(zip(names, cells, strict=True))


def _xml(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    " =1",
    "\xa0=1",
    "\ufeff=1",
    "\x00=1",
    '"=1',
    "x;=1",
    "x\t=1",
    "x,=1",
    "x;\n=1",
    "x\n=1",
    'x;"=1',
    'x;" ""=1',
    "x;\uff1d1",
    "x\u2028=1",
    "\ufe661",
    "\u22121+cmd",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_each_kind(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    write_sheet(path, [text, "x"], [["x", text], [text, text]])
    assert_inert(path)
