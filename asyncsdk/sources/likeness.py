"""Whether a cell looks like a phone number, and how much. Pure."""

from __future__ import annotations

import re

__all__ = ["agrees", "looks_complete", "looks_like_phone", "weight"]

_INVISIBLE = re.compile(r"[\s'\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+|:::")
_DIALLED = re.compile(r"[+0-9()/.,;\-\u2010-\u2015]+")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{2,4}(?:T?\d.*)?")
_DAMAGED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
"""What a spreadsheet leaves of a long number."""
_LETTER = re.compile(r"[^\W\d_]")
_COMPLETE = re.compile(r"\+|\(|00?[1-9]")
_MIN_DIGITS = 6
_MAX_DIGITS = 30
_FULL_DIGITS = 8


def looks_like_phone(cell: str) -> bool:
    """Whether a cell could be one or two phone numbers, and nothing else."""
    return weight(cell) > 0


def looks_complete(cell: str) -> bool:
    """Whether it could, and begins as only complete numbers do: with `+`, `0` or a bracket."""
    return weight(cell) == 1.0


def weight(cell: str) -> float:
    """How much: 1 for what begins like a number that is dialled, 0.5 for digits, 0 for the rest."""
    text = _INVISIBLE.sub("", cell)
    if not _DIALLED.fullmatch(text) or _DATE.fullmatch(text):
        return 0.0
    digits = sum(map(str.isdigit, text))
    if not _MIN_DIGITS <= digits <= _MAX_DIGITS:
        return 0.0
    return 1.0 if _COMPLETE.match(text) and digits >= _FULL_DIGITS else 0.5


def agrees(cell: str) -> bool:
    """Whether a cell does not gainsay a name that promises phones: damaged numbers do not."""
    if looks_like_phone(cell) or _DAMAGED.fullmatch(cell.strip()):
        return True
    digits = sum(map(str.isdigit, cell))
    return digits > _MIN_DIGITS and digits >= len(_LETTER.findall(cell)) and not _DATE.search(cell)
