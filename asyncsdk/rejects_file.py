"""The file with the rows that were not created, to be mended and uploaded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from attrs import Factory, frozen

from asyncsdk.export.counting import Counting
from asyncsdk.export.sheet import needs_semicolons, write_sheet
from asyncsdk.sources import CsvSource
from asyncsdk.sources.noted import to_note
from asyncsdk.sources.picking import moved, spelled
from asyncsdk.sources.rejects import READ_AS, REJECT_COLUMNS, Note, own_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from asyncsdk.rejects import Rejected
    from asyncsdk.sources import ColumnChoice, Source

__all__ = ["write_rejects"]


def write_rejects(
    path: str | PathLike[str],
    source: Source,
    rows: Iterable[Rejected],
    options: Mapping[str, object] | None = None,
) -> int:
    """Write a file that can be mended and uploaded again; returns the number of rows.

    It has `REJECT_COLUMNS` before the columns of the list and `READ_AS` behind them, and is a
    workbook if its name ends in `.xlsx`, else CSV, as the input was. To a spreadsheet no cell is a
    formula, nor a number that it would round; reading the file gives the cells back as they were.
    `phone_was` holds the numbers of rows that must not go out again unless they are changed:
    duplicates, those that may be in the group, and those that their list held back.

    Args:
        path: The file to write.
        source: What was uploaded.
        rows: What was not created of it.
        options: Those of the upload, of which some are to hold again, such as
            `{"normalize": "DE"}`.
    """
    again = to_note(options or {})
    own = own_columns(source.columns)
    columns = _without(own, source.columns)
    header = [*REJECT_COLUMNS, *columns, READ_AS]
    notes = _Notes(header, _places_of(source.columns, own), again)
    written = Counting(rows)
    delimiter, quotechar = _dialect(source, again)
    write_sheet(
        path,
        header,
        (
            [*row.columns, *_padded(_without(own, row.cells), len(columns)), notes.of(row)]
            for row in written
        ),
        delimiter=delimiter,
        quotechar=quotechar,
    )
    return written.count


def _dialect(source: Source, options: Note) -> tuple[str, str]:
    """As the input is written, unless that would be a single column where it is mended."""
    delimiter, quotechar = ",", '"'
    first = source.parts[0]
    if isinstance(first, CsvSource):
        delimiter, quotechar = first.dialect.delimiter, first.dialect.quotechar or '"'
    if delimiter == "," and needs_semicolons(options.get("normalize")):
        delimiter = ";"
    return delimiter, quotechar


def _without(own: frozenset[int], cells: Sequence[str]) -> Sequence[str]:
    """The cells of the input, if the source is a rejects file itself."""
    return [cell for at, cell in enumerate(cells) if at not in own] if own else cells


def _padded(cells: Sequence[str], width: int) -> Sequence[str]:
    return cells if len(cells) >= width else [*cells, *[""] * (width - len(cells))]


def _places_of(columns: Sequence[str], own: frozenset[int]) -> list[int]:
    """Where each column of the source is in the file; those that it has of its own are nowhere."""
    first = len(REJECT_COLUMNS)
    rest = iter(range(first, first + len(columns)))
    return [0 if at in own else next(rest) for at in range(len(columns))]


@frozen
class _Notes:
    """What is noted of how each row was read."""

    header: Sequence[str]
    places: Sequence[int]
    options: Note
    _known: dict[int, tuple[Mapping[str, ColumnChoice], str]] = Factory(dict)

    def of(self, row: Rejected) -> str:
        """The note of a row; rows that were read alike share it."""
        key = id(row.mapping)
        if key not in self._known:
            self._known[key] = (row.mapping, self._note(row.mapping))  # it keeps its identity
        return self._known[key][1]

    def _note(self, mapping: Mapping[str, ColumnChoice]) -> str:
        fields = {
            field: spelled(self.header, moved(choice, self.places))
            for field, choice in mapping.items()
        }
        plain = {field: names[0] if len(names) == 1 else names for field, names in fields.items()}
        return msgspec.json.encode(dict(self.options) | plain).decode() if plain else ""
