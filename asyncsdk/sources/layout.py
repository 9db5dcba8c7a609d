"""Where the table is in a list: below its title, under one row of names, or two, or none. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.sources.inert import revive
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.names import has_number, is_heading, name_rank, plain_name
from asyncsdk.sources.rejects import is_rejects

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

__all__ = ["Layout", "find_layout", "is_total"]

_PHONES = 2
"""The rank of names from which on they are of phones."""
_NEAR = 5
"""Rows within which names may stand below a row with a phone."""
_ABOVE = 30
"""Rows in which the names of the columns are looked for."""
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_TOTALS = (
    *(
        r"gesamt\w*",
        "summen?",
        "zwischensumme",
        "endsumme",
        "insgesamt",
        r"total\w*",
        "sub ?totals?",
    ),
    *(
        "gran total",
        "grand total",
        "sum",
        "count",
        "anzahl",
        "somme",
        "sous total",
        "suma",
        "summa",
    ),
    *("totaal", "subtotaal", "eindtotaal", "i alt", "razem", "lacznie", "celkem", "soucet"),
    *("osszesen", "yhteensa", "toplam", "genel toplam", "συνολο", "итого?", "всего", "ergebnis"),
    *(
        "teilergebnis",
        "endergebnis",
        "durchschnitt",
        "mittelwert",
        "average",
        "moyenne",
        "promedio",
    ),
)
"""What stands before totals, as `plain_name` has it."""
_TOTAL = re.compile(rf"(?:{'|'.join(_TOTALS)})(?: +\w+){{0,2}}")
_TWO = 2
_BEGINNINGS = frozenset(word[:_TWO].strip() for word in _TOTALS)
_COUNTED = re.compile(r"\d[\d.,' ]* [^\W\d]+")
_FIGURE = re.compile(r"[\d.,' \-+%€$£]*|[A-Z]{3} ?[\d.,' ]+|[\d.,' ]+[A-Z]{3}")


_DOUBTFUL = (
    "above the names of the columns there is a phone: if it is a contact's, move it below them"
)


@frozen
class Layout:
    """How the rows of a list begin."""

    names: tuple[str, ...]
    """What the columns are called: `1`, `2`, … where they have no names."""
    titles: int = 0
    """Rows above the names."""
    header: int = 0
    """Rows that names are in: 0 if there are none."""
    doubtful: bool = False
    """Whether a row above the names has a phone."""

    @property
    def notes(self) -> list[str]:
        """What the owner of the list should know."""
        if not self.titles:
            return []
        rows = "a row" if self.titles == 1 else f"{self.titles} rows"
        note = f"{rows} above the names of the columns left out as a title"
        return [note, _DOUBTFUL] if self.doubtful else [note]

    @property
    def above(self) -> int:
        """Rows before the first one of the data."""
        return self.titles + self.header


def find_layout(rows: Sequence[Sequence[str]], width: int, *, header: bool | None) -> Layout:
    """How a list begins.

    Args:
        rows: Its first ones.
        width: How many cells most of them have.
        header: Whether there are names, if the caller says so.
    """
    numbers = tuple(map(str, range(1, width + 1)))
    for titles, row in enumerate(rows[:_ABOVE]):
        if is_rejects(row):  # its names are known, and its cells may be anything
            return Layout(_padded(list(map(revive, row)), width), titles, 1)
    if header is False or not rows:
        return Layout(numbers)
    at = _names_at(rows, width)
    if at is None:
        if not header:
            return Layout(numbers)
        at = 0
    doubtful = _first_phones(rows[:at]) < at
    if at > 0 and _is_group_row(rows[at - 1], rows[at]):
        return Layout(_joined(rows[at - 1], rows[at], width), at - 1, 2, doubtful)
    if at + 1 < len(rows) and _is_second_row(rows[at], rows[at + 1], width):
        return Layout(_joined(rows[at], rows[at + 1], width), at, 2, doubtful)
    return Layout(_padded(rows[at], width), at, 1, doubtful)


def is_total(cells: Sequence[str], phones: Container[int] = ()) -> bool:
    """Whether a row is a line of totals: a word for them, and for the rest figures or nothing.

    Args:
        cells: The row.
        phones: Where in it others have their phones: there it may say what was counted.
    """
    filled = ((at, text) for at, cell in enumerate(cells) if (text := cell.strip()))
    _, first = next(filled, (0, ""))
    if first[:1].isalpha() and not _begins_totals(first[:_TWO]):
        return False  # as of nearly all
    if not _TOTAL.fullmatch(_DIGIT.sub("", plain_name(first)).strip()):
        return False
    return all(
        _FIGURE.fullmatch(text) or (at in phones and _COUNTED.fullmatch(text))
        for at, text in filled
    )


@lru_cache(1 << 12)
def _begins_totals(letters: str) -> bool:
    return plain_name(letters) in _BEGINNINGS


def _names_at(rows: Sequence[Sequence[str]], width: int) -> int | None:
    """The row of the names; None if there is none."""
    before = rows[: min(_first_phones(rows), _ABOVE)]
    if not any(_names_phones(row, width) for row in before):
        for at in range(len(before), min(len(rows), _NEAR)):
            if _names_phones(rows[at], width):
                return None if _are_contacts(rows[:at], rows[at]) else at
    named = [at for at, row in enumerate(before) if _names_columns(row, width)]
    if named:
        return max(named, key=lambda at: (_promise(before[at]), -at))
    if before and _could_name(before[0], width):
        return 0
    return None


def _first_phones(rows: Sequence[Sequence[str]]) -> int:
    """The first row that has a phone in it: names are above it."""
    found = (at for at, row in enumerate(rows) if any(map(looks_like_phone, row)))
    return next(found, len(rows))


def _names_columns(row: Sequence[str], width: int) -> bool:
    """Whether at least half of what is in a row could be names of columns."""
    filled = _filled(row)
    if len(filled) < min(2, width):
        return False
    return 2 * sum(map(is_heading, filled)) >= len(filled)


def _names_phones(row: Sequence[str], width: int) -> bool:
    """Whether a row certainly names columns, one of phones among them, and has none itself."""
    named = any(name_rank(cell) >= _PHONES and is_heading(cell) for cell in row)
    return named and _names_columns(row, width) and not any(map(looks_like_phone, row))


def _are_contacts(above: Sequence[Sequence[str]], names: Sequence[str]) -> bool:
    """Whether rows above the names are the first of the list, such as of one that was sorted.

    One may be a title, with the phone of whom to ask.
    """
    width = len(_filled(names))
    whole = [row for row in above if len(_filled(row)) >= width and any(map(looks_like_phone, row))]
    return len(whole) > 1


def _could_name(row: Sequence[str], width: int) -> bool:
    """Whether a row without a known name could be one of names all the same."""
    filled = _filled(row)
    several = len(filled) >= min(2, width) and len(set(filled)) == len(filled)
    whole = several and len(filled) == len(row) and all(map(_LETTER.search, filled))
    return whole and not any(map(has_number, filled))


def _promise(row: Sequence[str]) -> int:
    """How much a row looks like names: known ones count twice."""
    filled = _filled(row)
    return sum(map(is_heading, filled)) + len(filled)


def _is_group_row(above: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the row above the names says of which group they are, as merged cells do."""
    groups = _filled(above)
    spanning = 1 < len(groups) < len(_filled(names))
    return spanning and not any(_DIGIT.search(group) for group in groups)


def _is_second_row(names: Sequence[str], below: Sequence[str], width: int) -> bool:
    """Whether the row below the names says more of some: `Telefon` above, `mobil` below."""
    more = _filled(below)
    spanned = len(_filled(names)) < width or len(set(names)) < len(names)
    return (
        bool(more)
        and spanned
        and all(map(is_heading, more))
        and not any(_DIGIT.search(cell) for cell in more)
    )


def _joined(above: Sequence[str], below: Sequence[str], width: int) -> tuple[str, ...]:
    """Names of two rows; what is empty above belongs to what is left of it."""
    names, group = [], ""
    for upper, lower in zip_longest(_padded(above, width), below, fillvalue=""):
        group = upper.strip() or (group if lower.strip() else "")
        names.append(" ".join(filter(None, [group, lower.strip()])))
    return tuple(names)


def _padded(row: Sequence[str], width: int) -> tuple[str, ...]:
    return (*row, *[""] * (width - len(row)))


def _filled(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]
