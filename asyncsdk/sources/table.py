"""A contact list of whatever format: rows of texts under named columns, and the phones in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import starmap
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from asyncsdk.errors import SourceError
from asyncsdk.places import LINE, Place
from asyncsdk.sources.ahead import read_ahead
from asyncsdk.sources.inert import revive
from asyncsdk.sources.making import NotedMakers, Totals, maker, with_other_options
from asyncsdk.sources.picking import NoColumnError, number_in
from asyncsdk.sources.rejects import Withholding, is_rejects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from asyncsdk.models import Phone
    from asyncsdk.sources.picking import ColumnChoice
    from asyncsdk.sources.rejects import Note

__all__ = ["Row", "Source", "Table"]


@frozen
class Row:
    """One row of a list."""

    index: int
    """0-based among the data rows: the phone's index in the report."""
    line: int
    """1-based line of the file on which it begins; its number where the format has no lines."""
    cells: list[str]
    """As found, however many."""
    path: str | None = None
    """The file it is in, or None."""
    mapping: Mapping[str, ColumnChoice] = Factory(dict)
    """From which of the cells each field is read."""
    sheet: str | None = None
    """The sheet of a workbook that it is in."""
    unit: str = LINE
    """What its line counts: lines, or rows where there are none."""

    def place(self, *, several: bool = False, sheets: bool = False) -> Place:
        """Where it stands.

        Args:
            several: Whether there are several files.
            sheets: Whether there are several sheets.
        """
        return Place(self.index, self.line, self.path, self.sheet, several, sheets, self.unit)

    @property
    def phone(self) -> str:
        """The number in it, as found."""
        return number_in(self.cells, self.mapping["phone"]) if "phone" in self.mapping else ""


class Source(ABC):
    """Phones that are read from somewhere, one for each data row.

    Iterating reads anew each time, and blocks; `async for` reads ahead in a thread.

    Attributes:
        path: The file's name, or None.
        sheet: The sheet of a workbook, or None.
        unit: What the lines of its rows are: lines, or rows where there are none.
        columns: Their names as found, or "1", "2" … where there are none.
        mapping: The column chosen for each field, and for the country of a row; and why.
        notes: What was found when it was opened that its owner should know.
        noted: What a rejects file says of how its rows were read, as the first one has it.
    """

    path: str | None
    sheet: str | None = None
    unit: str = LINE
    columns: tuple[str, ...]
    mapping: dict[str, ColumnChoice]
    notes: tuple[str, ...] = ()
    noted: Note = MappingProxyType({})

    @property
    def parts(self) -> Sequence[Source]:
        """The lists that it is made of: itself, if it is one."""
        return (self,)

    @property
    def naming(self) -> dict[str, bool]:
        """What must be said to name a row of it, as `Row.place` takes it.

        A line of a rejects file is named with it, since it was a line of another file before.
        """
        files = {part.path for part in self.parts}
        several = len(files) > 1 or is_rejects(self.columns)
        return {"several": several, "sheets": len(self.parts) > len(files)}

    @property
    @abstractmethod
    def reopenable(self) -> bool:
        """Whether the source can be iterated more than once."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The raw data rows, in order; raises as iterating does."""

    @abstractmethod
    def __iter__(self) -> Iterator[Phone]:
        """The phones, in the order of the rows.

        Raises:
            SourceError: The list cannot be read any further; it names the line.
        """

    def __aiter__(self) -> AsyncIterator[Phone]:
        return read_ahead(iter(self))

    def pick(self, indices: Iterable[int]) -> Iterator[Row]:
        """The rows with these indices, by reading the list once more.

        Args:
            indices: Strictly ascending; may be lazy.
        """
        wanted = iter(indices)
        index = next(wanted, None)
        for row in self.rows():
            if index is None:
                return
            if row.index == index:
                yield row
                index = next(wanted, None)

    def count(self) -> int:
        """How many data rows there are: reads the list to its end, and so finds what breaks it."""
        return sum(1 for _ in self.rows())


class Table(Source):
    """A source of one table; a format gives its `_cells`.

    A row with fewer cells than columns lacks the last ones. A row with more is not read as shifted
    columns: its phone is empty, and so invalid. A line of totals and what stands below it is
    `Withheld`. The cells of a rejects file are as they were in its input, and what must not be sent
    again is `Withheld`, too.

    Attributes:
        send_unknown: Of a rejects file, whether phones that may be in the group are sent.
        totals: The line of totals that its first row stands below; 0 if there is none.
    """

    send_unknown = False
    totals = 0

    def __init__(
        self, path: str | None, columns: tuple[str, ...], mapping: dict[str, ColumnChoice]
    ) -> None:
        self.path = path
        self.columns = columns
        self.mapping = mapping

    def __repr__(self) -> str:
        phone = self.mapping["phone"].column
        kind = type(self).__name__
        return f"{kind}({self.path!r}, {len(self.columns)} columns, phone={phone!r})"

    @abstractmethod
    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row's first line and cells."""

    def __iter__(self) -> Iterator[Phone]:
        return self.phones(Totals(self.totals))

    def phones(self, totals: Totals) -> Iterator[Phone]:
        """The phones, as by iterating.

        Args:
            totals: Whether they stand below a line of totals; told where one is met.
        """
        if is_rejects(self.columns):
            yield from self._again()
            return
        make = maker(self.mapping, len(self.columns), self.unit, totals)
        yield from starmap(make, self._cells())

    def _again(self) -> Iterator[Phone]:
        """The phones of a rejects file, each read as it was."""
        withholding = Withholding.of(self.columns, send_unknown=self.send_unknown)
        makers = NotedMakers(self.columns, self.mapping, self.unit)
        for line, cells in self._revived():
            try:
                phone = makers.of(cells)(line, cells)
            except NoColumnError as error:
                raise self._wrong(str(error), line) from None
            alike = makers.alike(cells, self.noted)
            yield withholding.withheld(phone, cells) if alike else with_other_options(phone)

    def _wrong(self, message: str, line: int) -> SourceError:
        return SourceError(message, path=self.path, line=line, sheet=self.sheet, unit=self.unit)

    def rows(self) -> Iterator[Row]:
        """The raw data rows, in order; raises as iterating does."""
        again = is_rejects(self.columns)
        makers = NotedMakers(self.columns, self.mapping, self.unit) if again else None
        for index, (line, cells) in enumerate(self._revived()):
            mapping = self.mapping if makers is None else makers.mapping_of(cells)
            yield Row(index, line, cells, self.path, mapping, self.sheet, self.unit)

    def count(self) -> int:
        """How many data rows there are: reads the list to its end, and so finds what breaks it."""
        return sum(1 for _ in self._cells())

    def _revived(self) -> Iterator[tuple[int, list[str]]]:
        """The rows, those of a rejects file as they were in its input."""
        if not is_rejects(self.columns):
            return self._cells()
        return ((line, list(map(revive, cells))) for line, cells in self._cells())
