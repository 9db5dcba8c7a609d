"""Several lists as one source."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.sources.picking import moved
from asyncsdk.sources.table import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asyncsdk.models import Phone
    from asyncsdk.sources.picking import ColumnChoice
    from asyncsdk.sources.table import Row, Table

__all__ = ["ManySources"]


class ManySources(Source):
    """The phones of several lists, one list after the other, under one running index.

    The lists may differ in format and columns: each has its own phone column, and `columns` are
    all of them, in the order in which they first occur.
    """

    path: str | None = None

    def __init__(self, parts: Sequence[Table]) -> None:
        self._parts = tuple(parts)
        named = [_numbered(part.columns) for part in parts]
        every = dict.fromkeys(chain.from_iterable(named))
        self.columns: tuple[str, ...] = tuple(name for name, _ in every)
        places = {column: at for at, column in enumerate(every)}
        self._places = [[places[column] for column in columns] for columns in named]
        mappings = [
            {field: moved(choice, at) for field, choice in part.mapping.items()}
            for part, at in zip(parts, self._places, strict=True)
        ]
        self.mapping: dict[str, ColumnChoice] = {
            field: choice for mapping in reversed(mappings) for field, choice in mapping.items()
        }

    @property
    def parts(self) -> tuple[Table, ...]:
        """The lists."""
        return self._parts

    def __repr__(self) -> str:
        return f"ManySources({len(self._parts)} lists, {len(self.columns)} columns)"

    @property
    def reopenable(self) -> bool:
        """Whether all of them can be iterated more than once."""
        return all(part.reopenable for part in self._parts)

    def __iter__(self) -> Iterator[Phone]:
        return chain.from_iterable(self._parts)

    def rows(self) -> Iterator[Row]:
        """The raw data rows, in order, with their cells under `columns`."""
        index = 0
        for part, places in zip(self._parts, self._places, strict=True):
            mappings: dict[int, Mapping[str, ColumnChoice]] = {}
            for row in part.rows():
                known = mappings.get(id(row.mapping))
                if known is None:
                    known = {field: moved(one, places) for field, one in row.mapping.items()}
                    mappings[id(row.mapping)] = known
                yield evolve(
                    row, index=index, cells=self._aligned(places, row.cells), mapping=known
                )
                index += 1

    def count(self) -> int:
        """How many data rows there are in all."""
        return sum(part.count() for part in self._parts)

    def _aligned(self, places: Sequence[int], cells: Sequence[str]) -> list[str]:
        """A row of one list under the columns of all; cells beyond its own columns come last."""
        aligned = [""] * len(self.columns)
        for at, cell in zip(places, cells, strict=False):
            aligned[at] = cell
        return aligned + list(cells[len(places) :])


def _numbered(columns: Sequence[str]) -> list[tuple[str, int]]:
    """Columns by their names and, where several have the same, by how many came before."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in columns:
        numbered.append((name, seen[name]))
        seen[name] += 1
    return numbered
