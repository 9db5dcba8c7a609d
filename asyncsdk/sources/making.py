"""A row of texts becomes a phone, or something that is accounted for and not sent."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from asyncsdk.models import FIELDS, Located, Phone, Problem, Violation, Withheld
from asyncsdk.places import LINE, place_of
from asyncsdk.sources.layout import is_total
from asyncsdk.sources.likeness import looks_complete
from asyncsdk.sources.picking import COUNTRY, picker
from asyncsdk.sources.rejects import (
    NOTED,
    TOTALS,
    note_in,
    note_of,
    noted_columns,
    options_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from asyncsdk.sources.picking import ColumnChoice
    from asyncsdk.sources.rejects import Note

__all__ = ["NotedMakers", "Totals", "maker"]

_DRESS = len(FIELDS) - 1
"""Fields of a phone besides its number."""
_SHORT = 6
"""Characters that a phone has at least: where a line of totals counts them, it has fewer."""
_DIALLED = ("+", "0", "(")


def maker(
    mapping: Mapping[str, ColumnChoice],
    width: int,
    unit: str = LINE,
    totals: Totals | None = None,
) -> Callable[[int, Sequence[str]], Phone]:
    """What makes the rows of a list phones, one after the other.

    Args:
        mapping: The column of each field.
        width: How many columns there are.
        unit: What its lines are.
        totals: Whether a line of totals stands above the first of these rows, and where one does
            that is met; None where nobody wants to know.

    Returns:
        A function of a line and the row on it. What it makes of a row depends on those before it:
        below a line of totals there are no contacts.
    """
    choice = mapping["phone"]
    at = choice.position
    phones = {at, *(position for each in choice.order for position in each.positions)}
    pick = picker(choice) if choice.order else None
    dress = _Dress.of(mapping)
    plain = _plain(choice, dress)
    below = Totals() if totals is None else totals

    def make(line: int, cells: Sequence[str]) -> Phone:
        count = len(cells)
        if plain is not None and count == width and not below.line:  # as below, in half the time
            values = plain(cells)
            if "" not in values and not _has_totals(cells, values[0], phones):
                return Phone(*values)
        phone = cells[at] if at < count else ""
        picked = phone if pick is None else pick(cells)
        number = phone if isinstance(picked, Problem) else picked
        if below.line or _has_totals(cells, number, phones):
            return dress.withheld(phone, cells, below.problem(line, unit))
        if count > width and any(map(str.strip, cells[width:])):
            return Phone("")
        if isinstance(picked, Problem):
            return dress.withheld(phone, cells, picked)
        return dress.phone(picked, cells)

    return make


def _has_totals(cells: Sequence[str], phone: str, phones: Container[int]) -> bool:
    """Whether a row is a line of totals, and its phone none that begins as no sum of phones does.

    Args:
        cells: The row.
        phone: Its phone.
        phones: Where in it phones are.
    """
    if len(phone) >= _SHORT and phone.startswith(_DIALLED):  # as most do, and sooner said
        return False
    return is_total(cells, phones) and not looks_complete(phone)


def _plain(phone: ColumnChoice, dress: _Dress) -> Callable[[Sequence[str]], Sequence[str]] | None:
    """What takes the first fields of a phone from its row, where each is one cell."""
    if phone.order or dress.others or dress.country is not None:
        return None
    if not dress.single:
        return itemgetter(slice(phone.position, phone.position + 1))
    own, positions = zip(*sorted(dress.single), strict=True)
    return itemgetter(phone.position, *positions) if own == tuple(range(len(own))) else None


@define
class NotedMakers:
    """Makers for the rows of a rejects file, which were read in different ways.

    What the caller asks for stands for all of them.
    """

    columns: Sequence[str]
    mapping: Mapping[str, ColumnChoice]
    unit: str = LINE
    _mappings: dict[str, Mapping[str, ColumnChoice]] = field(factory=dict, init=False)
    _makers: dict[str, Callable[[int, Sequence[str]], Phone]] = field(factory=dict, init=False)
    _alike: dict[str, bool] = field(factory=dict, init=False)

    def of(self, cells: Sequence[str]) -> Callable[[int, Sequence[str]], Phone]:
        """The one for this row.

        Raises:
            NoColumnError: A column that it was read from is no longer there.
        """
        key = note_in(self.columns, cells)
        if key not in self._makers:
            self._makers[key] = maker(self.mapping_of(cells), len(self.columns), self.unit)
        return self._makers[key]

    def alike(self, cells: Sequence[str], noted: Note) -> bool:
        """Whether the upload of this row had the options of another one, as far as it says so.

        Args:
            cells: The row.
            noted: What is noted of the other one.
        """
        key = note_in(self.columns, cells)
        if key not in self._alike:
            note = note_of(self.columns, cells)
            self._alike[key] = not note or options_in(note) == options_in(noted)
        return self._alike[key]

    def mapping_of(self, cells: Sequence[str]) -> Mapping[str, ColumnChoice]:
        """The columns that this row is read from.

        Raises:
            NoColumnError: One of them is no longer there.
        """
        key = note_in(self.columns, cells)
        if key not in self._mappings:
            note = note_of(self.columns, cells)
            asked = {f: one for f, one in self.mapping.items() if not note or one.reason != NOTED}
            self._mappings[key] = noted_columns(self.columns, note) | asked
        return self._mappings[key]


def with_other_options(phone: Phone) -> Withheld:
    """A row of a rejects file that is not to be sent with those of the others in it."""
    reason = "it was uploaded with other options than the first row: upload it in a file of its own"
    problem = Problem("Invalid phone", violations=(Violation("phone", reason, "options"),))
    values = {name: getattr(phone, name) for name in FIELDS}
    return Withheld(**values, problem=problem)


@define
class Totals:
    """Whether a line of totals was met."""

    line: int = 0
    """Its line; 0 before there is one."""

    def problem(self, line: int, unit: str) -> Problem:
        """Why the row on this line is no contact: it is such a line, or stands below it."""
        if not self.line:
            self.line = line
            reason = (
                "is a line of totals, not a contact: if it is one, write its number with + and "
                "its country code"
            )
        else:
            reason = (
                f"stands below the totals in {place_of(self.line, unit=unit)}, where there "
                "are no contacts: if it is one, move it above them, or delete them"
            )
        return Problem("Not a contact", violations=(Violation("", f"the row {reason}", TOTALS),))


@frozen
class _Dress:
    """What a phone has besides its number, and where in a row that is."""

    single: tuple[tuple[int, int], ...]
    """Fields that are read from one cell, and where it is."""
    others: tuple[tuple[int, Callable[[Sequence[str]], str | Problem]], ...]
    """Fields that several cells are looked at for."""
    country: Callable[[Sequence[str]], str | Problem] | None

    @classmethod
    def of(cls, mapping: Mapping[str, ColumnChoice]) -> _Dress:
        """As these columns say."""
        own = {
            FIELDS.index(field) - 1: choice
            for field, choice in mapping.items()
            if field not in {"phone", COUNTRY}
        }
        return cls(
            tuple((at, choice.position) for at, choice in own.items() if not choice.order),
            tuple((at, picker(choice)) for at, choice in own.items() if choice.order),
            picker(mapping[COUNTRY]) if COUNTRY in mapping else None,
        )

    def phone(self, number: str, cells: Sequence[str]) -> Phone:
        """This number with all of it."""
        values = self._values(cells)
        if self.country is None:
            return Phone(number, *values)
        return Located(number, *values, country=self._country(cells))

    def withheld(self, number: str, cells: Sequence[str], problem: Problem) -> Withheld:
        """The same, not to be sent."""
        country = self._country(cells)
        return Withheld(number, *self._values(cells), problem=problem, country=country)

    def _values(self, cells: Sequence[str]) -> list[str | None]:
        values: list[str | None] = [None] * _DRESS
        count = len(cells)
        for at, position in self.single:
            values[at] = (cells[position] or None) if position < count else None
        for at, pick in self.others:
            text = pick(cells)
            values[at] = text if isinstance(text, str) and text else None
        return values

    def _country(self, cells: Sequence[str]) -> str:
        text = self.country(cells) if self.country is not None else ""
        return text.strip(" '") if isinstance(text, str) else ""
