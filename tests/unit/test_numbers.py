"""Two spellings of one number, and two numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.numbers import alike, digits, tail

SPELLINGS = [
    "+4915112345678",
    "004915112345678",
    "015112345678",
    "0151 12345678",
    "+49 (0)151 12345678",
    "0151/1234-5678",
    "4915112345678",
    "15112345678",
]


@pytest.mark.parametrize("one", SPELLINGS)
@pytest.mark.parametrize("other", SPELLINGS)
def test_spellings_of_one_number(one: str, other: str) -> None:
    assert alike(one, other)
    assert tail(one) == tail(other)


@pytest.mark.parametrize(
    "other", ["+4915112345679", "0151 1234567", "", " ", "+", "0", "abc", "+49"]
)
def test_other_numbers(other: str) -> None:
    assert not alike("+4915112345678", other)


@given(st.text(), st.text())
def test_any_text(one: str, other: str) -> None:
    assert alike(one, one)
    assert alike(one, other) == alike(other, one)
    assert isinstance(digits(one) + tail(one), str)


def test_a_text_without_digits_is_only_like_itself() -> None:
    assert alike("abc", "abc")
    assert not alike("abc", "abd")
    assert not alike("abc", "123")
