"""Which column of a list holds what.

A name decides only if the cells agree, and where two columns could be meant, nobody guesses: a
wrong column is a message to strangers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from asyncsdk.columns import resolve
from asyncsdk.countries import region_of
from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.models import FIELDS
from asyncsdk.sources.bounds import MAX_COLUMNS
from asyncsdk.sources.likeness import agrees, looks_complete, looks_like_phone, weight
from asyncsdk.sources.names import Role, is_area_code, is_country, name_rank, plain_name, role_of
from asyncsdk.sources.picking import (
    COUNTRY,
    Cells,
    ColumnChoice,
    NoColumnError,
    find_column,
    labelled,
    listed,
    name_of,
    names_of,
    picker,
)
from asyncsdk.sources.questions import Option, Question, answered
from asyncsdk.sources.rejects import first_note, is_report, noted_columns, own_columns
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ANSWERED",
    "NO_PHONES",
    "Column",
    "ColumnChoice",
    "NoPhonesError",
    "Wanted",
    "choose_columns",
    "looks_like_phone",
    "name_rank",
]

_MOBILE = 3
_PHONES = 2
_SOME = 0.1
"""How many cells must agree with a name that promises phones."""
_MIN_SHARE = 0.25
"""How many must look like phones where no name promises them."""
_ENOUGH = 0.5
"""How many of the rows with phones a mobile column has at least: below that, it is asked."""
_WHOLE = 0.8
"""How many must be complete so that a column of area codes beside them is not a part of them."""
_COUNTRIES, _FEW_COUNTRIES = 0.9, 0.5
"""How many cells must be countries, and how many where some have their names."""
_MOST = 8
"""Columns that are listed where none looks like phones."""
_OPTIONS = 20
"""Columns that are asked for: of more nobody chooses, such as of a list in a single row."""
_LONGEST_NAME = 60
"""Characters of a name that is given as an example."""
_SAMPLES = 3
_MAX_CELLS = 100_000
"""Cells that are looked at, but those of"""
_FEW_ROWS = 20
"""rows at least."""
_NUMBERED = re.compile(r"[^#]\d+\s*$")
_BEGINNING = re.compile(r"[+(]?(?:[ ()/+\-]*\d){1,7}[ )/\-]*")
"""What numbers begin with: codes of countries and of areas."""
_DIALLED_BEGINNING = re.compile(r"\+[1-9]\d{0,2}|\(?0[1-9]\d{1,4}\)?")

NO_PHONES = "no column looks like phones"
ANSWERED = "as answered"
"""Why a column was chosen that was asked for."""


Column = str | int | Sequence[str | int]
"""A column: its name, its number from 1, or several of them in the order of preference."""


@frozen
class Wanted:
    """What a caller says of the columns, in the words of `asyncsdk.sources.read`."""

    columns: Mapping[str, Column] | None = field(default=None)
    """Fields to columns."""
    names: Mapping[str, str] | None = None
    """What the group calls its columns."""
    country: str | int | None = None
    """The column that says in which country a phone is."""
    ask: Callable[[Question], str | None] | None = None
    """Who answers what is left open; None: nobody."""

    @columns.validator
    def _check_columns(self, _: object, value: object) -> None:
        if value is None:
            return
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            msg = (
                "columns must map fields of a phone to columns, such as "
                f'{{"phone": "Mobil"}}, not {brief(value)}'
            )
            raise ConfigurationError(msg)


def choose_columns(
    found: Sequence[str],
    rows: Sequence[Sequence[str]],
    wanted: Wanted,
    *,
    path: str | None = None,
    line: int | None = None,
) -> dict[str, ColumnChoice]:
    """The column of each field; that of the phone is recognised where it is not given.

    Args:
        found: The names of the columns that there are.
        rows: Some of the data.
        wanted: What the caller says.
        path: The file, for the errors.
        line: The line of the names, for the errors.

    Raises:
        ConfigurationError: There is no such field, or one is named twice.
        UndecidedError: Several columns could be the phones', and nobody says which.
        SourceError: There is no such column, or no column looks like phones.
    """
    if len(found) > MAX_COLUMNS:
        msg = f"has {len(found):,} columns: that is no contact list"
        raise SourceError(msg, path=path, line=line)
    rows = rows[: max(_FEW_ROWS, _MAX_CELLS // max(1, len(found)))]
    if is_report(found):  # what is created would be sent a second time
        msg = "is a report: 'asyncsdk retry' sends what is safe; a rejects file has what to mend"
        raise SourceError(msg, path=path, line=1)
    asked: dict[str, object] = dict(resolve(wanted.columns or {}, wanted.names or {}))
    if wanted.country is not None:
        asked[COUNTRY] = wanted.country
    noted = first_note(found, rows)
    try:
        chosen = noted_columns(found, noted) | _asked_for(found, asked)
        if "phone" not in chosen:
            chosen["phone"] = _phones(found, rows, chosen, wanted, path)
    except NoColumnError as error:
        raise SourceError(str(error), path=path, line=line) from None
    except _NoPhonesError:
        shown = listed(found, most=_MOST)
        first = found[0] if 0 < len(found[0]) <= _LONGEST_NAME else "1"
        msg = f"{NO_PHONES}: name it, such as columns={{'phone': {first!r}}}; {shown}"
        unknown = NoPhonesError(msg, path=path, line=line)
        unknown.found = shown
        raise unknown from None
    if (
        COUNTRY not in chosen
        and not noted
        and (country := _country(found, rows, chosen, wanted, path))
    ):
        chosen[COUNTRY] = country
    return {field: chosen[field] for field in (*FIELDS, COUNTRY) if field in chosen}


class NoPhonesError(SourceError):
    """No column looks like phones: which one it is must be said.

    Attributes:
        found: The columns that there are.
    """

    found: str = ""


class _NoPhonesError(Exception):
    """No column looks like phones."""


def _asked_for(found: Sequence[str], asked: Mapping[str, object]) -> dict[str, ColumnChoice]:
    return {field: find_column(found, field, name) for field, name in asked.items()}


def _phones(
    found: Sequence[str],
    rows: Sequence[Sequence[str]],
    chosen: Mapping[str, ColumnChoice],
    wanted: Wanted,
    path: str | None,
) -> ColumnChoice:
    taken = {choice.position for choice in chosen.values()} | own_columns(found)
    decided = _Search(found, rows, frozenset(taken)).decide()
    if isinstance(decided, ColumnChoice):
        return decided
    answer = answered(evolve(decided, path=path), wanted.ask)
    return evolve(find_column(found, "phone", answer), reason=ANSWERED)


@frozen
class _Candidate:
    """A column that could be the phones', and what is in it."""

    name: str
    """As it is asked for."""
    cells: tuple[Cells, ...]
    rank: int
    role: Role
    filled: tuple[str, ...]
    """What is in it, where anything is."""
    rows: frozenset[int]
    """The rows in which it agrees."""

    @property
    def agreeing(self) -> bool:
        """Whether its cells agree with a name that promises phones."""
        return bool(self.rows) and len(self.rows) >= _SOME * len(self.filled)

    def share(self, kind: Callable[[str], float]) -> float:
        """How much of its cells are of a kind, 0 to 1."""
        return sum(map(kind, self.filled)) / len(self.filled) if self.filled else 0.0

    def choice(self, reason: str, column: str = "") -> ColumnChoice:
        """It, chosen."""
        first = self.cells[0]
        alone = len(self.cells) == 1 and first.label is None
        order = () if alone else self.cells
        return ColumnChoice(column or self.name, first.positions[0], reason, order)


@define
class _Search:
    """The search for the phones' column in one list."""

    found: Sequence[str]
    rows: Sequence[Sequence[str]]
    taken: frozenset[int]

    def decide(self) -> ColumnChoice | Question:
        """The column, or what must be asked."""
        every = [each for each in self._candidates() if each.role is not Role.NONE]
        own = [each for each in every if each.role is Role.OWN]
        named = [each for each in own if each.rank >= _PHONES]
        agreeing = [each for each in named if each.agreeing]
        if agreeing:
            return self._of_named(agreeing)
        full = [each for each in own if each.share(weight) >= _MIN_SHARE and _telling(each)]
        if len(full) == 1:
            return self._whole(full[0], "by its content")
        if full:
            return self._asked(full)
        others = [each for each in every if each.role is Role.OTHER and each.agreeing]
        others = [each for each in others if each.rank or _telling(each)]
        if others:
            return self._asked(others, "these phones may be somebody else's: whose are meant")
        return self._without_a_sign(own, named)

    def _without_a_sign(
        self, own: Sequence[_Candidate], named: Sequence[_Candidate]
    ) -> ColumnChoice | Question:
        """Where neither a name nor what numbers begin with says which column it is."""
        digits = [each for each in own if each.share(_long) >= _ENOUGH]
        if len(digits) == 1 and len(self.found) - len(self.taken) == 1:
            return digits[0].choice("the only column")
        if digits:
            return self._asked(digits, "there are only digits: which column has the phones")
        if named and not any(each.filled for each in named):
            return max(named, key=lambda each: each.rank).choice("by its name")
        raise _NoPhonesError

    def _candidates(self) -> list[_Candidate]:
        derived = {name: self._cells(name) for name in labelled(self.found, self.rows)}
        beside = {at for cells in derived.values() for each in cells for at in each.positions}
        free = sorted(set(range(len(self.found))) - self.taken - beside)
        names = names_of(self.found)
        single = [self._candidate(names[at], self.found[at], (Cells((at,)),)) for at in free]
        return single + [self._candidate(name, name, cells) for name, cells in derived.items()]

    def _cells(self, name: str) -> tuple[Cells, ...]:
        return find_column(self.found, "phone", name).order

    def _candidate(self, name: str, called: str, cells: tuple[Cells, ...]) -> _Candidate:
        pick = picker(ColumnChoice(name, 0, "", cells))
        texts = [str(pick(row)) for row in self.rows]
        return _Candidate(
            name,
            cells,
            name_rank(called),
            role_of(called),
            tuple(text for text in texts if text.strip()),
            frozenset(at for at, text in enumerate(texts) if agrees(text)),
        )

    def _of_named(self, candidates: Sequence[_Candidate]) -> ColumnChoice | Question:
        candidates = _without_seconds(candidates)
        mobile = [each for each in candidates if each.rank == _MOBILE]
        if len(candidates) == 1:
            return self._whole(candidates[0], "by its name")
        rows = frozenset[int]().union(*(each.rows for each in candidates))
        if len(mobile) == 1 and len(mobile[0].rows) >= _ENOUGH * len(rows):
            return self._whole(mobile[0], "by its name")
        return self._asked(candidates)

    def _whole(self, candidate: _Candidate, reason: str) -> ColumnChoice | Question:
        """This one, unless its numbers lack their beginnings, which are in another column."""
        joined = self._joined(candidate)
        if joined == candidate.name:
            return candidate.choice(reason)
        about = f"{len(candidate.rows)} of {len(self.rows)} rows"
        option = Option(joined, about, self._samples(find_column(self.found, "phone", joined)))
        text = "the numbers are in parts, of which one alone is somebody else's: join them"
        return Question("phone", text, (option,))

    def _joined(self, candidate: _Candidate) -> str:
        """A column as it is asked for: with those of its beginnings, if it lacks them."""
        codes = self._area_codes(candidate.cells[0].positions[0])
        if not codes or candidate.share(looks_complete) >= _WHOLE:
            return candidate.name
        return "+".join([*codes, candidate.name])

    def _area_codes(self, before: int) -> list[str]:
        """The columns of area codes: those right before this one, if any are, or else all."""
        found = self._beginnings
        first = before
        while first - 1 in found:
            first -= 1
        return [name_of(self.found, at) for at in range(first, before) or found]

    @cached_property
    def _beginnings(self) -> list[int]:
        """The columns that have what numbers begin with."""
        return [
            at
            for at, name in enumerate(self.found)
            if at not in self.taken and _has_beginnings(name, _cells_at(self.rows, at))
        ]

    def _asked(
        self,
        candidates: Sequence[_Candidate],
        text: str = "several columns could be the phones: name one",
    ) -> Question:
        ranked = sorted(candidates, key=lambda each: (-each.rank, -len(each.rows)))[:_OPTIONS]
        options = [self._option(self._joined(each), each.rows) for each in ranked]
        mobile = [each for each in ranked if each.rank == _MOBILE]
        for several in (mobile, ranked) if mobile != ranked else (ranked,):
            rows = frozenset[int]().union(*(each.rows for each in several))
            if len(several) > 1 and len(rows) > max(len(each.rows) for each in several):
                order = ",".join(map(self._within_a_list, several))
                options.append(self._option(order, rows, ", the first that is filled"))
        return Question("phone", text, tuple(options))

    def _within_a_list(self, candidate: _Candidate) -> str:
        """How a column is asked for among several: by its number where its name has a comma."""
        cut = {",", "+"} & set(candidate.name)
        return str(candidate.cells[0].positions[0] + 1) if cut else self._joined(candidate)

    def _option(self, name: str, rows: frozenset[int], how: str = "") -> Option:
        about = f"in {len(rows)} of the first {len(self.rows)} rows{how}"
        return Option(name, about, self._samples(find_column(self.found, "phone", name)))

    def _samples(self, choice: ColumnChoice) -> tuple[str, ...]:
        pick = picker(choice)
        texts = (text for row in self.rows if isinstance(text := pick(row), str) and text.strip())
        return tuple(text for _, text in zip(range(_SAMPLES), texts, strict=False))


def _without_seconds(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The candidates without the second ones of their kind: `Telefon 2` of who has `Telefon`."""
    firsts: dict[str, _Candidate] = {}
    for each in candidates:
        stem = plain_name(each.name).rstrip(" 0123456789")
        first = firsts.get(stem)
        numbered = _NUMBERED.search(each.name) is not None
        if first is None or not numbered or not each.rows <= first.rows:
            firsts[stem if first is None else each.name] = each
    return list(firsts.values())


def _telling(candidate: _Candidate) -> bool:
    """Whether some of its cells begin as only complete numbers do: ids are of digits, too."""
    return candidate.share(looks_complete) >= _MIN_SHARE


def _long(cell: str) -> float:
    """Whether a cell has the digits of a whole number."""
    least = 8
    return float(looks_like_phone(cell) and sum(map(str.isdigit, cell)) >= least)


def _has_beginnings(name: str, cells: Sequence[str]) -> bool:
    """Whether a column has what numbers begin with: by its name, or because all begin with 0."""
    if is_area_code(name):
        pattern = _BEGINNING
    elif role_of(name) is Role.OWN:
        pattern = _DIALLED_BEGINNING
    else:
        return False
    short = sum(pattern.fullmatch(cell.strip()) is not None for cell in cells)
    return bool(cells) and short >= _WHOLE * len(cells)


def _country(
    found: Sequence[str],
    rows: Sequence[Sequence[str]],
    chosen: Mapping[str, ColumnChoice],
    wanted: Wanted,
    path: str | None,
) -> ColumnChoice | None:
    """The column that says in which country each phone is, if there is one."""
    phone = chosen["phone"]
    taken = {phone.position, *(at for each in phone.order for at in each.positions)}
    named = [at for at, name in enumerate(found) if at not in taken and is_country(name)]
    certain = [at for at in named if _has_countries(_cells_at(rows, at))]
    if not certain:
        return None
    if len({tuple(map(region_of, _column(rows, at))) for at in certain}) == 1:
        return ColumnChoice(name_of(found, certain[0]), certain[0], "by its name")
    options = tuple(
        Option(name_of(found, at), f"in {len(_cells_at(rows, at))} of the first {len(rows)} rows")
        for at in certain
    )
    text = "several columns say in which country a phone could be: name one"
    answer = answered(Question(COUNTRY, text, options, path), wanted.ask)
    return evolve(find_column(found, COUNTRY, answer), reason=ANSWERED)


def _column(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at] if at < len(row) else "" for row in rows]


def _has_countries(cells: Sequence[str]) -> bool:
    """Whether a column has countries; then a row whose country is not known is refused.

    Codes of two letters are of federal states, too: where many are not known, names must be.
    """
    try:
        known = [cell for cell in cells if region_of(cell) is not None]
    except ImportError:  # nothing is normalised then either
        return False
    named = any(len(cell.strip()) > len("AT") for cell in known)
    least = _FEW_COUNTRIES if named else _COUNTRIES
    return bool(cells) and len(known) >= least * len(cells)


def _cells_at(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at] for row in rows if at < len(row) and row[at].strip()]
