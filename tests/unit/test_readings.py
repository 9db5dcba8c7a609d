"""The law of normalising: the right number or a refusal, and in no case another number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import phonenumbers
import pytest
from attrs import frozen
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asyncsdk.config import Normalize
from asyncsdk.upload.intake.normalize import normalizer
from tests.effort import effort

if TYPE_CHECKING:
    from asyncsdk.models import Problem

REGIONS = (
    *("DE", "AT", "CH", "GB", "IN", "US", "FR", "IT", "ES", "PT", "NL", "BE", "LU", "LI", "DK"),
    *("SE", "NO", "FI", "PL", "CZ", "SK", "HU", "RO", "BG", "GR", "TR", "RU", "UA", "IE", "HR"),
    *("SI", "AU", "NZ", "JP", "KR", "CN", "BR", "MX", "ZA", "AE", "SG", "IL", "CA", "AR", "EG"),
)
KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
_E164 = phonenumbers.PhoneNumberFormat.E164
GAPS = ("", "", "", "", " ", " ", "-", ".", "/", "  ", " - ", "\u00a0", ")", "(", ") ", " (", "'")
ENDINGS = (
    *("/68", " / 8", "/8", " (2)", "(2)", " - 2", "-8", "- 12", " / 12346", "; 8", ", 8"),
    *(" + 8", " oder 8", " u. 8", "\n8", " | 8", " & 8", "\\8", " ext 8", " x8", "#8", "*8"),
)


@frozen
class Real:
    """A number that is in the plan of its region."""

    region: str
    code: str
    national: str
    trunk: str

    @property
    def number(self) -> str:
        return f"+{self.code}{self.national}"


@st.composite
def numbers(draw: st.DrawFn) -> Real:
    """A random one: an example of its region with other last digits."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(KINDS)))
    assert example is not None
    national = phonenumbers.national_significant_number(example)
    kept = draw(st.integers(1, 4))
    length = draw(st.sampled_from([len(national)] * 4 + [len(national) - 1, len(national) + 1]))
    drawn = draw(st.text("0123456789", min_size=length - kept, max_size=length - kept))
    found = _valid(f"+{example.country_code}{national[:kept]}{drawn}") or example
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    return Real(
        region,
        str(found.country_code),
        phonenumbers.national_significant_number(found),
        metadata.national_prefix or "",
    )


def _valid(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


@st.composite
def dressed(draw: st.DrawFn, digits: str) -> str:
    """With random punctuation, and decimals as a spreadsheet has them."""
    if draw(st.booleans()):
        return digits + draw(st.sampled_from(["", "", ".0", ".00", ",00", ",0"]))
    if draw(st.integers(0, 5)) == 0:
        by = draw(st.sampled_from(".,' "))
        plus, bare = ("+", digits[1:]) if digits.startswith("+") else ("", digits)
        head = len(bare) % 3
        groups = [bare[:head], *(bare[at : at + 3] for at in range(head, len(bare), 3))]
        return plus + by.join(filter(None, groups))
    gaps = draw(st.lists(st.sampled_from(GAPS), min_size=len(digits), max_size=len(digits)))
    text = "".join(char + gap for char, gap in zip(digits, gaps, strict=True))
    assume(text[0] in "+0" or not re.search(r"\.0+\W*$", text))  # those would be decimals
    return text


@st.composite
def spelled(draw: st.DrawFn, real: Real) -> tuple[str, str, str]:
    """A cell that means this number, the default region of its list, and its country."""
    anywhere, own = draw(st.sampled_from(REGIONS)), real.region
    code, national = real.code, real.national
    cell, region = draw(
        st.sampled_from(
            [
                (f"+{code}{national}", anywhere),
                (f"00{code}{national}", anywhere),
                (f"{code}{national}", anywhere),
                (f"{code}{national}", own),
                (f"{real.trunk}{national}", own),
                (national, own),
            ]
        )
    )
    text = draw(dressed(cell))
    if draw(st.booleans()) or region != own:
        return text, region, draw(st.sampled_from(["", own]))
    return text, anywhere, own


def read(cell: str, region: str, country: str = "") -> str | Problem:
    return normalizer(Normalize(region))(cell, country)


@settings(max_examples=effort(300, 5000))
@given(st.data())
def test_however_it_is_dressed_it_is_that_number_or_none(data: st.DataObject) -> None:
    real = data.draw(numbers())
    assume(not _doubled(real))
    cell, region, country = data.draw(spelled(real))
    found = read(cell, region, country)
    assert not isinstance(found, str) or found == real.number


def _doubled(real: Real) -> bool:
    """Whether it is a landline that begins with its own country code and is longer than any is."""
    return real.national.startswith(real.code) and len(real.national) >= len("491711234567")


@settings(max_examples=effort(100, 2000))
@given(st.data())
def test_two_numbers_are_none(data: st.DataObject) -> None:
    real = data.draw(numbers())
    cell, region, country = data.draw(spelled(real))
    ending = data.draw(st.sampled_from(ENDINGS))
    assert not isinstance(read(cell + ending, region, country), str)


@settings(max_examples=effort(100, 2000))
@given(numbers(), numbers(), st.sampled_from([" ", "  ", "/", " - ", "-", ".", "\t", " ::: "]))
def test_nor_are_two_whole_ones(one: Real, other: Real, gap: str) -> None:
    for first, second in (
        (one.number, other.number),
        (f"{one.trunk}{one.national}", f"{one.trunk}{other.national}"),
    ):
        assert not isinstance(read(f"{first}{gap}{second}", one.region), str)


@settings(max_examples=effort(100, 2000))
@given(st.data())
def test_what_a_spreadsheet_made_of_it_is_none(data: st.DataObject) -> None:
    real = data.draw(numbers())
    value = int(real.code + real.national)
    region = data.draw(st.sampled_from([real.region, "DE"]))
    for cell in (
        f"-{value}",
        f"{value}-",
        f"({value})",
        f"{value}.5",
        f"{value},25",
        f"{value:.5E}",
        f"{value:.2e}".replace(".", ","),
        f"\u2212{value}",
        str(int(real.code) - int(real.national)),
    ):
        assert not isinstance(read(cell, region), str), cell


@settings(max_examples=effort(100, 2000))
@given(numbers(), st.integers(1, 1999), st.sampled_from([". ", ") ", ".) ", " ", " - ", "\t"]))
def test_the_rank_of_a_row_is_no_part_of_its_number(real: Real, rank: int, mark: str) -> None:
    """Unless it could be its country's code, in which case it is no rank."""
    found = read(f"{rank}{mark}{real.trunk}{real.national}", real.region)
    landline = not real.trunk and mark[0] not in ".)"
    assert (
        not isinstance(found, str)
        or landline
        or (mark[0] not in ".)" and found.startswith(f"+{rank}"))
    )


@pytest.mark.parametrize("cell", ["+{}", "00{}", "+ {}", "+({}"])
@settings(max_examples=effort(50, 1000))
@given(numbers(), st.sampled_from(["0", "00", "000"]), st.integers(0, 3))
def test_zeros_where_no_number_has_any_are_none_of_it(
    cell: str, real: Real, zeros: str, at: int
) -> None:
    digits = real.code + real.national
    found = read(cell.format(digits[:at] + zeros + digits[at:]), real.region)
    if isinstance(found, str):
        assert found == phonenumbers.format_number(phonenumbers.parse(found), _E164)


@pytest.mark.parametrize("bare", ["national", "international"])
@settings(max_examples=effort(50, 1000))
@given(data=st.data())
def test_who_knows_what_bare_numbers_are_says_so(bare: str, data: st.DataObject) -> None:
    real = data.draw(numbers())
    how = Normalize(real.region, bare=bare)  # type: ignore[arg-type]
    cell = real.national if bare == "national" else real.code + real.national
    assume(not real.national.startswith("0") and not _doubled(real))
    found = normalizer(how)(cell)
    assert found == real.number, found
