"""What is written in a cell: the digits of one number, or what is there instead of one. Pure.

No plan of numbers is asked here: what the digits can be is said by `readings`.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from itertools import pairwise

from attrs import evolve, frozen

__all__ = ["Cut", "Gap", "Prefix", "Spelled", "spelled"]


class Prefix(Enum):
    """How a number begins: that says what its digits are."""

    PLUS = "+"
    """Its country follows."""
    DOUBLE_ZERO = "00"
    """The same, dialled from most countries."""
    ZERO = "0"
    """As it is dialled within its country."""
    NONE = ""
    """Nobody says."""


class Gap(Enum):
    """What stands between two groups of digits."""

    STRONG = "strong"
    """What may stand between two numbers, or before another ending of one: `/`, ` - `, `(`."""
    HYPHEN = "hyphen"
    WEAK = "weak"
    """A space or a dot."""


@frozen
class Cut:
    """A place between two groups of digits."""

    at: int
    """Digits before it."""
    group: int
    """Digits of the group that ends there."""
    gap: Gap


@frozen
class Spelled:
    """The digits of one number, as they stand in a cell."""

    prefix: Prefix
    digits: str
    """Those behind a `+` or `00`; a single 0 is one of them."""
    cuts: tuple[Cut, ...] = ()
    trunk: int | None = None
    """Where a `(0)` stood that is said along, and not dialled from abroad: `+49 (0)171 …`."""
    decimals: str = ""
    """The zeros behind a dot, which are no part of it; of a number that begins with `+` or 0, as
    none does that a spreadsheet made, they may be."""

    @property
    def undivided(self) -> Spelled:
        """The same with those zeros."""
        return evolve(self, digits=self.digits + self.decimals, decimals="")


_USUAL = re.compile(r"(\+|00?|)([1-9][0-9]*)((?:[ /-][0-9]+)*)")
"""The usual dress, in which little is to be looked at."""
_APART = re.compile(r"[ /-]")
_PREFIXES = {prefix.value: prefix for prefix in Prefix}
_GAPS = {" ": Gap.WEAK, "-": Gap.HYPHEN, "/": Gap.STRONG}
_IN_DATE = 2
"""Hyphens or slashes in a date."""

_INVISIBLE = dict.fromkeys(
    [
        *(0xAD, 0x61C, 0x180E, 0xFEFF),  # soft hyphen, marks, zero-width no-break space
        *range(0x200B, 0x2010),  # zero-width characters and direction marks
        *range(0x202A, 0x202F),  # embeddings and overrides
        *range(0x2060, 0x206A),  # word joiner, isolates
    ]
)
"""Characters that are pasted along with a number and never seen."""
_SEEN_ALIKE = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},  # wide forms
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0xB4, 0x60), "'"),
    0xB7: ".",
    0x2044: "/",
    0x2215: "/",
}
"""Characters that stand for others: dashes, apostrophes, and what is pasted from Asian texts."""

_LABEL = re.compile(r"tel\s*[.:]+\s*", re.IGNORECASE)
"""`tel:` (RFC 3966), or what people write before a number."""
_FORMULA = re.compile(r'="([^"]*)"')
"""How a program keeps a spreadsheet from reading a number as one."""
_BLANK = re.compile(r"[^\S\r\n\t]")
_WIDE = "  "
"""A tab, or a gap that is as wide, may stand between two numbers."""
_TRAILING = re.compile(r"[\s.,;]+$")

_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*[eE]\s*[+-]?\s*\d+")
_NEGATIVE = re.compile(r"\+?\s*-.*\d.*|.*\d\s*-|\((?!0)[\d.,\s]{6,}\)")
"""With a sign before or behind it, or in brackets as accountants have it."""
_DATE = re.compile(
    r"(?:(?P<a>\d{1,2})(?P<s>[./-])\s?(?P<b>\d{1,2})(?P=s)\s?(?P<y>(?:1[89]|2[01])?\d{2})"
    r"|(?P<y2>(?:1[89]|2[01])\d{2})(?P<s2>[./-])(?P<a2>\d{1,2})(?P=s2)(?P<b2>\d{1,2})"
    r"|(?P<a3>\d{1,2})[./-](?P<y3>(?:19|20)\d{2}))(?:(?:[ T]|, ?)\d[\d:.]*.*)?"
)
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2}.*)?(?:\s*[AaPp]\.?[Mm]\.?)?")
_MONTHS, _DAYS = 12, 31
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE_IN_DIGITS = re.compile(
    rf"{_YEAR}{_MONTH}{_DAY}(?:(?:[01]\d|2[0-3])(?:[0-5]\d){{1,2}})?|{_DAY}{_MONTH}{_YEAR}"
)
_DATE_LENGTHS = frozenset({8, 12, 14})
"""Of such ones."""
_ZEROS = re.compile(
    r"(?P<plain>\+?\d+)\.0+|(?P<dressed>[^.,]+|\d{1,3}(?:,\d{3})+)\.00?|(?P<comma>[^,]*),0+"
)
"""Decimals that are none, behind a whole number."""
_DOTTED = re.compile(r".*\..*\.00?")
"""The same, or two last digits of a number that has dots for spaces."""
_FRACTION = re.compile(r"\+?\d*[.,]\d+")
_GROUPED = re.compile(r"\+?[1-9]\d{0,2}([.,' ])\d{3}(?:\1\d{3})+(?P<decimals>(?!\1)[.,]\d+)?")
"""Thousands apart, as spreadsheets show numbers."""
_BETWEEN = re.compile(r"[,;|&\r\n]|:::")
_JOINING = re.compile(r"\d\W*\s(?:und|oder|and|or|et|ou|y|e|o|bzw|resp|u)\b\.?\W*\d", re.IGNORECASE)
_RANKED = re.compile(r"[(\[]?[1-9]\d{0,3}\.(?:\s|[)\]])|[1-9]\d{0,3}[)\]]")
"""A row that says which one of a list it is: `2. 0171 1234567`, `2) 0171 1234567`."""
_SECOND = re.compile(r"\d[^\d+]*\+")
_WORD = re.compile(r"[^\W\d_]")
_PLUS = re.compile(r"[(\[ ]*\+[)\] ]*")
_LOCAL_DIGITS = 4
"""Digits behind a single dot at least: fewer are decimals, or another ending."""
_SIGNS = re.compile(r"[0-9 ()\[\]./\\-]*")
_TRUNK = re.compile(r"[(\[ ]*((?:\d[ )\].-]*){1,5})[(\[] *0 *[)\]]")
"""Behind a country code that may be written with `00`."""
_GROUP = re.compile(r"[0-9]+")
_STRONG = re.compile(r"[/\\(\[]|\s-|-\s|\s\s|-.*-")


def spelled(cell: str) -> Spelled | str:
    """The number in a cell, or the code of what the cell holds instead of one.

    Args:
        cell: As the list has it.
    """
    usual = _USUAL.fullmatch(cell)
    if usual is not None and (found := _usually(*usual.groups())):
        return found
    text = _bare(cell)
    if wrong := _something_else(text):
        return wrong
    whole = _without_decimals(text)
    if wrong := _several(whole):
        return wrong
    number = _dressed(whole)
    if isinstance(number, str) or number.prefix is Prefix.NONE:
        return number
    if not text[len(whole) :].startswith("."):  # a comma is no punctuation of a number
        return number
    return evolve(number, decimals=text[len(whole) + 1 :])


def _usually(prefix: str, first: str, others: str) -> Spelled | None:
    """A number in its usual dress; None if it may be a date."""
    begun = _PREFIXES[prefix]
    if begun is Prefix.ZERO:
        first = f"0{first}"
    if not others:
        dated = len(first) in _DATE_LENGTHS and begun in {Prefix.NONE, Prefix.ZERO}
        return None if dated and _DATE_IN_DIGITS.fullmatch(first) else Spelled(begun, first)
    if _IN_DATE in {others.count("-"), others.count("/")}:
        return None
    cuts, at, size = [], len(first), len(first)
    groups = _APART.split(others)[1:]
    for sign, group in zip(_APART.findall(others), groups, strict=True):
        cuts.append(Cut(at, size, _GAPS[sign]))
        size = len(group)
        at += size
    return Spelled(begun, first + "".join(groups), tuple(cuts))


def _bare(cell: str) -> str:
    """The text without what is invisible around and in it, or only there for a spreadsheet."""
    text = cell
    if not text.isascii():
        text = text.translate(_INVISIBLE).translate(_SEEN_ALIKE)
        text = "".join(str(unicodedata.decimal(char, char)) for char in text)
    text = _BLANK.sub(" ", text).replace("\t", _WIDE).strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula[1].strip()
    text = text.strip("'\"").strip()
    label = _LABEL.match(text)
    text = text[label.end() :] if label else text
    return _TRAILING.sub("", text)


def _something_else(text: str) -> str | None:
    """What a text is that is no phone, however its digits are read."""
    if not any(map(str.isdecimal, text)):
        return "no-number"
    if _ROUNDED.fullmatch(text):
        return "rounded"
    if _NEGATIVE.fullmatch(text):
        return "negative"
    if _TIME.fullmatch(text) or _is_date(text):
        return "date"
    return None


def _is_date(text: str) -> bool:
    if _DATE_IN_DIGITS.fullmatch(text):
        return True
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    if found["a3"]:
        return int(found["a3"]) <= _MONTHS
    parts = [int(found[name]) for name in ("a", "b", "a2", "b2") if found[name]]
    return 0 < min(parts) <= _MONTHS and max(parts) <= _DAYS


def _without_decimals(text: str) -> str:
    """A whole number without the zeros behind it."""
    zeros = _ZEROS.fullmatch(text)
    return text if zeros is None else next(filter(None, zeros.groups()), text)


def _several(text: str) -> str | None:
    """The code of what makes a text more than one number, or none."""
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and grouped["decimals"]:
        return "fraction"
    if (_FRACTION.fullmatch(text) and not _is_dotted(text)) or _DOTTED.fullmatch(text):
        return "fraction"
    if _RANKED.match(text) or _SECOND.search(text) or _JOINING.search(text):
        return "two-numbers"
    if _BETWEEN.search(text) and grouped is None:
        return "two-numbers"
    # A letter would be read as the key of a telephone that it stands on.
    return "words" if _WORD.search(text) else None


def _is_dotted(text: str) -> bool:
    """Whether a single dot is the punctuation of a number: `0171.1234567`."""
    area, _, local = text.partition(".")
    return area.startswith(("+", "0")) and len(area) > 1 and len(local) >= _LOCAL_DIGITS


def _dressed(text: str) -> Spelled | str:
    """A number with punctuation."""
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and grouped[1] in ",'":
        text = text.replace(grouped[1], " ")
    plus = _PLUS.match(text)
    rest = text[plus.end() :] if plus else text
    if _SIGNS.fullmatch(rest) is None:
        return "words"
    trunk = _TRUNK.match(rest)
    at = None
    if trunk is not None and _abroad(trunk[1], dialled=plus is not None):
        at = len(_digits(trunk[1]))
        rest = f"{trunk[1]} {rest[trunk.end() :]}"
    groups = list(_GROUP.finditer(rest))
    digits = "".join(group[0] for group in groups)
    prefix, skipped = _prefix_of(digits, dialled=plus is not None)
    if at is not None and prefix is Prefix.NONE:
        prefix = Prefix.PLUS  # only behind a country code a 0 is not dialled
    cuts = tuple(cut for cut in _cuts(rest, groups, skipped) if cut.at > 0)
    return Spelled(prefix, digits[skipped:], cuts, None if at is None else at - skipped)


def _abroad(before: str, *, dialled: bool) -> bool:
    """Whether the digits before a `(0)` are a country code."""
    digits = _digits(before)
    code = digits.removeprefix("00")
    return re.fullmatch(r"[1-9]\d{0,2}", code) is not None and (not dialled or code == digits)


def _prefix_of(digits: str, *, dialled: bool) -> tuple[Prefix, int]:
    """How digits begin, and how many of them are no part of the number."""
    if dialled:
        return Prefix.PLUS, 0
    if digits.startswith("00"):
        return Prefix.DOUBLE_ZERO, 2
    return (Prefix.ZERO if digits.startswith("0") else Prefix.NONE), 0


def _cuts(text: str, groups: list[re.Match[str]], skipped: int) -> list[Cut]:
    at = -skipped
    found = []
    for one, other in pairwise(groups):
        at += len(one[0])
        found.append(Cut(at, len(one[0]), _gap(text[one.end() : other.start()], text)))
    return found


def _gap(between: str, text: str) -> Gap:
    if _STRONG.search(between):
        return Gap.STRONG
    if "-" in between:
        return Gap.HYPHEN
    if between == "." and text.count(".") == 1:
        return Gap.STRONG  # decimals, perhaps
    return Gap.WEAK


def _digits(text: str) -> str:
    return "".join(_GROUP.findall(text))
