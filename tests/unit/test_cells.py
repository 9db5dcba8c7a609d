"""Kinds of cells in lists of six countries: what is sent, or why nothing is.

`cells.txt` has a line for each: the cell, then what becomes of it in DE, AT, CH, GB, IN and US; one
value stands for all. `careful.txt` was written before any of it was read: the region of a list, a
cell, and what a careful person would send, if anything; with a `!` where a refusal would be a pity.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asyncsdk.config import Normalize
from asyncsdk.sources.cells import text_of
from asyncsdk.upload.intake.normalize import normalizer

REGIONS = ("DE", "AT", "CH", "GB", "IN", "US")
CAREFUL = Path(__file__).with_name("careful.txt").read_text().splitlines()
LINES = Path(__file__).with_name("cells.txt").read_text().splitlines()


def of(cell: str, region: str, **how: Any) -> str:
    """What is sent, or the code of why nothing is."""
    found = normalizer(Normalize(region, **how))(cell)
    return found if isinstance(found, str) else str(found.violations[0].code)


def test_they_are_many() -> None:
    assert len({line.split("|")[0] for line in LINES}) >= 60


@pytest.mark.parametrize("line", LINES)
def test_a_kind_of_cell(line: str) -> None:
    cell, *expected = (part.strip() for part in line.split("| "))
    cell = cell.encode().decode("unicode_escape")
    found = [of(cell, region) for region in REGIONS]
    assert found == (expected * 6 if len(expected) == 1 else expected)


def test_what_is_sent_is_what_a_careful_person_would_send() -> None:
    """Or nothing is: a wrong number is worse than a refused row."""
    wrong, refused = [], []
    for line in CAREFUL:
        region, _, rest = line.partition(" | ")
        cell, _, right = rest.rpartition("|")
        right, _, needed = right.strip().partition(" ")
        found = of(cell.strip(" ").encode().decode("unicode_escape"), region)
        if found.startswith("+") and found != right:
            wrong.append((line, found))
        if needed and found != right:
            refused.append((line, found))
    assert (wrong, refused) == ([], [])
    assert len(CAREFUL) > 400


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (491711234567, "+491711234567"),
        (491711234567.0, "+491711234567"),
        (np.float64(491711234567), "+491711234567"),
        (np.int64(491711234567), "+491711234567"),
        (Decimal("491711234567.00"), "+491711234567"),
        (Decimal(491711234567), "+491711234567"),
        (-1711234518, "negative"),
        (-1711234518.0, "negative"),
        (np.float32(491711234567), "rounded"),
        (np.float16(60000), "rounded"),
        (np.float32(1711234567), "rounded"),
        (Decimal("4.91711E+11"), "rounded"),
        (4.91711234567e17, "rounded"),
        (1711234567.5, "fraction"),
        (Decimal("1711234567.25"), "fraction"),
        (True, "no-number"),
        (dt.datetime(2024, 3, 1), "date"),  # noqa: DTZ001 - as a cell has it
        (dt.date(2024, 3, 1), "date"),
        (dt.time(12, 30), "date"),
        (dt.timedelta(days=1), "two-numbers"),
        (float("nan"), "no-number"),
        (float("inf"), "no-number"),
        (None, "no-number"),
    ],
)
def test_a_cell_with_a_type(value: object, found: str) -> None:
    assert of(text_of(value), "DE") == found


@pytest.mark.parametrize(
    ("cell", "bare", "found"),
    [
        ("16012345678", "national", "+4916012345678"),
        ("16012345678", "international", "+16012345678"),
        ("49171123456", "national", "+4949171123456"),
        ("49171123456", "international", "+49171123456"),
        ("491711234567", "national", "+49491711234567"),
        ("491711234567.00", "international", "+491711234567"),
        ("0171 1234567", "international", "+491711234567"),
        ("+43 664 1234567", "national", "+436641234567"),
        ("1711234567 / 8", "national", "two-numbers"),
        ("1711234567", "international", "too-short"),
    ],
)
def test_what_bare_numbers_are_can_be_said(cell: str, bare: str, found: str) -> None:
    assert of(cell, "DE", bare=bare) == found


def test_both_readings_and_the_way_out_are_told() -> None:
    problem = normalizer(Normalize("DE"))("41791234567")
    assert "+41791234567 or +4941791234567" in str(problem)
    assert "--bare national" in str(problem)
