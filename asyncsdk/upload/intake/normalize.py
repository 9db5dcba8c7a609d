"""Numbers in E.164 form, by phonenumbers (the extra `phone`).

What a list has instead of a number is told apart: each reason has a code of its own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError
from asyncsdk.models import Problem, Violation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["normalizer"]

_INVISIBLE = dict.fromkeys(
    [
        *(0xAD, 0x61C, 0x180E, 0xFEFF),  # soft hyphen, marks, zero-width no-break space
        *range(0x200B, 0x2010),  # zero-width characters and direction marks
        *range(0x202A, 0x202F),  # embeddings and overrides
        *range(0x2060, 0x206A),  # word joiner, isolates
    ]
)
"""Characters that are pasted along with a number and never seen."""

_APOSTROPHES = "'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}"
"""What a spreadsheet, or whoever filled it, puts before a number to keep it a text."""

_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_DECIMALS = re.compile(r"(\+?\d{7,})[.,]0")
"""A number that went through a column of floats."""
_BETWEEN = re.compile(r"[,;/|&\n]|\s(?:und|oder|and|or|et|ou|y|e)\s|(?<=\d)\s*(?=\+)")
_SPACE = re.compile(r"[^\S\n]")
_LABEL = re.compile(r"^tel\s*[.:]+\s*", re.IGNORECASE)
"""`tel:` (RFC 3966), or what people write before a number."""
_WORD = re.compile(r"[^\W\d_]")
_WHOLE = 7
"""Digits that make a number rather than a group of digits within one."""

_REASONS = {
    "rounded": "a spreadsheet has rounded this number, its last digits are lost: format the column "
    "as text and export the list again",
    "two-numbers": "there are two numbers in one cell: keep one, or make two rows of them",
    "words": "there are words in it: keep the number alone",
    "no-number": "there is no number in it",
    "country": "there is no country with this code",
    "too-short": "it has too few digits for a number there",
    "too-long": "it has too many digits for a number there",
    "no-mobile": "it is no mobile number",
}


@cache
def normalizer(
    region: str | None, *, mobile_only: bool = False
) -> Callable[[str], str | Problem] | None:
    """What turns a number into its E.164 form, or says why it is none; None where not asked for.

    Args:
        region: The region that numbers without a country code belong to, such as `"DE"`.
        mobile_only: Whether a number that no mobile phone can have is none.

    Raises:
        ImportError: phonenumbers is not installed.
        ConfigurationError: There is no such region.
    """
    if region is None:
        return None
    try:
        import phonenumbers
    except ImportError as error:
        msg = "normalize= needs phonenumbers: pip install 'asyncsdk[phone]'"
        raise ImportError(msg) from error
    if region not in phonenumbers.SUPPORTED_REGIONS:
        msg = f"normalize must be a region such as 'DE' or 'AT', not {region!r}"
        raise ConfigurationError(msg)

    code = str(phonenumbers.country_code_for_region(region))

    def normalize(number: str) -> str | Problem:
        text = _bare(number)
        if wrong := _obstacle(text):
            return _no_number(wrong)
        try:
            parsed = _international(phonenumbers, text, code) or phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException as error:
            return _no_number(_unparsed(error))
        if wrong := _impossible(phonenumbers, parsed):
            return _no_number(wrong)
        if mobile_only and _landline(phonenumbers, parsed):
            return _no_number("no-mobile")
        formatted: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return formatted

    return normalize


def _bare(number: str) -> str:
    """The number without what is invisible around and in it, or only there for a spreadsheet."""
    seen = _SPACE.sub(" ", number.translate(_INVISIBLE))
    text = _LABEL.sub("", seen.strip().lstrip(_APOSTROPHES).strip())
    found = _DECIMALS.fullmatch(text)
    return found[1] if found else text


def _obstacle(text: str) -> str | None:
    """The code of what keeps a text from being one number, without asking the plan of numbers."""
    if _ROUNDED.fullmatch(text):
        return "rounded"
    pieces = [piece for piece in _BETWEEN.split(text) if _digits(piece) >= _WHOLE]
    if len(pieces) > 1:
        return "two-numbers"
    if not _digits(text):
        return "no-number"
    # A letter would be read as the key of a telephone that it stands on.
    return "words" if _WORD.search(text) else None


def _international(phonenumbers: Any, text: str, code: str) -> Any:
    """A mobile number of the region whose `+` was lost: `49160…` is no landline in `0491`."""
    if not (text.startswith(code) and text.isdecimal()):
        return None
    parsed = phonenumbers.parse(f"+{text}", None)
    mobile = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
    return parsed if mobile else None


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _unparsed(error: Any) -> str:
    return {
        error.INVALID_COUNTRY_CODE: "country",
        error.TOO_SHORT_AFTER_IDD: "too-short",
        error.TOO_SHORT_NSN: "too-short",
        error.TOO_LONG: "too-long",
    }.get(error.error_type, "no-number")


def _impossible(phonenumbers: Any, parsed: Any) -> str | None:
    possible = phonenumbers.ValidationResult
    return {
        possible.IS_POSSIBLE: None,
        possible.INVALID_COUNTRY_CODE: "country",
        possible.TOO_LONG: "too-long",
    }.get(phonenumbers.is_possible_number_with_reason(parsed), "too-short")


def _landline(phonenumbers: Any, parsed: Any) -> bool:
    """Whether it is certainly none of a mobile phone; some plans and new ranges do not tell."""
    kinds = phonenumbers.PhoneNumberType
    doubtful = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}
    return phonenumbers.number_type(parsed) not in doubtful


def _no_number(code: str) -> Problem:
    return Problem("Invalid phone", violations=(Violation("phone", _REASONS[code], code),))
