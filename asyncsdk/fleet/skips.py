"""The rows that are not to be sent, because their number came before, or is in the group.

That is decided once, by the plan, for all partitions together, by the rules that an upload has: a
partition alone could not know. What is kept of each such row are eight bytes.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from asyncsdk.errors import ConfigurationError
from asyncsdk.files import placing
from asyncsdk.models import Violation
from asyncsdk.results import IN_GROUP
from asyncsdk.upload.intake.skipping import HELD, duplicate, same_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from asyncsdk.fleet.manifest import Partition
    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.models import Phone, Problem
    from asyncsdk.upload.intake.check import Checker
    from asyncsdk.upload.intake.pieces import Rejection

__all__ = ["Marks", "PlannedSkips", "Scan", "digest_of_marks", "planned_skips", "write_marks"]

_CHUNK = 1000
"""Rows that are checked at once."""
_MARK = 8
"""Bytes of a mark."""


@frozen
class Marks:
    """Rows, ascending, and for each the first row with its number, or `HELD` for the group."""

    rows: array[int] = field(factory=lambda: array("I"))
    firsts: array[int] = field(factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, partition: Partition) -> Marks:
        """Those of a partition; its rows are counted from its own first one."""
        start = bisect_left(self.rows, partition.first)
        end = bisect_left(self.rows, partition.first + partition.rows)
        rows = array("I", (row - partition.first for row in self.rows[start:end]))
        return Marks(rows, self.firsts[start:end])

    def first_of(self, row: int) -> int | None:
        """The first row with the number of this one; None where this one may be sent."""
        at = bisect_left(self.rows, row)
        return self.firsts[at] if at < len(self.rows) and self.rows[at] == row else None

    def written(self) -> bytes:
        """As they are kept."""
        return b"".join(_little(part).tobytes() for part in (self.rows, self.firsts))

    @classmethod
    def read(cls, raw: bytes) -> Marks:
        """The same again."""
        half = len(raw) // 2
        return cls(*(_little(array("I", part)) for part in (raw[:half], raw[half:])))


def digest_of_marks(raw: bytes) -> str:
    """What tells these marks from others."""
    return blake2b(raw, digest_size=16).hexdigest()


@define
class Scan:
    """Finds the rows of all partitions that are not to be sent.

    Args:
        checker: As an upload has it, that knows what the group holds.
    """

    checker: Checker
    marks: Marks = field(factory=Marks, init=False)
    _chunk: list[Phone] = field(factory=list, init=False)
    _first: int = field(default=0, init=False)

    def add(self, phone: Phone) -> None:
        """The next row."""
        self._chunk.append(phone)
        if len(self._chunk) == _CHUNK:
            self.end()

    def end(self) -> None:
        """There are no more rows for now."""
        for one in self.checker.check(self._first, self._chunk).rejected:
            first = _first_of(one)
            if first is not None:
                self.marks.rows.append(one.index)
                self.marks.firsts.append(first)
        self._first += len(self._chunk)
        self._chunk.clear()


@frozen
class PlannedSkips:
    """Tells an upload of a partition which of its rows are not to be sent; see `Skips`.

    Args:
        marks: Those of the partition.
        first: The index of its first row in the whole upload.
    """

    marks: Marks
    first: int

    def reason(self, number: str, index: int) -> Problem | None:
        """Why a row is not to be sent, if so."""
        if self.marks.first_of(index) == HELD:
            return IN_GROUP
        twin = self.twin(number, index)
        return None if twin is None else duplicate(twin)

    def twin(self, number: str, index: int) -> Violation | None:
        """That an earlier row has this number, if so."""
        del number  # the plan has seen it
        first = self.marks.first_of(index)
        if first is None or first == HELD:
            return None
        if first >= self.first:
            return same_number(first - self.first)
        reason = f"the same number as an earlier row, of another partition ({first + 1})"
        return Violation("phone", reason, "duplicate")


def planned_skips(folder: StateFolder, partition: Partition) -> PlannedSkips | None:
    """What a partition knows of its rows; None where all may be sent.

    Raises:
        ConfigurationError: That was lost, or is not what was planned.
    """
    if not partition.skips:
        return None
    path = folder.skips(partition.index)
    try:
        raw = path.read_bytes()
    except OSError:
        raw = b""
    if digest_of_marks(raw) != partition.skipped or len(raw) != partition.skips * _MARK:
        msg = (
            f"{path} is not what was planned, and without it rows would be sent that are not to "
            "be: bring it back"
        )
        raise ConfigurationError(msg)
    return PlannedSkips(Marks.read(raw), partition.first)


def write_marks(paths: Iterable[tuple[Path, bytes]]) -> None:
    """Put marks where partitions find them."""
    for path, raw in paths:
        with placing(path) as place:
            place.write_bytes(raw)


def _first_of(rejection: Rejection) -> int | None:
    if rejection.problem.in_group:
        return HELD
    return rejection.problem.duplicate_of


def _little(values: array[int]) -> array[int]:
    """The same in the order of bytes in which they are kept, or back."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values
