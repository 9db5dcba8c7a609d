"""Several lists as one source."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.table import Row, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncsdk.models import Phone
    from asyncsdk.sources.table import Table

__all__ = ["ManySources"]


class ManySources(Source):
    """The phones of several lists, one list after the other, under one running index.

    The lists may differ in format and columns: each has its own phone column, and `columns` are
    all of them, in the order in which they first occur.

    Attributes:
        parts: The lists.
    """

    path = None

    def __init__(self, parts: Sequence[Table]) -> None:
        self.parts = tuple(parts)
        self.columns = tuple(dict.fromkeys(chain.from_iterable(p.columns for p in parts)))
        self.mapping = {
            field: ColumnChoice(choice.column, self.columns.index(choice.column), choice.reason)
            for part in reversed(parts)
            for field, choice in part.mapping.items()
        }

    def __repr__(self) -> str:
        return f"ManySources({len(self.parts)} lists, {len(self.columns)} columns)"

    @property
    def reopenable(self) -> bool:
        """Whether all of them can be iterated more than once."""
        return all(part.reopenable for part in self.parts)

    def __iter__(self) -> Iterator[Phone]:
        return chain.from_iterable(self.parts)

    def rows(self) -> Iterator[Row]:
        """The raw data rows, in order, with their cells under `columns`."""
        index = 0
        for part in self.parts:
            alike = part.columns == self.columns
            for row in part.rows():
                cells = row.cells if alike else self._aligned(part, row.cells)
                yield Row(index, row.line, cells, row.path)
                index += 1

    def count(self) -> int:
        """How many data rows there are in all."""
        return sum(part.count() for part in self.parts)

    def _aligned(self, part: Table, cells: Sequence[str]) -> list[str]:
        """A row of one list under the columns of all; cells beyond its own columns come last."""
        found = dict(zip(part.columns, cells, strict=False))
        return [found.get(column, "") for column in self.columns] + list(cells[len(part.columns) :])
