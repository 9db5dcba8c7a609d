"""What the numbers of a list are, by the plans of numbers: countries, mobiles, landlines."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from asyncsdk.plans import kind_of, number_of, region_of_number
from asyncsdk.results import WOULD_BE_SENT, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncsdk.results import PhoneResult

__all__ = ["Survey", "Surveying", "survey_of"]

_E164 = re.compile(r"\+([1-9][0-9]{6,14})")
_BARE = re.compile(r"[^0-9+]*[1-9]")
"""How a number begins that says neither its country nor that it is one within its country."""


@frozen(kw_only=True)
class Survey:
    """Counts of the numbers that were, or would be, sent; and of those that can be two."""

    countries: Mapping[str, int] = field(factory=dict)
    """By region (`DE`), the most frequent first."""
    mobile: int = 0
    """Numbers that mobile phones have."""
    landline: int = 0
    """Numbers that they cannot have."""
    mobile_or_landline: int = 0
    """In plans that do not tell, such as that of the US."""
    service: int = 0
    """Numbers of services: toll-free, premium rate, and whatever else a plan has."""
    not_in_plan: int = 0
    """Possible by their length, and in no plan: mistyped, or too new for it."""
    plus_lost: int = 0
    """Read as international though there is no `+`."""
    zero_lost: int = 0
    """Read as national though there is no leading 0."""
    two_readings: int = 0
    """Not sent, as they can be two different numbers."""
    as_they_are: int = 0
    """Sent in another form than E.164, so that nobody says what they are."""

    @property
    def total(self) -> int:
        """The numbers that were, or would be, sent."""
        return sum(self.countries.values()) + self.as_they_are

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {"total": self.total, "countries": dict(self.countries), **counts}


_COUNTS = (
    *("mobile", "landline", "mobile_or_landline", "service", "not_in_plan"),
    *("plus_lost", "zero_lost", "two_readings", "as_they_are"),
)


@define
class Surveying:
    """Counts numbers as they come."""

    _countries: Counter[str] = field(factory=Counter, init=False)
    _counts: Counter[str] = field(factory=Counter, init=False)

    def add(self, result: PhoneResult) -> None:
        """Count the number of a result, if it was, or would be, sent.

        Raises:
            ImportError: phonenumbers is not installed.
        """
        if result.outcome is Outcome.INVALID:
            self._counts["two_readings"] += _has_two_readings(result)
        elif result.outcome is Outcome.CREATED or result.error == WOULD_BE_SENT:
            self._count(result)

    @property
    def survey(self) -> Survey:
        """The counts until now."""
        return Survey(countries=dict(self._countries.most_common()), **self._counts)

    def _count(self, result: PhoneResult) -> None:
        submitted = result.phone.phone
        sent = submitted if result.number is None else result.number
        digits = _E164.fullmatch(sent)
        if digits is None or (number := number_of(digits[1])).wrong:
            self._counts["as_they_are"] += 1
            return
        self._countries[region_of_number(number)] += 1
        self._counts[kind_of(number)] += 1
        if submitted != sent and _BARE.match(submitted):
            # All digits that were sent stand in the cell, or those behind the country code alone.
            lost = "plus_lost" if digits[1] in _digits(submitted) else "zero_lost"
            self._counts[lost] += 1


def survey_of(results: Iterable[PhoneResult]) -> Survey:
    """The counts of these results.

    Raises:
        ImportError: phonenumbers is not installed.
    """
    surveying = Surveying()
    for result in results:
        surveying.add(result)
    return surveying.survey


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _has_two_readings(result: PhoneResult) -> bool:
    violations = result.error.violations if result.error is not None else ()
    return any(violation.code == "two-readings" for violation in violations)
