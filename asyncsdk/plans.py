"""The plans of numbers of the world, by phonenumbers (the extra `phone`)."""

from __future__ import annotations

import re
from functools import cache, cached_property, lru_cache
from typing import Any

from attrs import frozen

from asyncsdk.errors import ConfigurationError
from asyncsdk.words import brief

__all__ = [
    "Number",
    "calling_code",
    "check_region",
    "complete",
    "dialled_abroad",
    "is_calling_code",
    "kind_of",
    "number_of",
    "region_of_number",
]

_SHORTEST = 8
"""Digits of a number with its country at least where no plan has it."""
_LONGEST = 15
"""Digits of a number with its country at most (ITU-T E.164)."""
_BEGINNING = 8
"""Digits of a country code and an area code, of which there are few."""
_KNOWN = 1 << 14
"""Beginnings of numbers of which is remembered whether they are numbers themselves."""


@frozen
class Number:
    """A number that could be dialled, or why it could not."""

    code: str
    """Its country code."""
    national: str
    """Its digits behind that."""
    wrong: str | None = None
    """The code of what is wrong with it."""

    @property
    def text(self) -> str:
        """It in E.164 form; empty if there is none."""
        return "" if self.wrong else f"+{self.code}{self.national}"

    @cached_property
    def kind(self) -> int | None:
        """What it is, as phonenumbers says; None if it is in no plan of numbers."""
        if self.wrong:
            return None
        library = _library()
        kind: int = library.number_type(_as_known(self))
        return None if kind == library.PhoneNumberType.UNKNOWN else kind

    @property
    def valid(self) -> bool:
        """Whether it is in the plan of numbers."""
        known: bool = self.kind is not None
        return known

    @property
    def mobile(self) -> bool:
        """Whether it is certainly that of a mobile phone."""
        known: bool = self.kind == _library().PhoneNumberType.MOBILE
        return known

    @property
    def landline(self) -> bool:
        """Whether it is certainly none of a mobile phone; some plans and new ranges do not tell."""
        kinds = _library().PhoneNumberType
        return self.kind not in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, None}


def check_region(region: str) -> None:
    """Do nothing if there is a plan of numbers for this region.

    Raises:
        ConfigurationError: There is none.
        ImportError: phonenumbers is not installed.
    """
    if region not in _library().SUPPORTED_REGIONS:
        msg = f"normalize must be a region such as 'DE' or 'AT', not {brief(region)}"
        raise ConfigurationError(msg)


@cache
def calling_code(region: str) -> str:
    """The country code of a region, such as `49`."""
    return str(_library().country_code_for_region(region))


def is_calling_code(digits: str) -> bool:
    """Whether these digits are the country code of a region."""
    if not digits.isdecimal() or digits.startswith("0"):  # as a number, 049 would be 49
        return False
    return int(digits) in _library().COUNTRY_CODE_TO_REGION_CODE


def dialled_abroad(digits: str, region: str) -> str | None:
    """What follows where digits begin as a call abroad does in a region: `011` in the US."""
    metadata: Any = _library().PhoneMetadata.metadata_for_region(region)
    found = re.match(metadata.international_prefix or "00", digits)
    return digits[found.end() :] if found else None


def number_of(digits: str) -> Number:
    """The number with these digits, of which the first ones are a country code."""
    return _usual(digits) or _parsed(digits)


def _usual(digits: str) -> Number | None:
    """The same of a number that is as most are, without asking for more than its length.

    phonenumbers takes ten times as long for the same answer.
    """
    plan = next(filter(None, (_plan(digits[:length]) for length in (1, 2, 3))), None)
    if plan is None:
        return None
    national = digits[len(plan.code) :]
    if plan.trunk.match(national):
        national = national[1:]
        if not (plan.simple and plan.general.fullmatch(national)):
            return None
    if national.startswith("0") or len(national) not in plan.lengths:
        return None
    if not _SHORTEST <= len(plan.code) + len(national) <= _LONGEST:
        return None
    return Number(plan.code, national)


def _parsed(digits: str) -> Number:
    library = _library()
    try:
        parsed = library.parse(f"+{digits}", None)
    except library.NumberParseException as error:
        return Number("", "", _unparsed(error))
    if wrong := _impossible(library, parsed):
        return Number("", "", wrong)
    number = Number(str(parsed.country_code), library.national_significant_number(parsed))
    wrong = _undialled(number)
    return Number("", "", wrong) if wrong else number


@frozen
class _Plan:
    """What is to be known of the numbers of a country code."""

    code: str
    lengths: frozenset[int]
    """Digits behind the country code."""
    trunk: re.Pattern[str]
    """What is dialled before them within the country."""
    simple: bool
    """Whether that is a 0 and nothing else."""
    general: re.Pattern[str]
    """What they look like."""


@cache
def _plan(code: str) -> _Plan | None:
    """The plan of a country code; None if there is none, or one of its own kind."""
    library = _library()
    region = library.region_code_for_country_code(int(code)) if is_calling_code(code) else "ZZ"
    metadata = library.PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None
    trunk = metadata.national_prefix_for_parsing
    simple = trunk == "0" and metadata.national_prefix_transform_rule is None
    return _Plan(
        code,
        frozenset(metadata.general_desc.possible_length),
        re.compile(trunk or "(?!)"),
        simple,
        re.compile(metadata.general_desc.national_number_pattern),
    )


def region_of_number(number: Number) -> str:
    """The region that a number is of, such as `DE`; of a number in no plan, that of its code."""
    library = _library()
    regions = library.COUNTRY_CODE_TO_REGION_CODE.get(int(number.code), ("ZZ",))
    if len(regions) == 1:
        return str(regions[0])
    return str(library.region_code_for_number(_as_known(number)) or regions[0])


def kind_of(number: Number) -> str:
    """What a number is, by the name of its count in a `Survey`."""
    if not number.valid:
        return "not_in_plan"
    if number.mobile:
        return "mobile"
    kinds = _library().PhoneNumberType
    named = {
        kinds.FIXED_LINE: "landline",
        kinds.FIXED_LINE_OR_MOBILE: "mobile_or_landline",
    }
    return named.get(number.kind, "service")


def _as_known(number: Number) -> Any:
    """The same as phonenumbers has it."""
    zeros = len(number.national) - len(number.national.lstrip("0"))
    return _library().PhoneNumber(
        int(number.code),
        int(number.national),
        italian_leading_zero=zeros > 0,  # parsed anew, one would be taken away where none belongs
        number_of_leading_zeros=zeros or None,
    )


def complete(digits: str) -> bool:
    """Whether these digits, beginning with a country code, are a number of its plan already."""
    return _is_complete(digits) if len(digits) <= _BEGINNING else number_of(digits).valid


@lru_cache(_KNOWN)
def _is_complete(digits: str) -> bool:
    return number_of(digits).valid


def _undialled(number: Number) -> str | None:
    """Why no telephone has a number of which the length alone says that it is possible."""
    digits = len(number.code) + len(number.national)
    if digits > _LONGEST:
        return "too-long"
    if number.valid:
        return None
    if digits < _SHORTEST:
        return "too-short"
    return "zero" if number.national.startswith("0") else None


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
