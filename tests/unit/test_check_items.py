"""What stands for a phone, and what is said of everything else."""

from __future__ import annotations

from collections import UserDict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Phone
from asyncsdk.models import FIELDS
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.skipping import Skipping
from asyncsdk.wire.rows import decode_rows

if TYPE_CHECKING:
    from asyncsdk.upload.intake.pieces import Rejection

CALLBACK = "c" * 36


def row_for(item: object) -> dict[str, Any]:
    checked = Checker().check(0, [item])
    assert not checked.rejected, checked.rejected
    (row,) = decode_rows(checked.body)
    return {name: value for name in FIELDS if (value := getattr(row, name))}


def rejection_of(item: object) -> Rejection:
    checked = Checker().check(0, [item])
    assert not checked.numbers
    (rejection,) = checked.rejected
    return rejection


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "item",
    [
        "+491",
        Text("+491"),
        Phone("+491"),
        {"phone": "+491"},
        {"phone": "+491", "a": None},
        UserDict(phone="+491"),
    ],
)
def test_a_number(item: object) -> None:
    assert row_for(item) == {"phone": "+491"}


@pytest.mark.parametrize("kind", [dict, UserDict, Phone])
def test_all_fields(kind: Any) -> None:
    fields = {"phone": "+491", **dict.fromkeys("abcde", "x"), "callback_data": CALLBACK}
    assert row_for(kind(**fields)) == fields


def test_kinds_may_be_mixed_in_one_chunk() -> None:
    checked = Checker().check(0, ["1", Phone("2"), {"phone": "3"}, UserDict(phone="4"), Text("5")])
    assert checked.numbers == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", ["phone", "a", "e", "callback_data"])
@pytest.mark.parametrize("value", [1.5, 1e16, b"x", True, [], {}, object(), Fraction(1, 2)])
@pytest.mark.parametrize("kind", [dict, Phone])
def test_a_value_that_is_no_text(name: str, value: object, kind: Any) -> None:
    rejection = rejection_of(kind(**({"phone": "+491"} | {name: value})))
    (violation,) = rejection.problem.violations
    assert violation.path == name
    assert violation.message == f"must be a text, not {type(value).__name__}"
    assert isinstance(getattr(rejection.row, name), str)


@pytest.mark.parametrize("item", [{}, {"a": "x"}, {"phone": None}, Phone(None)])  # type: ignore[arg-type]
def test_no_number_at_all(item: object) -> None:
    assert str(rejection_of(item).problem) == "Invalid phone: phone: is required"


@pytest.mark.parametrize("item", [None, 5, 1.5, b"+491", ["+491"], ("+491", "x"), object()])
def test_no_phone_at_all(item: object) -> None:
    reason = str(rejection_of(item).problem)
    assert "a row is a Phone, a number as text, or something with the names of its" in reason
    assert f", not {type(item).__name__}" in reason


def test_an_unknown_field_is_named() -> None:
    rejection = rejection_of({"phone": "+491", "phnoe": "x", "name": "y"})
    (violation,) = rejection.problem.violations
    assert violation.code == "unknown-field"
    assert "unknown field 'name', 'phnoe'" in violation.message
    assert "callback_data" in violation.message
    assert rejection.row.phone == "+491"


def test_a_field_name_that_is_no_text() -> None:
    (violation,) = rejection_of({"phone": "+491", 5: "x"}).problem.violations
    assert "unknown field 5" in violation.message


@pytest.mark.parametrize("item", ["\ud800", Phone("+491", a="x\udfff"), {"phone": "\udc80"}])
@pytest.mark.parametrize("limits", [True, False])
def test_a_lone_surrogate(item: object, *, limits: bool) -> None:
    checked = Checker(limits=limits).check(0, [item])
    (violation,) = checked.rejected[0].problem.violations
    assert violation.message == "has a lone surrogate, which is no character"
    str(checked.rejected[0]).encode()


def test_a_whole_book_in_a_field_is_not_repeated_in_the_reason() -> None:
    for item in ({"phone": ["x" * 10_000]}, {"phone": "1", "x" * 10_000: "x"}, ["x" * 10_000]):
        rejection = rejection_of(item)
        assert len(str(rejection.problem)) < 500
        assert len(rejection.row.phone) <= 100


def test_an_iterator_of_words_is_read_as_numbers() -> None:
    checked = Checker().check(5, ["+491", "+492"])
    assert list(checked.indices) == [5, 6]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    "item", [Text("1"), {"phone": Text("1")}, Phone(Text("1")), {"phone": "1", "a": Text("x")}]
)
def test_a_text_of_a_type_of_its_own(item: object, *, skip: bool) -> None:
    checked = Checker(skipping=Skipping() if skip else None).check(0, [item])
    assert not checked.rejected
    assert type(checked.numbers[0]) is str
    assert checked.body.startswith(b'[{"phone":"1"')
