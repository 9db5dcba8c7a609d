"""A manifest as it is made, and how it comes to its place."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from asyncsdk.errors import ConfigurationError
from asyncsdk.fleet.cutting import cut
from asyncsdk.fleet.manifest import Manifest, manifest_at
from asyncsdk.fleet.neighbours import note_group
from asyncsdk.fleet.skips import Marks, digest_of_marks, write_marks
from asyncsdk.lease import Lease
from asyncsdk.ledger.state import MOST_PARTITIONS

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

    from asyncsdk.fleet.cutting import Limits
    from asyncsdk.fleet.manifest import ListFile, Partition
    from asyncsdk.fleet.skips import Scan
    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.models import Phone
    from asyncsdk.sources.opening import FileInput
    from asyncsdk.sources.table import Source

__all__ = ["Draft", "kept", "planned_before"]

_OFTEN = 0.2
"""Seconds between two looks whether another plan is at its end."""


class _StoppedError(Exception):
    """Nobody waits for the plan any more."""


@frozen
class Draft:
    """What is to become a manifest."""

    group_id: int
    reading: dict[str, Any]
    options: dict[str, Any]
    lists: Sequence[tuple[FileInput, Source]]
    limits: Limits
    shared: bool = False
    """Whether the folder is on a disk of several hosts."""
    stopped: Event = field(factory=Event)
    """Whether nobody waits for it any more."""

    def manifest(self, scan: Scan | None = None) -> Manifest:
        """The manifest of these lists, which is nowhere yet.

        Args:
            scan: Finds the rows that are not to be sent, where there may be some.

        Raises:
            SourceError: A list cannot be read to its end, or was changed meanwhile.
            ConfigurationError: There are too many partitions.
        """
        files: list[ListFile] = []
        parts: list[Partition] = []
        first = 0

        def seen(phone: Phone) -> None:
            if self.stopped.is_set():
                raise _StoppedError
            if scan is not None:
                scan.add(phone)

        for source, table in self.lists:
            file, found = cut(table, source, self.limits, seen)
            for part in found:
                parts.append(evolve(part, index=len(parts), file=len(files), first=first))
                first += part.rows
            files.append(file)
        if scan is not None:
            scan.end()
        if len(parts) > MOST_PARTITIONS:
            msg = (
                f"there would be {len(parts):,} partitions, and there may be {MOST_PARTITIONS:,}: "
                "give a larger partition_rows"
            )
            raise ConfigurationError(msg)
        made = Manifest(self.group_id, files, parts, self.reading, self.options, self.shared)
        return made.as_read()


def planned_before(folder: StateFolder, made: Manifest, *, replace: bool) -> Manifest | None:
    """The plan that is in a folder, if it is this one; None if this one may come to its place.

    Raises:
        ConfigurationError: There is another one that is not to be given up.
    """
    if not folder.path.exists():
        return None
    begun = bool(folder.all_journals())
    if not folder.manifest.exists():
        if begun:
            msg = (
                f"{folder.path} has journals, and no {folder.manifest.name} that says what they "
                "are of: bring that back, or give another folder"
            )
            raise ConfigurationError(msg)
        return None
    before = manifest_at(folder.path)
    names = [name for name in _COMPARED if _compared(before, name) != _compared(made, name)]
    if not names:
        return before
    what = f"{folder.path} has another plan (other {' and '.join(names)})"
    if begun:
        msg = f"{what}, of which something was sent: give another folder for this one"
        raise ConfigurationError(msg)
    if not replace:
        msg = f"{what}: give another folder, or replace=True (--replace) to give that one up"
        raise ConfigurationError(msg)
    return None


_COMPARED = ("group_id", "files", "partitions", "reading", "options", "shared")


def _compared(manifest: Manifest, name: str) -> object:
    """What has to be the same; what the group holds may have changed since it was planned."""
    if name != "partitions":
        return getattr(manifest, name)
    return [evolve(part, skips=0, skipped="") for part in manifest.partitions]


def kept(
    folder: StateFolder,
    made: Manifest,
    marks: Marks | None,
    ids: array[int] | None,
    *,
    replace: bool,
) -> Manifest:
    """The manifest once it is in its folder, with all that belongs to it.

    Args:
        folder: Where.
        made: The manifest.
        marks: The rows that are not to be sent.
        ids: What the group holds, if that was looked at.
        replace: Whether it may come to the place of another one.
    """
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        if (before := planned_before(folder, made, replace=replace)) is not None:
            return before
        folder.clear()
        parts = [_marked(part, marks) for part in made.partitions]
        write_marks((folder.skips(part.index), raw) for part, raw in parts if raw)
        if ids is not None:
            note_group(folder, ids)
        whole = evolve(made, partitions=[part for part, _ in parts], state=folder.path)
        whole.write()
        return whole


def _marked(partition: Partition, marks: Marks | None) -> tuple[Partition, bytes]:
    """A partition that knows how many of its rows are marked, and the marks."""
    own = Marks() if marks is None else marks.of(partition)
    raw = own.written()
    return evolve(partition, skips=len(own), skipped=digest_of_marks(raw) if raw else ""), raw


@contextmanager
def _alone(folder: StateFolder) -> Iterator[None]:
    """While no other plan is written into this folder."""
    while (lease := Lease.take(folder.path / "plan.lock")) is None:
        time.sleep(_OFTEN)
    try:
        yield
    finally:
        lease.release()
