"""Whether two spellings are the same number. Pure.

How the server normalises numbers is not documented. Country codes, trunk zeros and punctuation may
come and go, but the trailing digits stay.
"""

from __future__ import annotations

__all__ = ["alike", "digits", "tail"]

_TAIL = 9
"""Digits by which spellings of one number are found: short enough to leave out any prefix."""


def digits(number: str) -> str:
    """A number without punctuation, `(0)` and leading zeros; a text without digits as it is."""
    if number.isascii() and number.isdecimal():
        return number.lstrip("0") or number
    found = "".join(filter(str.isdecimal, number.replace("(0)", "")))
    return found.lstrip("0") or number.strip()


def tail(number: str) -> str:
    """What all spellings of a number share."""
    return digits(number)[-_TAIL:]


def alike(one: str, other: str) -> bool:
    """Whether these may be spellings of one number: equal, or one is the other plus a prefix."""
    if one == other:
        return True
    a, b = digits(one), digits(other)
    return a.endswith(b) or b.endswith(a)
