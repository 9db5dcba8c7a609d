from __future__ import annotations

import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.config import Normalize
from asyncsdk.errors import ConfigurationError
from asyncsdk.models import Phone, Problem
from asyncsdk.plans import _library
from asyncsdk.sources import read
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.upload.intake.skipping import Skipping
from tests.rig import connected
from tests.sources.lists import KONTAKTE


def normal(text: str, region: str = "DE", *, mobile_only: bool = False) -> str:
    """The normal form, or the code of the reason why there is none."""
    found = normalizer(Normalize(region, mobile_only=mobile_only))(text)
    return found if isinstance(found, str) else str(found.violations[0].code)


@pytest.mark.parametrize(
    "text",
    [
        "+4916012345678",
        "+49 160 12345678",
        "+49 (0)160/123-45678",
        "+49 (0) 160 12345678",
        "(0160) 12345678",
        "0160 12345678",
        "0160-12345678",
        "0160/12345678",
        "0160.123.456.78",
        "0049 160 12345678",
        "00 49 160 12345678",
        "+49\N{NO-BREAK SPACE}160\N{NO-BREAK SPACE}12345678",
        "0160\N{NARROW NO-BREAK SPACE}12345678",
        "\u202a+4916012345678\u202c",
        "\u200e0160\u200b12345678\ufeff",
        "'+4916012345678",
        "'0160 12345678",
        "\N{RIGHT SINGLE QUOTATION MARK}+4916012345678",
        "4916012345678",
        "4916012345678.0",
        "4916012345678,00",
        "49 160 12345678",
        "49 (0)160 12345678",
        "０１６０ １２３４５６７８",  # noqa: RUF001 - wide digits, as pasted from a Japanese text
        "  +49 160 12345678\n",
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(text: str) -> None:
    assert normal(text) == "+4916012345678"


INVISIBLE = [
    "SOFT HYPHEN",
    "ARABIC LETTER MARK",
    "MONGOLIAN VOWEL SEPARATOR",
    "ZERO WIDTH SPACE",
    "ZERO WIDTH NON-JOINER",
    "ZERO WIDTH JOINER",
    "LEFT-TO-RIGHT MARK",
    "RIGHT-TO-LEFT MARK",
    "LEFT-TO-RIGHT EMBEDDING",
    "RIGHT-TO-LEFT EMBEDDING",
    "POP DIRECTIONAL FORMATTING",
    "LEFT-TO-RIGHT OVERRIDE",
    "RIGHT-TO-LEFT OVERRIDE",
    "WORD JOINER",
    "INVISIBLE SEPARATOR",
    "LEFT-TO-RIGHT ISOLATE",
    "RIGHT-TO-LEFT ISOLATE",
    "FIRST STRONG ISOLATE",
    "POP DIRECTIONAL ISOLATE",
    "ZERO WIDTH NO-BREAK SPACE",
]


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_is_pasted_along_and_never_seen_is_no_part_of_it(name: str) -> None:
    mark = unicodedata.lookup(name)
    assert normal(f"{mark}0160{mark}12345678{mark}") == "+4916012345678"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4,91601E+11", "rounded"),
        ("4.91601E+11", "rounded"),
        ("4,91601e11", "rounded"),
        ("5E+11", "rounded"),
        ("+4916006119255, +4916003352749", "two-numbers"),
        ("0160 1234567 / 0171 7654321", "two-numbers"),
        ("0160/1234567;0171/7654321", "two-numbers"),
        ("0160 1234567 oder 0171 7654321", "two-numbers"),
        ("0160 1234567\n0171 7654321", "two-numbers"),
        ("+49160 1234567 +49171 7654321", "two-numbers"),
        ("unbekannt", "no-number"),
        ("k. A.", "no-number"),
        ("-", "no-number"),
        ("0800 FLOWERS", "words"),
        ("0160 1234567 (Büro)", "words"),
        ("+999 12345678", "country"),
        ("+49 1", "too-short"),
        ("110", "too-short"),
        ("+49 160 1234567890123", "too-long"),
    ],
)
def test_what_is_no_number_says_why(text: str, code: str) -> None:
    assert normal(text) == code


def test_a_rounded_number_is_told_as_such() -> None:
    normalize = normalizer(Normalize("DE"))
    assert "its last digits are lost" in str(normalize("4,91601E+11"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0160 12345678", "+4916012345678"),
        ("030 1234567", "no-mobile"),
        ("0800 1234567", "no-mobile"),
        ("+1 (202) 555-0131", "+12025550131"),  # which of them are mobile, nobody can tell
        ("+33 6 39 98 43 54", "+33639984354"),
        ("+33 1 39 98 43 54", "no-mobile"),
    ],
)
def test_landlines_are_refused_where_asked_for(text: str, found: str) -> None:
    assert normal(text, mobile_only=True) == found


def test_a_landline_is_a_number_unless_asked_for() -> None:
    assert normal("030 1234567") == "+49301234567"
    assert normal("0491 1234567") == "+494911234567"


def test_the_region_decides() -> None:
    assert normal("0660 1234567", "AT") == "+436601234567"
    assert normal("07700 900638", "GB") == "+447700900638"
    with pytest.raises(ConfigurationError, match="a region such as 'DE'"):
        Normalize("de")


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    _library.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'asyncsdk\[phone\]'"):
        normalizer(Normalize("DE"))


@given(st.text(max_size=40))
def test_whatever_the_text_it_is_a_number_or_a_problem(text: str) -> None:
    normalize = normalizer(Normalize("DE"))
    found = normalize(text)
    assert isinstance(found, Problem) or found.removeprefix("+").isdecimal()


def test_duplicates_are_found_on_the_normal_form() -> None:
    checker = Checker(normalize=normalizer(Normalize("DE")), skipping=Skipping())
    rows = ["0160 12345678", "0171 7654321", "+49 160 12345678", "0160 12345678 / 0171 7654321"]
    checked = checker.check(0, rows)
    assert list(checked.indices) == [0, 1]
    duplicate, double = checked.rejected
    assert (duplicate.index, duplicate.problem.duplicate_of) == (2, 0)
    assert double.problem.duplicate_of is None
    (again,) = checker.check(4, ["0049 171 7654321"]).rejected
    assert again.problem.duplicate_of == 1


async def test_the_submitted_and_the_normal_form_are_in_the_result() -> None:
    async with connected() as rig:
        source = ["0160 12345678", "0160-12345678", "nobody"]
        report = await rig.upload(source, normalize="DE", duplicates="skip")
    (created,) = report.created
    assert (created.phone.phone, created.number) == ("0160 12345678", "+4916012345678")
    (nobody,), (duplicate,) = report.invalid, report.skipped
    assert (duplicate.phone.phone, duplicate.number) == ("0160-12345678", "+4916012345678")
    assert duplicate.error is not None
    assert duplicate.error.duplicate_of == 0
    assert (nobody.phone, nobody.number) == (Phone("nobody"), "nobody")


async def test_every_row_of_the_messy_list_is_accounted_for() -> None:
    source = read(KONTAKTE, columns={"a": "Vorname", "b": "Nachname"})
    async with connected() as rig:
        report = await rig.upload(source, normalize="DE", duplicates="skip")
        stored = [commit.phone for commit in rig.sandbox.commits]
    assert report.submitted == source.count() == 2105
    codes = Counter(
        violation.code
        for result in (*report.invalid, *report.skipped)
        if result.error
        for violation in result.error.violations
    )
    assert codes == REASONS
    assert report.created_count == 2105 - sum(REASONS.values()) == len(set(stored)) == len(stored)
    assert report.failed_count == 0


REASONS = {"duplicate": 312, "no-number": 44, "required": 77, "rounded": 73, "two-numbers": 39}
"""What is wrong with how many rows, with columns that nothing is wrong with."""
