"""What is to be uploaded, partition by partition: made once, read by every run."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from attrs import Factory, evolve, field, frozen

from asyncsdk.errors import ConfigurationError
from asyncsdk.files import replacing
from asyncsdk.ledger.state import MOST_PARTITIONS, VERSION, StateFolder
from asyncsdk.sources.dialect import Dialect
from asyncsdk.words import brief, counted

if TYPE_CHECKING:
    from os import PathLike


__all__ = ["ListFile", "Manifest", "Partition", "Picked", "manifest_at"]


@frozen
class Picked:
    """From which cells of a row a field is read."""

    field: str
    position: int
    order: list[tuple[list[int], int | None, str]] = Factory(list)
    """Positions, that of the label, and the kind: see `asyncsdk.sources.picking.Cells`."""


@frozen
class ListFile:
    """One file of the upload."""

    path: str
    """Absolute, or a URL."""
    size: int
    """Bytes."""
    cut: Literal["lines", "row-groups", "whole"]
    """What its partitions are parts of."""
    columns: list[str]
    """Their names, or numbers where they have none."""
    picked: list[Picked] = field(factory=list)
    """Which of them are read."""
    dialect: Dialect | None = None
    """How its lines are written, where these are cut."""
    answered: dict[str, str] = field(factory=dict)
    """Columns that were asked for when it was planned, where it is whole."""
    mark: int = 0
    """Bytes of its byte order mark, where its lines are cut."""
    footer: int = 0
    """The first byte of what says where its row groups are, where these are cut."""


@frozen
class Partition:
    """A part of the upload that one process uploads at a time."""

    index: int
    file: int
    """Which of the files it is of."""
    rows: int
    first: int
    """The index of its first row in the whole upload."""
    start: int
    """The first of its bytes in the file, and the one behind its last."""
    end: int
    digest: str
    """Of these bytes."""
    row: int = 0
    """The index of its first row in the file."""
    line: int = 1
    """The line at which it begins."""
    totals: int = 0
    """The line of totals that it stands below; 0 if there is none."""
    skips: int = 0
    """How many of its rows are marked, most of them as not to be sent; in a file of their own."""
    skipped: str = ""
    """The digest of that file."""


@frozen
class Manifest:
    """A planned upload.

    Attributes:
        group_id: The group to upload into.
        partitions: Its parts, in the order of the sources.
        state: The folder that it is in; the journals are beside it.
    """

    group_id: int
    files: list[ListFile]
    partitions: list[Partition]
    reading: dict[str, Any] = field(factory=dict)
    """What was said of how the lists are read."""
    options: dict[str, Any] = field(factory=dict)
    """Options of the upload that all runs have."""
    shared: bool = False
    """Whether the folder is on a disk of several hosts."""
    version: int = VERSION
    id: str = field(factory=lambda: token_hex(8), eq=False)
    """What its partitions are called by, where others may claim them."""
    state: Path = field(factory=Path, eq=False)

    def __repr__(self) -> str:
        parts = counted(len(self.partitions), "partition")
        return f"<Manifest: {parts}, {self.rows:,} rows into group {self.group_id}>"

    @property
    def rows(self) -> int:
        """How many all partitions have."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def folder(self) -> StateFolder:
        """Where everything is."""
        return StateFolder(self.state)

    def partition(self, index: int) -> Partition:
        """One of its partitions.

        Raises:
            ConfigurationError: There is no such one.
        """
        if type(index) is int and 0 <= index < len(self.partitions):
            return self.partitions[index]
        last = len(self.partitions) - 1
        msg = f"there is no partition {brief(index)}: they are numbered from 0 to {last}"
        raise ConfigurationError(msg)

    def as_read(self) -> Manifest:
        """The same as it is read again."""
        return _decode(self._written())

    def write(self) -> None:
        """Put it into its folder, whole or not at all, for its owner alone.

        Raises:
            OSError: It cannot be written.
        """
        with replacing(self.folder.manifest) as file:
            file.write(msgspec.json.format(self._written(), indent=1).decode())

    def _written(self) -> bytes:
        kept = msgspec.to_builtins(self, enc_hook=str)
        del kept["state"]
        return msgspec.json.encode(kept)


_decode = msgspec.json.Decoder(Manifest).decode


def manifest_at(place: Manifest | str | PathLike[str]) -> Manifest:
    """The manifest in a folder, or the one that is given.

    Raises:
        ConfigurationError: There is none, or it cannot be read.
    """
    if isinstance(place, Manifest):
        return place
    folder = StateFolder.at(place)
    folder.header()
    try:
        found = _decode(folder.read())
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise folder.unreadable() from error
    if len(found.partitions) > MOST_PARTITIONS or [p.index for p in found.partitions] != list(
        range(len(found.partitions))
    ):
        raise folder.unreadable()
    return evolve(found, state=folder.path)
