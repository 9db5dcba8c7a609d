"""The folder of an upload in partitions: what is where in it.

    manifest.json                what is to be uploaded, partition by partition
    group.ids                    the ids that the group held before the upload
    00007.journal                what became of partition 7
    00007-1764240000000.journal  the same, by a run that has taken the partition over in this epoch
    00007.skips                  which rows of partition 7 are not to be sent
    00007.totals                 what its journal comes to, for whoever wants no more than that

Where a partition has several journals, the one of the highest epoch is its account; the others are
what earlier runs left, and what one of them may still be writing.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from asyncsdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

__all__ = ["MOST_PARTITIONS", "VERSION", "Header", "StateFolder"]

VERSION = 1
"""Of the manifest."""
MOST_PARTITIONS = 100_000

_JOURNAL = re.compile(r"(\d{5})(?:-(\d{1,19}))?\.journal")


class PartitionHeader(msgspec.Struct):
    """What is said of a partition."""

    rows: int
    first: int
    """The index of its first row in the whole upload."""


class Header(msgspec.Struct):
    """What every manifest says, whatever else is in it."""

    version: int
    group_id: int
    partitions: list[PartitionHeader]


@frozen
class StateFolder:
    """Where the parts of a state are."""

    path: Path

    @classmethod
    def at(cls, path: str | PathLike[str]) -> StateFolder:
        """The one with this path, whatever the working directory will be."""
        return cls(Path(path).absolute())

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.path / "manifest.json"

    @property
    def group(self) -> Path:
        """The ids that the group held before the upload."""
        return self.path / "group.ids"

    def skips(self, index: int) -> Path:
        """The rows of a partition that are not to be sent."""
        return self.path / f"{index:05d}.skips"

    def totals(self, index: int) -> Path:
        """What the journal of a partition comes to."""
        return self.path / f"{index:05d}.totals"

    def journal(self, index: int, epoch: int = 0) -> Path:
        """The journal of a run of a partition; 0 where it was not claimed."""
        return self.path / (f"{index:05d}-{epoch}.journal" if epoch else f"{index:05d}.journal")

    def journals(self, index: int) -> Sequence[tuple[int, Path]]:
        """The epochs of a partition and their journals, the account last."""
        return self.all_journals().get(index, ())

    def all_journals(
        self, files: Iterable[str] | None = None
    ) -> Mapping[int, Sequence[tuple[int, Path]]]:
        """The same of every partition that was begun.

        Args:
            files: The names of the files that are there; None to look.
        """
        found: defaultdict[int, list[tuple[int, Path]]] = defaultdict(list)
        for name in self.files() if files is None else files:
            if match := _JOURNAL.fullmatch(name):
                found[int(match[1])].append((int(match[2] or 0), self.path / name))
        return {index: sorted(journals) for index, journals in found.items()}

    def files(self) -> Mapping[str, os.DirEntry[str]]:
        """All files that are there, by their names."""
        with os.scandir(self.path) as found:
            return {entry.name: entry for entry in found}

    def clear(self) -> None:
        """Remove what belongs to a plan that is given up, of which nothing was begun."""
        for place in (*self.path.glob("*.skips"), self.group, self.manifest):
            place.unlink(missing_ok=True)

    def read(self) -> bytes:
        """The manifest as it is written.

        Raises:
            ConfigurationError: There is none.
        """
        try:
            return self.manifest.read_bytes()
        except OSError as error:
            msg = (
                f"{self.path} is no state of an upload in partitions ({error.strerror}): "
                "'asyncsdk plan', or asyncsdk.fleet.plan, makes one"
            )
            raise ConfigurationError(msg) from error

    def header(self) -> Header:
        """What its manifest says in any version.

        Raises:
            ConfigurationError: There is none, or it cannot be read.
        """
        try:
            found = msgspec.json.decode(self.read(), type=Header)
        except msgspec.MsgspecError as error:
            raise self.unreadable() from error
        if found.version > VERSION:
            msg = (
                f"{self.manifest} was written by a newer version of asyncsdk (its format is "
                f"{found.version}, this version knows {VERSION}): install that version"
            )
            raise ConfigurationError(msg)
        return found

    def unreadable(self) -> ConfigurationError:
        """The error of a manifest that is none."""
        msg = f"{self.manifest} is damaged, or no manifest: plan the upload again elsewhere"
        return ConfigurationError(msg)
