"""The rows of a plan: of one partition, read as the whole file would be, or of all lists."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from asyncsdk.fleet.places import changed, digest_of
from asyncsdk.fleet.remote import Remote, is_remote
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.csv import CsvSource
from asyncsdk.sources.frames import read_rows
from asyncsdk.sources.many import ManySources
from asyncsdk.sources.opening import FileInput, RangeInput, opened_file
from asyncsdk.sources.picking import Cells
from asyncsdk.sources.read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from asyncsdk.fleet.manifest import ListFile, Manifest, Partition, Picked
    from asyncsdk.sources.table import Source, Table

__all__ = ["opened", "opened_lists", "ranges_of"]

_PLANNED = "as planned"


@contextmanager
def opened(manifest: Manifest, partition: Partition) -> Iterator[Source]:
    """The rows of a partition; they are those that were planned, and are read in the same way.

    Raises:
        SourceError: The file is not what it was, or cannot be read.
        ImportError: Something of an extra is needed and not installed.
    """
    file = manifest.files[partition.file]
    if not is_remote(file.path):
        _check(file, [partition], Path(file.path))
        yield _source(manifest, partition, Path(file.path), partition.start)
        return
    remote = Remote(file.path)
    if remote.size() != file.size:
        raise changed(file.path)
    ranges = ranges_of(file, partition.start, partition.end)
    with remote.copied(ranges, sparse=file.cut == "row-groups") as (path, digest):
        if digest != partition.digest:
            raise changed(file.path)
        yield _source(manifest, partition, path, 0)


@contextmanager
def opened_lists(manifest: Manifest) -> Iterator[Source]:
    """All lists of a plan as one source: their rows are those of the partitions.

    Raises:
        SourceError: A list is not what it was, or cannot be read.
        ImportError: Something of an extra is needed and not installed.
    """
    tables: list[Any] = []
    with ExitStack() as copies:
        for at, parts in groupby(manifest.partitions, attrgetter("file")):
            file, own = manifest.files[at], list(parts)
            path = _here(file, copies)
            _check(file, own, path)
            rows = sum(part.rows for part in own)
            whole = evolve(own[0], end=own[-1].end, rows=rows)
            tables += _source(manifest, whole, path, whole.start).parts
        yield tables[0] if len(tables) == 1 else ManySources(tables)


def _here(file: ListFile, copies: ExitStack) -> Path:
    """Where a list is on this host: it, or a private copy."""
    if not is_remote(file.path):
        return Path(file.path)
    remote = Remote(file.path)
    if remote.size() != file.size:
        raise changed(file.path)
    return copies.enter_context(remote.copied([(0, remote.size())]))[0]


def ranges_of(file: ListFile, start: int, end: int) -> list[tuple[int, int]]:
    """The bytes of a file that say what a part of it is."""
    return [(start, end), *([(file.footer, file.size)] if file.footer else [])]


def _check(file: ListFile, partitions: Iterable[Partition], path: Path) -> None:
    """Do nothing if these parts of a file are what they were, and it is as long."""
    with opened_file(path, file.path) as found:
        same = found.seek(0, 2) == file.size
        if not same or any(_digest(file, part, found) != part.digest for part in partitions):
            raise changed(file.path)


def _digest(file: ListFile, partition: Partition, found: IO[bytes]) -> str:
    return digest_of(found, ranges_of(file, partition.start, partition.end))


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
    return tuple(file.columns)


def _mapping(file: ListFile) -> dict[str, ColumnChoice]:
    return {one.field: _choice(file, one) for one in file.picked}


def _choice(file: ListFile, one: Picked) -> ColumnChoice:
    order = tuple(Cells(tuple(at), label, kind) for at, label, kind in one.order)
    return ColumnChoice(file.columns[one.position], one.position, _PLANNED, order)
