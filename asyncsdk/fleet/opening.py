"""The rows of one partition, read as the whole file would be."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asyncsdk.fleet.places import changed, digest_of
from asyncsdk.fleet.remote import Remote, is_remote
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.csv import CsvSource
from asyncsdk.sources.frames import read_rows
from asyncsdk.sources.opening import FileInput, RangeInput, opened_file
from asyncsdk.sources.picking import Cells
from asyncsdk.sources.read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asyncsdk.fleet.manifest import ListFile, Manifest, Partition, Picked
    from asyncsdk.sources.table import Source, Table

__all__ = ["opened", "ranges_of"]

_PLANNED = "as planned"


@contextmanager
def opened(manifest: Manifest, partition: Partition) -> Iterator[Source]:
    """The rows of a partition; they are those that were planned, and are read in the same way.

    Raises:
        SourceError: The file is not what it was, or cannot be read.
        ImportError: Something of an extra is needed and not installed.
    """
    file = manifest.files[partition.file]
    ranges = ranges_of(file, partition.start, partition.end)
    if not is_remote(file.path):
        _check(file, ranges, partition.digest)
        yield _source(manifest, partition, Path(file.path), partition.start)
        return
    remote = Remote(file.path)
    if remote.size() != file.size:
        raise changed(file.path)
    with remote.copied(ranges, sparse=file.cut == "row-groups") as (path, digest):
        if digest != partition.digest:
            raise changed(file.path)
        yield _source(manifest, partition, path, 0)


def ranges_of(file: ListFile, start: int, end: int) -> list[tuple[int, int]]:
    """The bytes of a file that say what a part of it is."""
    return [(start, end), *([(file.footer, file.size)] if file.footer else [])]


def _check(file: ListFile, ranges: Iterable[tuple[int, int]], digest: str) -> None:
    """Do nothing if these bytes of the file are what they were, and it is as long."""
    with opened_file(Path(file.path), file.path) as found:
        if found.seek(0, 2) != file.size or digest_of(found, ranges) != digest:
            raise changed(file.path)


def _source(manifest: Manifest, partition: Partition, path: Path, start: int) -> Source:
    """The rows of a partition.

    Args:
        manifest: The plan.
        partition: The partition.
        path: The file, or what of it was copied.
        start: Where in that the partition begins, if it is some of its lines.
    """
    file = manifest.files[partition.file]
    whole = FileInput(path, manifest.reading.get("max_bytes") or MAX_BYTES, file.path)
    if file.cut == "whole":
        columns = {**(manifest.reading.get("columns") or {}), **file.answered}
        return read(whole, **{**manifest.reading, "columns": columns or None})
    table: Table
    if file.cut == "lines":
        assert file.dialect is not None, "it is cut at lines"
        end = start + partition.end - partition.start
        table = CsvSource(
            RangeInput(path, start, end, file.path),
            file.dialect,
            _columns(file),
            _mapping(file),
            first_line=partition.line,
            continued=partition.start > file.mark,
        )
    else:
        first, rows = partition.row, partition.rows
        table = read_rows(whole, first, rows, _columns(file), _mapping(file))
    table.totals = partition.totals
    return table


def _columns(file: ListFile) -> tuple[str, ...]:
    return tuple(map(str, range(1, file.width + 1)))


def _mapping(file: ListFile) -> dict[str, ColumnChoice]:
    return {one.field: _choice(one) for one in file.picked}


def _choice(one: Picked) -> ColumnChoice:
    order = tuple(Cells(tuple(at), label, kind) for at, label, kind in one.order)
    return ColumnChoice(str(one.position + 1), one.position, _PLANNED, order)
