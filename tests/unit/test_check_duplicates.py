"""Numbers that occur twice, and numbers in their normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import ConfigurationError, Normalize, Phone, Problem
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.upload.intake.skipping import Skipping

german = normalizer(Normalize("DE"))


def test_the_second_of_two_is_rejected_and_names_the_first() -> None:
    checker = Checker(skipping=Skipping())
    first = checker.check(0, ["+491", "+492", "+491"])
    second = checker.check(3, [Phone("+492", a="x"), "+493"])
    assert list(first.indices) == [0, 1]
    assert list(second.indices) == [4]
    assert [r.index for r in first.rejected] == [2]
    for rejection in (first.rejected[0], second.rejected[0]):
        assert str(rejection.problem) == "Duplicate phone: the same number as an earlier row"
    assert first.rejected[0].problem.duplicate_of == 0
    assert second.rejected[0].problem.duplicate_of == 1
    assert second.rejected[0].problem.violations[0].code == "duplicate"


def test_an_invalid_number_is_no_first() -> None:
    checked = Checker(skipping=Skipping()).check(0, [Phone("+491", a="x" * 1531), "+491"])
    assert list(checked.indices) == [1]


def test_duplicates_are_found_by_the_normal_form() -> None:
    checker = Checker(skipping=Skipping(), normalize=german)
    checked = checker.check(0, ["0151 12345678", "+49 151 12345678", "0049-151-12345678"])
    assert list(checked.indices) == [0]
    assert checked.numbers == ["+4915112345678"]
    assert checked.submitted == ["0151 12345678"]
    assert [r.submitted for r in checked.rejected] == ["+49 151 12345678", "0049-151-12345678"]


def test_duplicates_are_sent_unless_asked() -> None:
    assert len(Checker().check(0, ["+491", "+491"]).numbers) == 2


@pytest.mark.parametrize(
    "spelling",
    [
        "0151 12345678",
        "0151/12345678",
        "0151-123 456 78",
        "(0151) 12345678",
        "+49 (0)151 12345678",
        "+49 151 12345678",
        "0049 151 12345678",
        "+4915112345678",
        "  0151 12345678\n",
        "\u202a+49 151 12345678\u202c",
        "0151\u00a012345678",
        "0151\u200b12345678",
        "\ufeff0151 12345678",
        "'0151 12345678",
        "\u20190151 12345678",
        "0151\u201112345678",
        "\uff10\uff11\uff15\uff11 12345678",
        "tel:+49-151-12345678",
        "0151.123.456.78",
    ],
)
def test_messy_spellings_have_one_normal_form(spelling: str) -> None:
    assert german(spelling) == "+4915112345678"
    checked = Checker(normalize=german).check(0, [spelling])
    assert checked.numbers == ["+4915112345678"]


def test_other_countries_keep_theirs() -> None:
    assert german("+43 664 1234567") == "+436641234567"
    austrian = normalizer(Normalize("AT"))
    assert austrian("0664 1234567") == "+436641234567"


@pytest.mark.parametrize(
    "text", ["", "abc", "12", "110", "+", "+49", "0151 123456781234567", "n/a", "-"]
)
def test_what_is_no_number(text: str) -> None:
    problem = german(text)
    assert isinstance(problem, Problem)
    assert problem.violations[0].path == "phone"


def test_a_number_in_normal_form_already_needs_no_second_spelling() -> None:
    checked = Checker(normalize=german).check(0, ["+4915112345678"])
    assert checked.submitted is None


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    assert isinstance(german(text), (str, Problem))


@pytest.mark.parametrize("region", ["", "de", "Germany", "XX", "D"])
def test_a_region_that_does_not_exist(region: str) -> None:
    with pytest.raises(ConfigurationError, match="region"):
        normalizer(Normalize(region))
