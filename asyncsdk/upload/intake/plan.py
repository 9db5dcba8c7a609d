"""The plans of numbers of the world, by phonenumbers (the extra `phone`)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from attrs import frozen

from asyncsdk.errors import ConfigurationError

__all__ = ["Number", "calling_code", "check_region", "complete", "dialled_abroad", "number_of"]

_SHORTEST = 8
"""Digits of a number with its country at least where no plan has it."""
_LONGEST = 15
"""Digits of a number with its country at most (ITU-T E.164)."""
_KNOWN = 1 << 14
"""Beginnings of numbers of which is remembered whether they are numbers themselves."""


@frozen
class Number:
    """A number that could be dialled, or why it could not."""

    text: str
    """In E.164 form; empty if there is none."""
    wrong: str | None
    """The code of what is wrong with it."""
    valid: bool
    """Whether it is in the plan of numbers."""
    mobile: bool
    """Whether it is certainly that of a mobile phone."""
    landline: bool
    """Whether it is certainly none of a mobile phone; some plans and new ranges do not tell."""
    national: str
    """Its digits behind the country code."""


def check_region(region: str) -> None:
    """Do nothing if there is a plan of numbers for this region.

    Raises:
        ConfigurationError: There is none.
        ImportError: phonenumbers is not installed.
    """
    if region not in _library().SUPPORTED_REGIONS:
        msg = f"normalize must be a region such as 'DE' or 'AT', not {region!r}"
        raise ConfigurationError(msg)


@cache
def calling_code(region: str) -> str:
    """The country code of a region, such as `49`."""
    return str(_library().country_code_for_region(region))


def dialled_abroad(digits: str, region: str) -> str | None:
    """What follows where digits begin as a call abroad does in a region: `011` in the US."""
    metadata: Any = _library().PhoneMetadata.metadata_for_region(region)
    found = re.match(metadata.international_prefix or "00", digits)
    return digits[found.end() :] if found else None


def number_of(digits: str) -> Number:
    """The number with these digits, of which the first ones are a country code."""
    library = _library()
    try:
        parsed = library.parse(f"+{digits}", None)
    except library.NumberParseException as error:
        return _none(_unparsed(error))
    if wrong := _impossible(library, parsed):
        return _none(wrong)
    kinds = library.PhoneNumberType
    kind = library.number_type(parsed)
    valid = kind != kinds.UNKNOWN
    national = library.national_significant_number(parsed)
    text = f"+{parsed.country_code}{national}"
    if wrong := _undialled(len(text) - 1, national, valid=valid):
        return _none(wrong)
    landline = kind not in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.UNKNOWN}
    return Number(text, None, valid, kind == kinds.MOBILE, landline, national)


@lru_cache(_KNOWN)
def complete(digits: str) -> bool:
    """Whether these digits, beginning with a country code, are a number of its plan already."""
    return number_of(digits).valid


def _undialled(digits: int, national: str, *, valid: bool) -> str | None:
    """Why no telephone has a number of which the lengths alone say that it is possible."""
    if digits > _LONGEST:
        return "too-long"
    if not valid and digits < _SHORTEST:
        return "too-short"
    return "zero" if not valid and national.startswith("0") else None


def _none(wrong: str) -> Number:
    return Number("", wrong, valid=False, mobile=False, landline=False, national="")


def _unparsed(error: Any) -> str:
    return {
        error.INVALID_COUNTRY_CODE: "country",
        error.TOO_SHORT_AFTER_IDD: "too-short",
        error.TOO_SHORT_NSN: "too-short",
        error.TOO_LONG: "too-long",
    }.get(error.error_type, "no-number")


def _impossible(library: Any, parsed: Any) -> str | None:
    possible = library.ValidationResult
    return {
        possible.IS_POSSIBLE: None,
        possible.INVALID_COUNTRY_CODE: "country",
        possible.TOO_LONG: "too-long",
    }.get(library.is_possible_number_with_reason(parsed), "too-short")


@cache
def _library() -> Any:
    try:
        import phonenumbers
    except ImportError as error:
        msg = "normalize= needs phonenumbers: pip install 'asyncsdk[phone]'"
        raise ImportError(msg) from error
    return phonenumbers
