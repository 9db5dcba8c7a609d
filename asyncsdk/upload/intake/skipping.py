"""Which numbers are not sent: those that came before in the list, and those that the group holds.

All of them are in one table. Numbers are compared in their normal form; one that has none is the
same as another only where the two can be nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from asyncsdk.models import Problem, Violation
from asyncsdk.numbers import comparable
from asyncsdk.results import IN_GROUP
from asyncsdk.upload.intake.duplicates import Seen

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["HELD", "Skipping", "Skips", "duplicate", "same_number"]

HELD = (1 << 32) - 1
"""Stands in the place of an index where the group holds a number: no list is as long."""


class Skips(Protocol):
    """Knows which rows are not to be sent for their numbers."""

    def reason(self, number: str, index: int) -> Problem | None:
        """Why this number is not to be sent, if so.

        Args:
            number: As it would be sent.
            index: Where it stands in the list.
        """

    def twin(self, number: str, index: int) -> Violation | None:
        """That an earlier row has this number, if so."""


@define(eq=False)
class Skipping:
    """Tells which numbers are not to be sent.

    Args:
        duplicates: Whether these are numbers that came before in the list, too.
        normalize: Turns a number of the group into its normal form, or says why it is none; None
            where those of the list are sent as they are.
    """

    duplicates: bool = True
    normalize: Callable[[str], str | Problem] | None = None
    seen: Seen = field(factory=Seen, init=False, repr=False)

    def reason(self, number: str, index: int) -> Problem | None:
        """Why this number is not to be sent, if so; else it is one that came before from here on.

        Args:
            number: As it would be sent.
            index: Where it stands in the list.
        """
        key = comparable(number)
        first = self.seen.first(key, index) if self.duplicates else self.seen.find(key)
        if first == HELD:
            return IN_GROUP
        return None if first is None or first == index else duplicate(same_number(first))

    def twin(self, number: str, index: int) -> Violation | None:
        """That an earlier row has this number, if so; arguments as for `reason`."""
        del index
        first = self.seen.find(comparable(number)) if self.duplicates else None
        return None if first is None or first == HELD else same_number(first)

    # -- what the group holds --------------------------------------------------------------

    def add_existing(self, number: str) -> None:
        """The group holds this number, in whatever spelling."""
        normal = number if self.normalize is None else self.normalize(number)
        self.seen.first(comparable(number if isinstance(normal, Problem) else normal), HELD)

    def existing(self) -> Iterator[array[int]]:
        """The numbers that the group holds, in many small parts, for `restore` of a later run."""
        return self.seen.keys_at(HELD)

    def restore(self, keys: Iterable[int]) -> None:
        """Know what an earlier run found in the group."""
        for key in keys:
            self.seen.add(key, HELD)


def duplicate(violation: Violation) -> Problem:
    """Why a phone is skipped whose number came before."""
    return Problem(title="Duplicate phone", detail=violation.message, violations=(violation,))


def same_number(earlier: int) -> Violation:
    """That the row with this index has the number, too."""
    reason = "the same number as an earlier row"
    return Violation("phone", reason, "duplicate", duplicate_of=earlier)
