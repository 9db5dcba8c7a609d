"""What looks wrong with numbers that are sent as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.places import Place
    from asyncsdk.sources import Source

__all__ = ["Doubt", "doubts"]

_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{2,4}(?:[ T]\d.*)?")
_FRACTION = re.compile(r"[+-]?\d+[.,]\d{1,3}")
_LETTER = re.compile(r"[^\W\d_]|[<>@=&]")
_BETWEEN = re.compile(r"[,;/|\n]|:::|(?<=\d)\s*(?=\+)")
_INVISIBLE = re.compile(r"^[\s'\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_WHOLE = 6
"""Digits that make a number rather than a group of digits within one."""
_FEWEST, _MOST = 7, 15
"""Digits of a number with its country (ITU-T E.164)."""


@define
class Doubt:
    """Something that is wrong with some of the numbers."""

    what: str
    place: Place
    """Where the first of them stands."""
    count: int = 0


def doubts(source: Source) -> list[Doubt]:
    """What looks wrong with the numbers of a list, the most frequent first."""
    found: dict[str, Doubt] = {}
    naming = source.naming
    for row in source.rows():
        for what in _wrong(_INVISIBLE.sub("", row.phone).strip()):
            found.setdefault(what, Doubt(what, row.place(**naming))).count += 1
    return sorted(found.values(), key=lambda doubt: -doubt.count)


def _wrong(number: str) -> Iterator[str]:
    """What is wrong with a number; an empty one is invalid anyway."""
    digits = sum(map(str.isdigit, number))
    pieces = [piece for piece in _BETWEEN.split(number) if sum(map(str.isdigit, piece)) >= _WHOLE]
    if not number:
        return
    if _ROUNDED.fullmatch(number):
        yield "rounded by a spreadsheet: the last digits are lost"
    elif _DATE.fullmatch(number):
        yield "a date"
    elif len(pieces) > 1:
        yield "two numbers in one cell"
    elif _LETTER.search(number):
        yield "words or markup, not a number alone"
    elif number.startswith("-"):
        yield "negative: a spreadsheet took it for a sum"
    elif _FRACTION.fullmatch(number):
        yield "decimals behind it"
    elif not _FEWEST <= digits <= _MOST:
        yield "too short or too long to be dialled"
    elif not number.startswith(("+", "00")):
        yield "without its country"
