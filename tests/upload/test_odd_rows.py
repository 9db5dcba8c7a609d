"""A number of thousands of digits is one invalid row, wherever it stands; the others are sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Adaptive, FailureLimit, Normalize, Phone, Rate, RetryPolicy
from asyncsdk.models import FIELDS
from asyncsdk.upload.intake.check import Checker
from tests.rig import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig import Rig

HUGE = 10**5000
LARGEST = (1 << 63) - 1


@dataclass
class Contact:
    phone: str
    callback_data: Any


ROWS: dict[str, Any] = {
    "phone": {"phone": HUGE},
    "negative": {"phone": -HUGE},
    "column": Phone("+491601", a=HUGE),  # type: ignore[arg-type]
    "callback": {"phone": "+491601", "callback_data": HUGE},
    "dataclass": Contact("+491601", HUGE),
    "fraction": {"phone": "+491601", "a": Fraction(HUGE, 3)},
    "decimal": {"phone": "+491601", "a": Decimal("1e99999")},
    "not a number": {"phone": "+491601", "a": Decimal("sNaN")},
    "key": {"phone": "+491601", HUGE: "x"},
    "nested": {"phone": "+491601", "a": [HUGE]},
    "alone": HUGE,
    "bytes": b"1" * 5000,
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"normalize": "DE"},
    {"columns": {"phone": "phone", "a": "a", "callback_data": "callback_data"}},
    {"duplicates": "skip"},
    {"validate": False},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
async def test_the_rows_beside_it_are_sent(options: dict[str, Any], rig: Rig) -> None:
    rows = [*numbers(3), *ROWS.values(), *numbers(6)[3:]]
    report = await rig.upload(rows, batch_size=4, **options)
    created = 7 if "columns" in options else 6  # keys that are not chosen are not looked at
    assert (report.created_count, report.failed_count) == (created, 0)
    assert report.invalid_count == len(ROWS) - (created - 6)
    assert sorted(set(rig.stored) - {"+491601"}) == numbers(6)
    assert all(len(str(result.error)) < 300 for result in report.invalid)


async def test_nor_is_it_a_country(rig: Rig) -> None:
    rows = [{"phone": "0171 1234567", "land": land} for land in (HUGE, "DE", 49, None)]
    report = await rig.upload(rows, normalize=Normalize("DE", country="land"))
    assert [result.index for result in report.invalid] == [0]
    assert report.created_count == 3


async def test_its_row_says_so(rig: Rig, tmp_path: Path) -> None:
    rows = [{"phone": "+491601", "callback_data": HUGE}, *numbers(3)]
    report = await rig.upload(rows, journal=tmp_path / "list.journal")
    (result,) = report.invalid
    assert str(result.error) == "Invalid phone: callback_data: has more digits than any text may"
    assert result.phone.callback_data == "a number of about 5,001 digits"


async def test_an_id_is_a_text_like_any_other(rig: Rig) -> None:
    rows = [{"phone": "+491601", "callback_data": 10**at} for at in (0, 18, 35, 36)]
    report = await rig.upload(rows)
    assert [commit.callback_data for commit in rig.sandbox.commits] == [
        str(10**at) for at in (0, 18, 35)
    ]
    assert "is longer than 36 characters (37)" in str(report.invalid[0].error)


@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "other"]),
        st.one_of(st.integers(), st.just(HUGE), st.floats(), st.decimals(), st.booleans()),
        max_size=3,
    )
)
def test_no_row_costs_another(row: dict[str, object]) -> None:
    checked = Checker().check(0, ["+491601", row, "+491602"])
    assert len(checked) == 3
    assert {"+491601", "+491602"} <= set(checked.numbers)


async def test_options_at_their_bounds(rig: Rig) -> None:
    report = await rig.upload(
        numbers(20),
        batch_size=LARGEST,
        max_batch_bytes=LARGEST,
        concurrency=Adaptive(max=LARGEST),
        rate=Rate(10**9, per=1.0),
        retry=RetryPolicy(attempts=LARGEST, base=1e9, cap=1e9, max_wait=1e9),
        stop_when=FailureLimit(count=LARGEST, ratio=1e9),
        deadline=1e9,
        linger=1e9,
    )
    assert report.created_count == 20
