"""Spellings that are certainly one number, and those that may be two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.numbers import comparable

ONE = "+491601234567"


@pytest.mark.parametrize(
    "spelling",
    [
        ONE,
        "+49 160 1234567",
        "0049160 1234567",
        "0049-160-1234567",
        "00 49 160 123 45 67",
        "(0049) 160 1234567",
        "(+49) 160 1234567",
        "+49 (160) 1234567",
        "+49 (0)160 1234567",
        "0049 (0) 160/1234567".replace("(0) ", "(0)"),
        "+49.160.1234567",
        "+49\u00a0160\u20111234567",
        "\u202a+49 160 1234567\u202c",
        "\ufeff +491601234567\t",
    ],
)
def test_spellings_of_one_number(spelling: str) -> None:
    assert comparable(spelling) == ONE


@pytest.mark.parametrize(
    "spelling", ["0160 1234567", "0160/1234567", "(0160) 1234567", "0160-123 45 67", "0160.1234567"]
)
def test_a_number_without_its_country_is_its_digits(spelling: str) -> None:
    assert comparable(spelling) == "01601234567"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("491601234567", ONE),  # may be a number in the area 0491
        ("01601234567", ONE),  # of which country?
        ("+49 160 1234567 / 8", "+4916012345678"),
        ("+49 160 1234567/68", "+49160123456768"),
        ("+49 160 1234567 (2)", "+4916012345672"),
        ("+49 160 1234567 - 2", "+4916012345672"),
        ("+49 160 1234567-68", "+49160123456768"),
        ("+49 160 123456.0", "+491601234560"),
        ("+49160123456.00", "+4916012345600"),
        ("160123456.0", "1601234560"),
        ("+49 160 1234\n567", ONE),
        ("+49 160 1234, 567", ONE),
        ("+49 160 1234; 567", ONE),
        ("+49 160 123456 ext 7", ONE),
        ("+49 1601 + 234567", ONE),
        ("+39 (0)33 1234567", "+39331234567"),  # there a 0 is part of the number
        ("+39 (0)33 1234567", "+39 33 1234567"),
        ("4,91601E+11", "491601000000"),
        ("4.91601E+11", "4.91601E+12"),
        ("0301234/5678901", "03012345678901"),
        ("000160", "+0160"),
        ("nobody", "nobody else"),
        ("\uff11\uff12\uff13\uff14\uff15", "12345"),
        ("", "+"),
    ],
)
def test_what_may_be_two_numbers(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


PUNCTUATION = st.sampled_from(["", " ", "-", ".", " - ", "\u00a0", "\u2011"])


@given(st.text("0123456789", min_size=7, max_size=9), st.data())
def test_punctuation_between_its_groups_changes_no_number(local: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(local) - 4))
    country = data.draw(st.sampled_from(["+49", "0049", "(+49)", "00 49"]))
    gaps = [data.draw(PUNCTUATION) for _ in range(2)]
    written = f"{country}{gaps[0]}{local[:cut]}{gaps[1]}{local[cut:]}"
    assert comparable(written) in {f"+49{local}", written.strip()}
    if not local[cut:].strip("0"):
        return  # a fraction, perhaps
    assert comparable(written) == f"+49{local}"


@given(st.text("+0123456789 ()-/.,;xE\n\u00a0", max_size=20))
def test_it_is_a_normal_form_of_the_digits_or_the_text_as_it_is(text: str) -> None:
    found = comparable(text)
    assert comparable(found) == found
    if found != text.strip():
        digits = "".join(filter(str.isdecimal, text))
        assert found.removeprefix("+") in digits or "(0)" in text


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    assert isinstance(comparable(text), str)
