"""The results of a part of an upload, as those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, overload

from attrs import evolve, frozen

from asyncsdk.results import PhoneResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.models import Problem

__all__ = ["Moved"]


@frozen(eq=False)
class Moved(Sequence[PhoneResult]):
    """Results whose rows are counted from another one on.

    Args:
        results: As the part has them.
        first: The index of its first row in the whole.
    """

    _results: Sequence[PhoneResult]
    _first: int

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> PhoneResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[PhoneResult]: ...
    def __getitem__(self, index: int | slice) -> PhoneResult | list[PhoneResult]:
        if isinstance(index, slice):
            return [self._moved(result) for result in self._results[index]]
        return self._moved(self._results[index])

    def __iter__(self) -> Iterator[PhoneResult]:
        return map(self._moved, self._results)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def _moved(self, result: PhoneResult) -> PhoneResult:
        error = result.error
        if error is not None and error.duplicate_of is not None:
            error = _moved(error, self._first)
        return evolve(result, index=result.index + self._first, error=error)


def _moved(problem: Problem, first: int) -> Problem:
    return evolve(
        problem,
        violations=tuple(
            one if one.duplicate_of is None else evolve(one, duplicate_of=one.duplicate_of + first)
            for one in problem.violations
        ),
    )
