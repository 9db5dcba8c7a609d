"""The account of an upload: counts, results in source order, totals and history; and sums of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from math import fsum
from typing import TYPE_CHECKING, ClassVar, Self, TypedDict, overload

from attrs import field, frozen

from asyncsdk.results import Outcome, PhoneResult, StoppedBy
from asyncsdk.value import Value
from asyncsdk.wire.convert import unstructure
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asyncsdk.ledger.run import Run
    from asyncsdk.timeline import History

__all__ = ["Only", "UploadAccount", "UploadSummary", "outcomes"]


class UploadSummary(TypedDict):
    """The totals of an upload as plain data, fit for JSON."""

    submitted: int
    """Rows read from the source."""
    created_count: int
    """Phones that the server created."""
    invalid_count: int
    """Phones that are at fault themselves."""
    failed_count: int
    """Phones that were not created for another reason."""
    unknown_count: int
    """Those of the failed that may be in the group."""
    skipped_count: int
    """Phones that were not sent because the caller asked for that."""
    would_be_sent_count: int
    """Those of the skipped that a dry run would have sent."""
    requests: int
    """Requests begun."""
    retries: int
    """Those of them that carried phones once more."""
    throttled: float
    """Seconds."""
    elapsed: float
    """Seconds."""
    complete: bool
    """Whether the source was read to its end."""
    stopped_by: str | None
    """What ended it before: a value of `StoppedBy`; None if nothing did."""
    dry_run: bool
    """Whether nothing was to be sent."""
    ok: bool
    """Whether all phones were created that were to be sent."""


_OUTCOMES = tuple(Outcome)


class _Part(Value, frozen=True, eq=False):
    """One upload within an account."""

    run: Run
    kept: dict[Outcome, Sequence[PhoneResult]]


@frozen(eq=False, repr=False, init=False)
class UploadAccount:
    """What became of every phone.

    `submitted == created_count + invalid_count + failed_count + skipped_count`, and every index of
    the source that was read occurs exactly once. `str()` says it in one line; `a + b`
    adds two: the results keep their index within their own upload, and stand in the order of the
    uploads.
    """

    _parts: tuple[_Part, ...] = field()

    def __init__(self, run: Run, results: Callable[[Outcome], Sequence[PhoneResult]]) -> None:
        self.__attrs_init__((_Part(run, {o: results(o) for o in _OUTCOMES}),))

    @classmethod
    def of(cls, parts: Iterable[tuple[Run, Callable[[Outcome], Sequence[PhoneResult]]]]) -> Self:
        """The account of several uploads: the totals of each, and its results."""
        every = cls.__new__(cls)
        every.__attrs_init__(
            tuple(_Part(run, {o: results(o) for o in _OUTCOMES}) for run, results in parts)
        )
        return every

    @property
    def submitted(self) -> int:
        """Rows read from the source (while the upload runs: those settled so far)."""
        return sum(part.run.counts.settled for part in self._parts)

    @property
    def created_count(self) -> int:
        """Phones that the server created."""
        return sum(part.run.counts.created for part in self._parts)

    @property
    def invalid_count(self) -> int:
        """Phones that are at fault themselves."""
        return sum(part.run.counts.invalid for part in self._parts)

    @property
    def failed_count(self) -> int:
        """Phones that were not created for another reason."""
        return sum(part.run.counts.failed for part in self._parts)

    @property
    def unknown_count(self) -> int:
        """Those of the failed that were sent without an answer: they may be in the group."""
        return sum(part.run.counts.unknown for part in self._parts)

    @property
    def skipped_count(self) -> int:
        """Phones that were not sent because the caller asked for that."""
        return sum(part.run.counts.skipped for part in self._parts)

    @property
    def would_be_sent_count(self) -> int:
        """Those of the skipped that nothing is wrong with: a dry run would have sent them."""
        return sum(part.run.counts.would_be_sent for part in self._parts)

    @property
    def dry_run(self) -> bool:
        """Whether it was a dry run, at least of one upload: what would be sent is skipped."""
        return any(part.run.dry_run for part in self._parts)

    @property
    def group_id(self) -> int | None:
        """The group that was uploaded into; None if it is not known, or there are several."""
        groups = {part.run.group_id for part in self._parts}
        return groups.pop() if len(groups) == 1 else None

    @property
    def created(self) -> Sequence[PhoneResult]:
        """The created phones in source order; empty where `keep_created=False` or when iterated."""
        return self._results(Outcome.CREATED)

    @property
    def invalid(self) -> Sequence[PhoneResult]:
        """The invalid phones in source order."""
        return self._results(Outcome.INVALID)

    @property
    def failed(self) -> Sequence[PhoneResult]:
        """The failed phones in source order."""
        return self._results(Outcome.FAILED)

    @property
    def skipped(self) -> Sequence[PhoneResult]:
        """The skipped phones in source order; the `error` of each says why.

        It has `duplicate_of` where the number came before in the list, `in_group` where the group
        holds it already, and the title "Would be sent" in a dry run.
        """
        return self._results(Outcome.SKIPPED)

    @property
    def requests(self) -> int:
        """Requests begun."""
        return sum(part.run.requests for part in self._parts)

    @property
    def retries(self) -> int:
        """Requests that carried phones for a second time or more."""
        return sum(part.run.retries for part in self._parts)

    @property
    def throttled(self) -> float:
        """Seconds paused because the server asked for it."""
        return fsum(part.run.throttled for part in self._parts)

    @property
    def elapsed(self) -> float:
        """Seconds from start to end."""
        return fsum(part.run.elapsed for part in self._parts)

    @property
    def batches(self) -> int:
        """Batches that the source was cut into, in a dry run too."""
        return sum(part.run.batches for part in self._parts)

    @property
    def bytes(self) -> int:
        """Bytes of the bodies of these batches."""
        return sum(part.run.bytes for part in self._parts)

    @property
    def history(self) -> tuple[History, ...]:
        """What happened when, run by run; without those of which nobody noted it."""
        return tuple(chain.from_iterable(part.run.history for part in self._parts))

    @property
    def complete(self) -> bool:
        """Whether the upload ran to its end: nothing stopped it before."""
        return all(part.run.complete for part in self._parts)

    @property
    def stopped_by(self) -> StoppedBy | None:
        """What stopped the upload before its end, or None."""
        return next((part.run.stopped_by for part in self._parts if part.run.stopped_by), None)

    @property
    def unread_from(self) -> int | None:
        """The index of the first row that the upload did not come to.

        None if it came to all, and while it still runs.
        """
        ended = next((part.run for part in self._parts if not part.run.complete), None)
        if ended is None or ended.stopped_by is StoppedBy.RUNNING:
            return None
        return ended.counts.settled

    @property
    def ok(self) -> bool:
        """Whether the source was read to its end and every phone that was to be was created."""
        return self.complete and self.submitted == self.created_count + self.skipped_count

    def to_dict(self) -> dict[str, object]:
        """Totals and results as plain data, fit for JSON."""
        return {**self.summary()} | {
            str(outcome): [unstructure(result) for result in self._results(outcome)]
            for outcome in Outcome
        }

    def summary(self) -> UploadSummary:
        """The totals as plain data, fit for JSON."""
        return {
            "submitted": self.submitted,
            "created_count": self.created_count,
            "invalid_count": self.invalid_count,
            "failed_count": self.failed_count,
            "unknown_count": self.unknown_count,
            "skipped_count": self.skipped_count,
            "would_be_sent_count": self.would_be_sent_count,
            "requests": self.requests,
            "retries": self.retries,
            "throttled": self.throttled,
            "elapsed": self.elapsed,
            "complete": self.complete,
            "stopped_by": self.stopped_by and str(self.stopped_by),
            "dry_run": self.dry_run,
            "ok": self.ok,
        }

    def results(self, only: Only = None) -> Iterator[PhoneResult]:
        """The kept results of these outcomes, or of all; in source order within each."""
        wanted = outcomes(only)
        return chain.from_iterable(self._results(outcome) for outcome in wanted)

    def fates(self) -> list[tuple[str, int]]:
        """What became of how many; without a fate that is not worth a word where nobody met it."""
        others = self.skipped_count - self.would_be_sent_count
        found = {
            "created": None if self._dry else self.created_count,
            "would-be-sent": self.would_be_sent_count if self.dry_run else None,
            "invalid": self.invalid_count,
            "failed": self.failed_count or (None if self._dry else 0),
            "skipped": others or None,
        }
        return [(fate, count) for fate, count in found.items() if count is not None]

    def __add__(self, other: UploadAccount) -> Self:
        if not isinstance(other, UploadAccount):
            return NotImplemented
        both = type(self).__new__(type(self))
        both.__attrs_init__((*self._parts, *other._parts))
        return both

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UploadAccount):
            return NotImplemented
        return self.summary() == other.summary() and all(
            list(self.results(outcome)) == list(other.results(outcome)) for outcome in Outcome
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __str__(self) -> str:
        parts = [f"{count:,} {fate.replace('-', ' ')}" for fate, count in self.fates()]
        return (
            f"{counted(self.submitted, 'phone')}: {', '.join(parts)}"
            + (f" in {self.elapsed:.1f} s" if self.elapsed else "")  # files do not know
            + (" (a dry run: nothing was sent)" if self._dry else "")
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    @property
    def _dry(self) -> bool:
        """Whether nothing of it was to be sent."""
        return all(part.run.dry_run for part in self._parts)

    def _results(self, outcome: Outcome) -> Sequence[PhoneResult]:
        kept = [part.kept[outcome] for part in self._parts]
        return kept[0] if len(kept) == 1 else _Chain(kept)


Only = Outcome | str | Sequence[Outcome | str] | None
"""One outcome, several, or None for all."""


def outcomes(only: Only) -> tuple[Outcome, ...]:
    """The outcomes that are meant.

    Raises:
        ValueError: One of them does not exist.
    """
    if only is None:
        return tuple(Outcome)
    if isinstance(only, str):
        return (Outcome(only),)
    return tuple(Outcome(one) for one in only)


class _Chain(Sequence[PhoneResult]):
    """Several sequences, one after the other."""

    def __init__(self, parts: list[Sequence[PhoneResult]]) -> None:
        self._parts = parts
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> PhoneResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[PhoneResult]: ...
    def __getitem__(self, index: int | slice) -> PhoneResult | list[PhoneResult]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        part = bisect_right(self._ends, position)
        return self._parts[part][position - (self._ends[part - 1] if part else 0)]

    def __iter__(self) -> Iterator[PhoneResult]:
        return chain.from_iterable(self._parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]
