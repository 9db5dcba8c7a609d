"""What a single value out of a table means: nothing, or a whole number. Pure."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Number

__all__ = ["EXACT", "missing", "whole", "written"]

_NOTHING = frozenset({"NAType", "NaTType"})
"""What pandas puts where nothing is; comparing them with anything gives no truth value."""
_TIMES = frozenset({"datetime64", "timedelta64"})
"""Of numpy; one that is no time differs from itself, as a number that is none does."""
EXACT = 2.0**53
"""Up to here a float holds every whole number."""
_LONG = Decimal(10) ** 7
"""From here on a number with an exponent is one that was rounded; a smaller one may be a count."""
_LARGEST = Decimal(10) ** 40
"""Beyond this it is no number of anything: a few bytes may stand for gigabytes of digits."""


def missing(value: object) -> bool:
    """Whether this is None, or what tables have in its place: NaN, NaT, pandas.NA."""
    name = type(value).__name__
    if value is None or name in _NOTHING:
        return True
    return (isinstance(value, Number) or name in _TIMES) and bool(value != value)  # noqa: PLR0124


def whole(value: object, exact: float = EXACT) -> str | None:
    """The digits of a whole number, of whatever type; None for everything else.

    Tables keep numbers as floats, so 4916012345678.0 is whole; True is no number, and one that was
    rounded has lost its digits.

    Args:
        value: The number.
        exact: Up to where floats are known to hold every whole number.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return written(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= exact else None
    known = isinstance(value, Decimal) and abs(value) < _LARGEST and _has_allwritten(value)
    return str(int(value)) if known else None  # type: ignore[call-overload]


def written(value: int) -> str | None:
    """The digits of a whole number; None where Python does not write out so many."""
    try:
        return str(value)
    except ValueError:
        return None


def _has_allwritten(value: Decimal) -> bool:
    """Whether this is a whole number of which every digit is said: of `4.9E+11` most are not."""
    exponent = value.as_tuple().exponent
    said = isinstance(exponent, int) and (exponent <= 0 or abs(value) < _LONG)
    return said and value == value.to_integral_value()
