"""From which cells of a row a value is read: one, the first filled of several, or several joined.

`Mobil`, `Mobil,Telefon`, `Vorwahl+Rufnummer`, `Telefon#2`, `3`: the words of `columns=` and of
`--map`. A program that keeps the kind of each number beside it (`Phone 1 - Label`, `Phone 1 -
Value`) is read as if it had a column for each kind: `Phone (Mobile)`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from asyncsdk.models import Problem, Violation
from asyncsdk.sources.names import label_key, name_rank
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "COUNTRY",
    "Cells",
    "ColumnChoice",
    "NoColumnError",
    "find_column",
    "labelled",
    "moved",
    "name_of",
    "names_of",
    "number_in",
    "picker",
    "spelled",
]

COUNTRY = "country"
"""What the country of a row goes by among the fields; it is not sent."""

_LISTED = 50
"""Columns that are named in an error."""
_PHONES = 2
"""The rank of names from which on they are of phones."""
_KINDS = 12
"""Labels that a column of labels has at most."""
_LABELS_JOINED = ":::"
_NO_KIND = "no label"
_OF_A_KIND = re.compile(r"(.+) \((.+)\)")
_DIGITS = 9
_OCCURRENCE = re.compile(r"(.+)#([1-9]\d*)", re.DOTALL)
_INTERNATIONAL = ("+", "00")
_EMPTY = frozenset("-\N{EN DASH}\N{EM DASH}/.\N{MIDDLE DOT}_?\N{NO-BREAK SPACE} ")


@frozen
class Cells:
    """Where in a row a value stands: in one cell, or in several that make one text."""

    positions: tuple[int, ...]
    """0-based."""
    label: int | None = None
    """The cell that says of what kind the value is, if it must be of one."""
    kind: str = ""
    """That kind."""


@frozen
class ColumnChoice:
    """The column that a field is read from, or the columns."""

    column: str
    """Its name, or its number in a file without a header; as `columns=` and `--map` take it."""
    position: int
    """0-based; of the first of several."""
    reason: str
    """Why it was chosen, as shown before anything is sent."""
    order: tuple[Cells, ...] = ()
    """Where a value is, in the order of preference; empty where it is in that column alone."""


class NoColumnError(Exception):
    """There is no such column; its text says which there are."""


def picker(choice: ColumnChoice) -> Callable[[Sequence[str]], str | Problem]:
    """What reads a value from a row, or says why there is none."""
    order, at = choice.order, choice.position
    if not order:
        return lambda row: row[at] if at < len(row) else ""

    def pick(row: Sequence[str]) -> str | Problem:
        for cells in order:
            text = _text(row, cells)
            if text is not None:
                return text
        return ""

    return pick


def number_in(row: Sequence[str], choice: ColumnChoice) -> str:
    """What a row has for a number, whatever is wrong with it."""
    picked = picker(choice)(row)
    return picked if isinstance(picked, str) else _cell(row, choice.position)


def moved(choice: ColumnChoice, positions: Sequence[int]) -> ColumnChoice:
    """The same choice where the columns have other positions.

    Args:
        choice: Of columns in a list.
        positions: The new one of each of that list's columns.
    """
    order = tuple(
        Cells(
            tuple(positions[at] for at in cells.positions),
            None if cells.label is None else positions[cells.label],
            cells.kind,
        )
        for cells in choice.order
    )
    return evolve(choice, position=positions[choice.position], order=order)


def spelled(columns: Sequence[str], choice: ColumnChoice) -> list[str]:
    """How a choice is asked for among these columns: in the order of preference."""
    order = choice.order or (Cells((choice.position,)),)
    return list(dict.fromkeys(_spelled(columns, cells) for cells in order))


def _spelled(columns: Sequence[str], cells: Cells) -> str:
    if cells.label is None:
        return "+".join(name_of(columns, at) for at in cells.positions)
    pairs = {(label, value): stem for stem, label, value in _pairs(columns)}
    return f"{pairs[cells.label, cells.positions[0]]} ({cells.kind or _NO_KIND})"


def labelled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The columns that there would be if each kind of number had one of its own.

    Args:
        columns: The names of the columns.
        rows: Some of the rows.
    """
    found: dict[str, None] = {}
    for stem, label, value in _pairs(columns):
        kinds = dict.fromkeys(_kind(_cell(row, label)) for row in rows if _filled(row, value))
        if len(kinds) <= _KINDS:
            found |= dict.fromkeys(f"{stem} ({kind or _NO_KIND})" for kind in kinds)
    return list(found)


def _pairs(columns: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Columns of numbers beside one that says of which kind they are: their stem, and where."""
    keys = [label_key(name) for name in columns]
    labels = {key: at for at, (key, is_label) in reversed(list(enumerate(keys))) if is_label}
    for at, (key, is_label) in enumerate(keys):
        if not is_label and key in labels and name_rank(key) >= _PHONES:
            stem = (
                re.split(r"\s*\d", columns[at], maxsplit=1)[0].strip(" -.:_\u2013") or columns[at]
            )
            yield stem, labels[key], at


def _kind(label: str) -> str:
    """A label as one word says it: a star marks the number that is preferred."""
    return label.split(_LABELS_JOINED, maxsplit=1)[0].strip(" *")


def _text(row: Sequence[str], cells: Cells) -> str | Problem | None:
    """The text that cells make; None if there is nothing in them."""
    if cells.label is not None and _kind(_cell(row, cells.label)) != cells.kind:
        return None
    *parts, last = (_cell(row, at) for at in cells.positions)
    if not last.strip() or _EMPTY.issuperset(last):
        return None
    if not parts or last.lstrip(" '").startswith(_INTERNATIONAL):
        return last
    return _joined([part.strip(" '") for part in (*parts, last)])


def _joined(parts: Sequence[str]) -> str | Problem:
    """Parts as one number; half of one would be the number of somebody else."""
    if not all(parts):
        return _problem("a part of the number is missing: fill it in", "part")
    before = parts[-2]
    if parts[-1].startswith("0") and not before.startswith(_INTERNATIONAL):
        return _problem(
            f"{before} stands before a number that begins with 0 and so is complete itself: "
            "keep one of them",
            "part",
        )
    return " ".join(parts)


def _problem(message: str, code: str) -> Problem:
    return Problem("Invalid phone", violations=(Violation("phone", message, code),))


def _filled(row: Sequence[str], at: int) -> bool:
    return bool(_cell(row, at).strip())


def _cell(row: Sequence[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def find_column(columns: Sequence[str], field: str, wanted: object) -> ColumnChoice:
    """The column, or columns, that are asked for.

    A name is taken as it is, then whatever its case, then as `NAME#2` for the second one of that
    name, then as a number from 1; what is none of these is cut at commas, and at plus signs.

    Args:
        columns: The names that there are.
        field: What is read from it, for the errors.
        wanted: A name, a number, or several of them in the order of preference.

    Raises:
        NoColumnError: There is no such column, or there are several.
    """
    given = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    several = [each if isinstance(each, str) else brief(each) for each in given]
    order = [cells for one in several for cells in _resolved(columns, field, one)]
    if not order:
        msg = f"no column is named for {field!r}; {listed(columns)}"
        raise NoColumnError(msg)
    first = order[0]
    position = first.positions[0]
    if len(order) > 1 or len(first.positions) > 1 or first.label is not None:
        return ColumnChoice(",".join(several), position, "as asked for", tuple(order))
    return ColumnChoice(name_of(columns, position), position, "as asked for")


def _resolved(columns: Sequence[str], field: str, wanted: str) -> tuple[Cells, ...]:
    found = _one(columns, field, wanted)
    if found is None and "," in wanted:
        parts = [_part(columns, field, each) for each in wanted.split(",")]
        return tuple(cells for part in parts for cells in part)
    return _part(columns, field, wanted) if found is None else found


def _part(columns: Sequence[str], field: str, wanted: str) -> tuple[Cells, ...]:
    found = _one(columns, field, wanted)
    if found is None and "+" in wanted.strip("+ "):
        pieces = [_one(columns, field, piece) for piece in wanted.split("+")]
        joined = tuple(piece[0].positions[0] for piece in pieces if piece)
        if len(joined) == len(pieces):
            return (Cells(joined),)
    if found is None:
        msg = f"there is no column {wanted!r} for {field!r}; {listed(columns)}"
        raise NoColumnError(msg)
    return found


def _one(columns: Sequence[str], field: str, wanted: str) -> tuple[Cells, ...] | None:
    """The one column that is meant; None if there is none."""
    folded = wanted.strip().casefold()
    exact = [at for at, name in enumerate(columns) if name == wanted]
    alike = exact or [at for at, name in enumerate(columns) if name.strip().casefold() == folded]
    if len(alike) > 1 and folded:
        ways = " or ".join(repr(name_of(columns, at)) for at in alike)
        msg = f"several columns are named {wanted!r}: give {field!r} {ways}"
        raise NoColumnError(msg)
    if alike and folded:
        return (Cells((alike[0],)),)
    if match := _OCCURRENCE.fullmatch(wanted.strip()):
        same = [at for at, name in enumerate(columns) if name.strip() == match[1].strip()]
        if 1 <= (number := _number(match[2])) <= len(same):
            return (Cells((same[number - 1],)),)
    if folded.isdecimal() and 1 <= (number := _number(folded)) <= len(columns):
        return (Cells((number - 1,)),)
    return _of_a_kind(columns, wanted.strip())


def _number(digits: str) -> int:
    """The number of a column; 0, which none has, where the digits are too many for one."""
    return int(digits) if len(digits) <= _DIGITS else 0


def _of_a_kind(columns: Sequence[str], wanted: str) -> tuple[Cells, ...] | None:
    """The numbers of `Phone (Mobile)`, where the kind of each is beside it."""
    match = _OF_A_KIND.fullmatch(wanted)
    if match is None:
        return None
    kind = "" if match[2] == _NO_KIND else match[2]
    pairs = [pair for pair in _pairs(columns) if pair[0] == match[1]]
    return tuple(Cells((value,), label, kind) for _, label, value in pairs) or None


def name_of(columns: Sequence[str], at: int) -> str:
    """How the column at this position is asked for: by its name, where that says which it is."""
    return names_of(columns)[at]


def names_of(columns: Sequence[str]) -> list[str]:
    """How each column is asked for."""
    counts = Counter(name.strip() for name in columns)
    seen: Counter[str] = Counter()
    names = []
    for number, name in enumerate(columns, 1):
        bare = name.strip()
        seen[bare] += 1
        several = counts[bare] > 1
        names.append(f"{name}#{seen[bare]}" if several and bare else name if bare else str(number))
    return names


def listed(columns: Sequence[str], most: int = _LISTED) -> str:
    """The columns, named; of many the first ones, and of long names the beginnings.

    What looks like names may be the list itself, such as in a wrong encoding.
    """
    names = names_of(columns)
    named = ", ".join(map(brief, names[:most]))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"the columns are {named}{more}"
