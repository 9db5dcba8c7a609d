"""The rows of one partition, read as the whole file would be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asyncsdk.fleet.places import changed, digest_of
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.csv import CsvSource
from asyncsdk.sources.frames import read_rows
from asyncsdk.sources.opening import FileInput, RangeInput, opened_file
from asyncsdk.sources.picking import Cells
from asyncsdk.sources.read import read

if TYPE_CHECKING:
    from asyncsdk.fleet.manifest import ListFile, Manifest, Partition, Picked
    from asyncsdk.sources.table import Source, Table

__all__ = ["opened", "ranges_of"]

_PLANNED = "as planned"


def opened(manifest: Manifest, partition: Partition) -> Source:
    """The rows of a partition; they are those that were planned, and are read in the same way.

    Raises:
        SourceError: The file is not what it was, or cannot be read.
        ImportError: Something of the extra `files` is needed and not installed.
    """
    file = manifest.files[partition.file]
    path = Path(file.path)
    _check(path, file, partition)
    source = FileInput(path, manifest.reading.get("max_bytes") or MAX_BYTES, file.path)
    if file.cut == "whole":
        columns = {**(manifest.reading.get("columns") or {}), **file.answered}
        return read(source, **{**manifest.reading, "columns": columns or None})
    table = _lines(file, partition) if file.cut == "lines" else _rows(source, file, partition)
    table.totals = partition.totals
    return table


def ranges_of(file: ListFile, start: int, end: int) -> list[tuple[int, int]]:
    """The bytes of a file that say what a part of it is."""
    return [(start, end), *([(file.footer, file.size)] if file.footer else [])]


def _check(path: Path, file: ListFile, partition: Partition) -> None:
    """Do nothing if these bytes of the file are what they were, and it is as long."""
    ranges = ranges_of(file, partition.start, partition.end)
    with opened_file(path, file.path) as found:
        if found.seek(0, 2) != file.size or digest_of(found, ranges) != partition.digest:
            raise changed(file.path)


def _lines(file: ListFile, partition: Partition) -> Table:
    assert file.dialect is not None, "it is cut at lines"
    return CsvSource(
        RangeInput(file.path, partition.start, partition.end),
        file.dialect,
        _columns(file),
        _mapping(file),
        first_line=partition.line,
        continued=partition.start > file.mark,
    )


def _rows(source: FileInput, file: ListFile, partition: Partition) -> Table:
    return read_rows(source, partition.row, partition.rows, _columns(file), _mapping(file))


def _columns(file: ListFile) -> tuple[str, ...]:
    return tuple(map(str, range(1, file.width + 1)))


def _mapping(file: ListFile) -> dict[str, ColumnChoice]:
    return {one.field: _choice(one) for one in file.picked}


def _choice(one: Picked) -> ColumnChoice:
    order = tuple(Cells(tuple(at), label, kind) for at, label, kind in one.order)
    return ColumnChoice(str(one.position + 1), one.position, _PLANNED, order)
