"""How many items went by, for whoever hands them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Counting"]

T = TypeVar("T")


class Counting(Generic[T]):
    """Items as they come, counted.

    Attributes:
        count: How many came so far.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self.count: int = 0

    def __iter__(self) -> Iterator[T]:
        for item in self._items:
            self.count += 1
            yield item
