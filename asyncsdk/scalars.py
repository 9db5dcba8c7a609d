"""What a single value out of a table means: nothing, or a whole number. Pure."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Number

__all__ = ["missing", "whole"]

_NOTHING = frozenset({"NAType", "NaTType"})
"""What pandas puts where nothing is; comparing them with anything gives no truth value."""
_TIMES = frozenset({"datetime64", "timedelta64"})
"""Of numpy; one that is no time differs from itself, as a number that is none does."""
_EXACT = 2.0**53
"""Up to here a float holds every whole number."""
_LARGEST = Decimal(10) ** 40
"""Beyond this it is no number of anything: a few bytes may stand for gigabytes of digits."""


def missing(value: object) -> bool:
    """Whether this is None, or what tables have in its place: NaN, NaT, pandas.NA."""
    name = type(value).__name__
    if value is None or name in _NOTHING:
        return True
    return (isinstance(value, Number) or name in _TIMES) and bool(value != value)  # noqa: PLR0124


def whole(value: object) -> str | None:
    """The digits of a whole number, of whatever type; None for everything else.

    Tables keep numbers as floats, so 4916012345678.0 is whole; True is no number.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return str(int(value))
    exact = (isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT) or (
        isinstance(value, Decimal) and abs(value) < _LARGEST and value == value.to_integral_value()
    )
    return str(int(value)) if exact else None  # type: ignore[call-overload]
