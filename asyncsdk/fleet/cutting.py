"""A list as partitions: where each begins, by reading all of it once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from asyncsdk.errors import SourceError
from asyncsdk.fleet.manifest import ListFile, Partition, Picked
from asyncsdk.fleet.opening import ranges_of
from asyncsdk.fleet.places import digest_of
from asyncsdk.sources.columns import ANSWERED
from asyncsdk.sources.csv import CsvSource
from asyncsdk.sources.footer import row_groups
from asyncsdk.sources.frames import FrameSource
from asyncsdk.sources.likeness import looks_complete, looks_like_phone
from asyncsdk.sources.making import Totals
from asyncsdk.sources.measured import is_measurable, unmarked
from asyncsdk.sources.opening import FileInput, opened_file
from asyncsdk.sources.rejects import is_rejects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO

    from asyncsdk.models import Phone
    from asyncsdk.sources.columns import ColumnChoice
    from asyncsdk.sources.footer import RowGroups
    from asyncsdk.sources.table import Source, Table

__all__ = ["Limits", "cut"]

_HEAD = 4096


@frozen
class Limits:
    """How much a partition has: it ends with the row, or row group, that reaches one of these."""

    rows: int | None
    bytes: int | None

    def reached(self, rows: int, size: int) -> bool:
        """Whether so much is enough."""
        enough = self.rows is not None and rows >= self.rows
        return enough or (self.bytes is not None and size >= self.bytes)


@frozen
class _Start:
    """Where a partition begins: its first row, the byte and the line at which that stands."""

    row: int = 0
    byte: int = 0
    line: int = 1
    totals: int = 0
    """The line of totals that stands above it."""


def cut(
    table: Source, source: FileInput, limits: Limits, seen: Callable[[Phone], None]
) -> tuple[ListFile, list[Partition]]:
    """What a list is, and its partitions, numbered within it.

    Args:
        table: What `asyncsdk.sources.read` made of the file.
        source: The file.
        limits: How much a partition has.
        seen: Called with each of its phones.

    Raises:
        SourceError: It cannot be read to its end, or was changed meanwhile.
    """
    with opened_file(source.path, source.name) as raw:
        before = _moment(source.path)
        file, found = _cut(table, source, raw, limits, seen, raw.seek(0, 2))
        parts = [
            evolve(part, digest=digest_of(raw, ranges_of(file, part.start, part.end)))
            for part in found
        ]
        if _moment(source.path) != before:
            msg = "was changed while the upload was planned: plan it again"
            raise SourceError(msg, path=source.name)
    return file, parts


def _moment(path: Path) -> tuple[int, ...]:
    """What tells a file from what it was, or from another in its place; none where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _cut(
    table: Source,
    source: FileInput,
    raw: IO[bytes],
    limits: Limits,
    seen: Callable[[Phone], None],
    size: int,
) -> tuple[ListFile, list[Partition]]:
    path, plain = source.name or "", not source.packed and not is_rejects(table.columns)
    if (
        plain
        and isinstance(table, CsvSource)
        and table.input is source
        and is_measurable(table.dialect.encoding)
    ):
        return _at_lines(table, _described(table, path, size), raw, limits, seen)
    if plain and isinstance(table, FrameSource) and (groups := row_groups(raw)):
        file = evolve(_described(table, path, size), cut="row-groups", footer=groups.footer)
        return file, _at_groups(table, groups, limits, seen)
    rows = sum(1 for _ in map(seen, table))
    whole = ListFile(path, size, "whole", _named(table), answered=_answered(table))
    return whole, _between([_Start()], _Start(rows, size))


def _described(table: Table, path: str, size: int) -> ListFile:
    picked = [_picked(name, choice) for name, choice in table.mapping.items()]
    return ListFile(path, size, "lines", _named(table), picked)


def _named(table: Source) -> list[str]:
    """Its columns; a name that might be a phone is a number, for a manifest has none."""
    return [
        str(at) if looks_like_phone(name) or any(map(looks_complete, name.split())) else name
        for at, name in enumerate(table.columns, start=1)
    ]


def _picked(name: str, choice: ColumnChoice) -> Picked:
    order = [(list(cells.positions), cells.label, cells.kind) for cells in choice.order]
    return Picked(name, choice.position, order)


def _answered(table: Source) -> dict[str, str]:
    """What was answered when it was opened; of several sheets each has its own columns."""
    if len(table.parts) > 1:
        return {}
    return {n: one.column for n, one in table.mapping.items() if one.reason == ANSWERED}


def _at_lines(
    table: CsvSource,
    file: ListFile,
    raw: IO[bytes],
    limits: Limits,
    seen: Callable[[Phone], None],
) -> tuple[ListFile, list[Partition]]:
    raw.seek(0)
    encoding, mark = unmarked(raw.read(_HEAD), table.dialect.encoding)
    dialect = evolve(table.dialect, encoding=encoding, header=False, preamble=0, above=0)
    starts: list[_Start] = []
    totals, above, row = Totals(), 0, -1
    for row, (phone, line, byte) in enumerate(table.measured(totals)):
        if not starts or limits.reached(row - starts[-1].row, byte - starts[-1].byte):
            starts.append(_Start(row, byte, line, above))
        above = totals.line
        seen(phone)
    end = _Start(row + 1, file.size)
    return evolve(file, dialect=dialect, mark=mark), _between(starts or [end], end)


def _at_groups(
    table: FrameSource, found: RowGroups, limits: Limits, seen: Callable[[Phone], None]
) -> list[Partition]:
    starts = [_Start(row, byte, row + 1) for row, byte in _first_groups(found, limits)]
    totals, above, at = Totals(), 0, 0
    for row, phone in enumerate(table.phones(totals)):
        if at < len(starts) and starts[at].row == row:
            starts[at] = evolve(starts[at], totals=above)
            at += 1
        above = totals.line
        seen(phone)
    rows = sum(group.rows for group in found.groups)
    end = _Start(rows, found.footer)
    return _between(starts or [end], end)


def _first_groups(found: RowGroups, limits: Limits) -> Iterator[tuple[int, int]]:
    """The first row of each run of row groups, and where the bytes behind the last one end."""
    first = begun = row = byte = 0
    for at, group in enumerate(found.groups):
        if at == 0 or limits.reached(row - first, group.start - begun):
            first, begun = row, byte
            yield row, byte
        row, byte = row + group.rows, group.end


def _between(starts: list[_Start], end: _Start) -> list[Partition]:
    """The partitions that begin there, each of which goes to where the next one begins."""
    return [
        Partition(
            index,
            file=0,
            rows=then.row - one.row,
            first=0,
            start=one.byte,
            end=then.byte,
            digest="",
            row=one.row,
            line=one.line,
            totals=one.totals,
        )
        for index, (one, then) in enumerate(pairwise([*starts, end]))
    ]
