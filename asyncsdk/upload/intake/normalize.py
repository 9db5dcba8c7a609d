"""Numbers in E.164 form: from a cell to the one number that it can be, or why it is none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, overload

from attrs import evolve, frozen

from asyncsdk.countries import region_of
from asyncsdk.models import Located, Problem, Violation
from asyncsdk.plans import check_region
from asyncsdk.upload.intake.readings import Refused, read_digits
from asyncsdk.upload.intake.spelling import spelled

if TYPE_CHECKING:
    from asyncsdk.config import Normalize
    from asyncsdk.models import Phone

__all__ = ["Normalizer", "compared", "normalizer"]

_REASONS = {
    "rounded": "a spreadsheet has rounded this number, its last digits are lost: format the column "
    "as text and export the list again",
    "negative": "it is a negative number, as a spreadsheet makes one of +49-171…: format the "
    "column as text and enter the number anew",
    "fraction": "it is a number with decimals, no phone: keep the phone alone in its column",
    "date": "it is a date or a time, no phone: format the column as text and enter the number anew",
    "two-numbers": "there are two numbers in one cell, or there may be: keep one, or make two rows "
    "of them",
    "words": "there are words or signs in it: keep the number alone",
    "no-number": "there is no number in it",
    "country": "there is no country with this code",
    "zero": "it has a 0 where numbers of its country have none: write it as it is dialled",
    "too-short": "it has too few digits for a number there",
    "too-long": "it has too many digits for a number there",
    "no-mobile": "it is no mobile number",
}
_TWO_READINGS = (
    "it can be two numbers ({readings}): write it with + and its country code, or say which kind "
    "the list has: --bare national or --bare international, Normalize(bare=…)"
)
_NOT_IN_PLAN = (
    "it begins with neither + nor 0, and no plan of numbers has it: write it with + and its "
    "country code, or say --bare national or --bare international, Normalize(bare=…)"
)
_UNKNOWN_COUNTRY = (
    "the country {country!r} is not known: give its code, such as AT, or its name, so that the "
    "number is not taken for one of another country"
)
_NO_COUNTRY = (
    "the row does not have the column that says its country: name the right one, or leave the "
    "country out"
)
_SHOWN = 40


@frozen
class Normalizer:
    """Turns a number into its E.164 form, or says why it is none."""

    how: Normalize

    def __call__(self, number: str, country: str | None = "") -> str | Problem:
        """The number in E.164 form, or the problem with it.

        Args:
            number: As the list has it.
            country: What the list says of its country; empty where it says nothing, None where it
                should have said something.
        """
        region = self.how.region if country == "" else self._region(country)
        if isinstance(region, Problem):
            return region
        written = spelled(number)
        if isinstance(written, str):
            return _no_number(written)
        found = read_digits(written, region, self.how.bare)
        if isinstance(found, Refused):
            return _refused(found)
        if self.how.mobile_only and found.landline:
            return _no_number("no-mobile")
        return found.text

    def _region(self, country: str | None) -> str | Problem:
        if country is None:
            return _problem("country", _NO_COUNTRY)
        return region_of(country) or _problem(
            "country", _UNKNOWN_COUNTRY.format(country=country[:_SHOWN])
        )

    @property
    def elsewhere(self) -> Normalizer:
        """What reads numbers that are not of the list: of their kind nothing was said."""
        return normalizer(evolve(self.how, bare=None, mobile_only=False))


@overload
def normalizer(how: Normalize) -> Normalizer: ...
@overload
def normalizer(how: Normalize | None) -> Normalizer | None: ...
def normalizer(how: Normalize | None) -> Normalizer | None:
    """What reads numbers as these settings say; None where they are sent as they are.

    Raises:
        ImportError: phonenumbers is not installed.
        ConfigurationError: There is no such region.
    """
    if how is None:
        return None
    check_region(how.region)
    return Normalizer(how)


def compared(normalize: Normalizer | None, phone: Phone) -> object:
    """The number of a phone in the form in which numbers are compared; no text where it is none."""
    if normalize is None:
        return phone.phone
    return normalize(phone.phone, phone.country if isinstance(phone, Located) else "")


def _refused(found: Refused) -> Problem:
    if found.code == "two-readings":
        return _problem(found.code, _TWO_READINGS.format(readings=" or ".join(found.readings)))
    if found.code == "not-in-plan":
        return _problem(found.code, _NOT_IN_PLAN)
    return _no_number(found.code)


@lru_cache(64)
def _no_number(code: str) -> Problem:
    return _problem(code, _REASONS[code])


def _problem(code: str, reason: str) -> Problem:
    return Problem("Invalid phone", violations=(Violation("phone", reason, code),))
