"""Whether two spellings are the same number. Pure.

How the server normalises numbers is not documented. Country codes, trunk zeros and punctuation may
come and go, but the trailing digits stay.
"""

from __future__ import annotations

import re

__all__ = ["TAIL", "alike", "comparable", "digits", "tail"]

TAIL = 9
"""Digits by which spellings of one number are found: short enough to leave out any prefix."""


def digits(number: str) -> str:
    """A number without punctuation, `(0)` and leading zeros; a text without digits as it is."""
    if number.isascii() and number.isdecimal():
        return number.lstrip("0") or number
    found = "".join(filter(str.isdecimal, number.replace("(0)", "")))
    return found.lstrip("0") or number.strip()


def tail(number: str) -> str:
    """What all spellings of a number share."""
    return digits(number)[-TAIL:]


def alike(one: str, other: str) -> bool:
    """Whether these may be spellings of one number: equal, or one is the other plus a prefix.

    Nothing is the ending of no number.
    """
    if one == other:
        return True
    a, b = digits(one), digits(other)
    return bool(a and b) and (a.endswith(b) or b.endswith(a))


_LONGEST = 15
"""Digits of a number at most (ITU-T E.164)."""
_PLAIN = re.compile(r"\+?[1-9][0-9]{,14}")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SEPARATORS = re.compile(r"[^\S\r\n]|[()/.\u2010-\u2015\u2212-]")
_ABROAD = re.compile(r"\(?(?:\+|00(?=[^0-9]*[1-9]))\)?[^\S\r\n]*")
"""How a number begins that says its country."""
_TRUNK = re.compile(r"([0-9]{1,3}[^0-9()]*)\(0\)")
"""A national prefix that is said along, and not dialled from abroad: `+49 (0)160 …`."""
_KEEP_ZERO = ("39", "378", "379", "225", "241", "242")
"""Countries whose numbers keep a leading zero from abroad: there `(0)` may be part of one."""
_AREA_DIGITS, _LOCAL_DIGITS = 6, 5
"""Digits of an area code at most (with its country one more), and of a number there at least: with
others a slash stands between two numbers, or before another ending of one."""
_ENDING = re.compile(r"[-/()\u2010-\u2015\u2212][^-/()\u2010-\u2015\u2212]*$")
_SHORTEST_ENDING = 3
"""Digits behind the last hyphen or bracket at least: fewer may be another ending."""
_FRACTION = re.compile(r"\.0+$")


def comparable(number: str) -> str:
    """What two spellings have in common only if they are certainly one number.

    That is `+` and the digits where the number says its country, by `+` or `00`; else the digits as
    they stand, for nobody says which country is meant; and the text itself where it may be anything
    but one number.
    """
    if _PLAIN.fullmatch(number):
        return number
    text = _INVISIBLE.sub("", number).strip()
    abroad = _ABROAD.match(text)
    national = text if abroad is None else _without_trunk(text[abroad.end() :])
    if national is None or not _is_one(national, dialled=abroad is not None):
        return text
    joined = _SEPARATORS.sub("", national)
    if not (joined.isascii() and joined.isdecimal() and len(joined) <= _LONGEST):
        return text
    return joined if abroad is None else f"+{joined}"


def _without_trunk(number: str) -> str | None:
    """A number behind its `+` without `(0)`; None where that may be part of it."""
    trunk = _TRUNK.match(number)
    if trunk is None:
        return number
    return None if number.startswith(_KEEP_ZERO) else trunk[1] + number[trunk.end() :]


def _is_one(number: str, *, dialled: bool) -> bool:
    """Whether what separates the digits of a number stands within one.

    Args:
        number: The number behind its `+`.
        dialled: Whether there was one.
    """
    if _FRACTION.search(number):
        return False
    ending = _ENDING.search(number)
    if ending is not None and _count(ending[0]) < _SHORTEST_ENDING:
        return False
    area, slash, local = number.partition("/")
    if not slash:
        return True
    return (
        (dialled or area.lstrip("( ").startswith("0"))
        and "/" not in local
        and _count(area) <= _AREA_DIGITS + dialled
        and _count(local) >= _LOCAL_DIGITS
    )


def _count(text: str) -> int:
    return sum(map(str.isdecimal, text))
