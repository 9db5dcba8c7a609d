"""The provider's limits, to the character, on the fast path and on the slow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asyncsdk import Phone
from asyncsdk.models import COLUMNS
from asyncsdk.upload.intake.check import Checker

if TYPE_CHECKING:
    from asyncsdk.upload.intake.pieces import Checked

LIMITS = [("phone", 30), *((column, 1530) for column in COLUMNS), ("callback_data", 36)]
BAD = object()


def phone_of(name: str, text: str) -> Phone:
    return Phone(**({"phone": "+491"} | {name: text}))


def both_ways(item: object, checker: Checker | None = None) -> Checked:
    """The verdict on one row: alone (the fast path) and beside a bad row (the slow one)."""
    checker = checker or Checker()
    fast = checker.check(0, [item])
    slow = checker.check(0, [item, BAD])
    assert list(fast.indices) == list(slow.indices)
    assert fast.body == slow.body
    assert list(fast.rejected) == [r for r in slow.rejected if r.index == 0]
    return fast


@pytest.mark.parametrize(("name", "limit"), LIMITS)
@pytest.mark.parametrize("character", ["1", "ü", "🎉", "\n"])
def test_exactly_at_the_limit(name: str, limit: int, character: str) -> None:
    checked = both_ways(phone_of(name, "1" + character * (limit - 1)))
    assert len(checked.numbers) == 1
    checked = both_ways(phone_of(name, "1" + character * limit))
    assert not checked.numbers
    (violation,) = checked.rejected[0].problem.violations
    assert (violation.path, violation.code) == (name, "too-long")
    assert str(violation) == f"{name}: is longer than {limit} characters ({limit + 1})"


@pytest.mark.parametrize(("name", "limit"), LIMITS)
def test_without_validation_length_is_the_servers_business(name: str, limit: int) -> None:
    checked = both_ways(phone_of(name, "1" * (limit + 1)), Checker(limits=False))
    assert len(checked.numbers) == 1


@pytest.mark.parametrize("number", ["", " ", "\t\n", "\u00a0\u2003"])
def test_a_number_is_required(number: str) -> None:
    for item in (number, Phone(number), {"phone": number}):
        checked = both_ways(item)
        assert [str(v) for v in checked.rejected[0].problem.violations] == ["phone: is required"]
        assert len(both_ways(item, Checker(limits=False)).numbers) == 1


@pytest.mark.parametrize("name", [name for name, _ in LIMITS if name != "phone"])
def test_an_empty_text_and_none_are_fine_elsewhere(name: str) -> None:
    assert len(both_ways({"phone": "+491", name: ""}).numbers) == 1
    assert len(both_ways({"phone": "+491", name: None}).numbers) == 1


def test_every_broken_rule_is_named() -> None:
    checked = both_ways(Phone("", a="x" * 1531, callback_data="y" * 37))
    named = [violation.path for violation in checked.rejected[0].problem.violations]
    assert sorted(named) == ["a", "callback_data", "phone"]
    assert len(str(checked.rejected[0].problem)) < 500


def test_a_bad_row_never_sinks_its_chunk() -> None:
    chunk = [Phone("+491"), Phone("1" * 31), Phone("+492"), Phone("")]
    checked = Checker().check(10, chunk)
    assert list(checked.indices) == [10, 12]
    assert checked.numbers == ["+491", "+492"]
    assert [rejection.index for rejection in checked.rejected] == [11, 13]
    assert [rejection.row.phone for rejection in checked.rejected] == ["1" * 31, ""]


@pytest.mark.parametrize(
    "blank", [" ", "   ", "\t", "\n ", "\r\n", "\u00a0", "\u2003 ", "\x1c", "\x85"]
)
def test_a_number_of_blanks_alone_is_none_wherever_it_stands(blank: str) -> None:
    for rows in (
        [blank],
        ["+491", blank],
        [{"phone": blank, "a": "x"}],
        [Phone("+491"), Phone(blank)],
    ):
        checked = Checker().check(0, rows)
        assert [rejection.index for rejection in checked.rejected] == [len(rows) - 1]
        assert len(checked.numbers) == len(rows) - 1
