"""The account of an upload: a view of its ledger, and the sum of several."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, overload

from attrs import evolve, field, frozen

from asyncsdk.errors import UploadFailed
from asyncsdk.ledger.run import Run
from asyncsdk.results import Outcome, PhoneResult
from asyncsdk.wire.convert import unstructure
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from asyncsdk.export.besides import Besides
    from asyncsdk.sources import Source
    from asyncsdk.timeline import History

__all__ = ["Run", "UploadReport"]


@frozen(eq=False, repr=False)
class _Part:
    """One upload within a report."""

    run: Run
    kept: dict[Outcome, Sequence[PhoneResult]]


@frozen(eq=False, repr=False, init=False)
class UploadReport:
    """What became of every phone.

    `submitted == created_count + invalid_count + failed_count`, and every index of the source
    that was read occurs exactly once. `print(report)` says it in one line; `a + b` adds the
    reports of two uploads: the results keep their index within their own upload, and stand in the
    order of the uploads.
    """

    _parts: tuple[_Part, ...] = field()

    def __init__(self, run: Run, results: Callable[[Outcome], Sequence[PhoneResult]]) -> None:
        counts = evolve(run.counts)
        part = _Part(evolve(run, counts=counts), {o: results(o) for o in Outcome})
        self.__attrs_init__((part,))

    @classmethod
    def open(cls, path: str | PathLike[str]) -> UploadReport:
        """The report in a journal, whole or of an upload that still runs or was interrupted.

        It is read from the file when it is looked at. What has no fate yet counts as failed: with
        delivery UNKNOWN if a request may have left with it. While the upload still runs nobody
        knows: then only what is settled is told, and `stopped_by` is "running".

        Args:
            path: The file that was given as `journal=`.

        Raises:
            JournalError: There is no journal, not all of it, or it cannot be read.
        """
        from asyncsdk.ledger.journal.reader import Reader, account  # noqa: PLC0415 - loaded when used

        return cls(*account(Reader(Path(path))))

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
    def stopped_by(self) -> str | None:
        """What stopped the upload before its end, or None."""
        return next((part.run.stopped_by for part in self._parts if part.run.stopped_by), None)

    @property
    def ok(self) -> bool:
        """Whether the source was read to its end and every phone was created."""
        return self.complete and self.submitted == self.created_count

    def raise_for_failures(self) -> None:
        """Do nothing if `ok`.

        Raises:
            UploadFailed: Some phone was not created, or the upload did not run to its end.
        """
        if not self.ok:
            raise UploadFailed(self)

    def to_dict(self) -> dict[str, object]:
        """Totals and results as plain data, fit for JSON."""
        return self.summary() | {
            str(outcome): [unstructure(result) for result in self._results(outcome)]
            for outcome in Outcome
        }

    def summary(self) -> dict[str, object]:
        """The totals as plain data, fit for JSON."""
        return {
            "submitted": self.submitted,
            "created_count": self.created_count,
            "invalid_count": self.invalid_count,
            "failed_count": self.failed_count,
            "unknown_count": self.unknown_count,
            "requests": self.requests,
            "retries": self.retries,
            "throttled": self.throttled,
            "elapsed": self.elapsed,
            "complete": self.complete,
            "stopped_by": self.stopped_by,
            "ok": self.ok,
        }

    def to_csv(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as CSV, one row per phone, in source order within each outcome.

        Where the upload ended before its source did, one more row stands for all that were not
        read: its outcome is `unread`, and its index that of the first of them.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole.
            only: An outcome, or several, to write; None for all.

        Returns:
            The number of results written.
        """
        from asyncsdk.export.csv import write_csv  # noqa: PLC0415 - loaded when used

        return write_csv(path, self.results(only), self._besides(only))

    def to_jsonl(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as JSON lines; arguments and result as for `to_csv`."""
        from asyncsdk.export.jsonl import write_jsonl  # noqa: PLC0415 - loaded when used

        return write_jsonl(path, self.results(only), self._besides(only))

    def to_parquet(self, path: str | PathLike[str], only: Only = None) -> int:
        """Write the results as Parquet; arguments and result as for `to_csv`.

        Raises:
            ImportError: polars is not installed.
        """
        from asyncsdk.export.parquet import write_parquet  # noqa: PLC0415 - loaded when used

        return write_parquet(path, self.results(only), self._besides(only))

    def to_rejects(self, path: str | PathLike[str], source: Source) -> int:
        """Write the rows that were not created, with their reasons, to be mended and uploaded.

        It is a CSV file with the columns of the list. Read by `asyncsdk.sources.read`, what must
        not be sent again is left out: duplicates, and what may be in the group (see `send_unknown`
        there), unless the number was changed.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole.
            source: What was uploaded, from `asyncsdk.sources`; it is read once more.

        Returns:
            The number of rows written.
        """
        from asyncsdk.rejects import rejected_rows, write_rejects  # noqa: PLC0415

        return write_rejects(path, source, rejected_rows(source, self))

    def to_html(
        self,
        path: str | PathLike[str],
        *,
        title: str = "Upload report",
        places: Mapping[int, str] | None = None,
    ) -> None:
        """Write a page that needs nothing else: totals, pictures, reasons, the first rejected rows.

        Args:
            path: The file to write; an existing one is replaced once the new one is whole.
            title: Its heading.
            places: Where rows stand in their file (`contacts.csv:17`), by index.

        Raises:
            ImportError: jinja2 is not installed.
        """
        from asyncsdk.export.html import write_html  # noqa: PLC0415 - loaded when used

        write_html(path, self, title=title, places=places)

    def _repr_html_(self) -> str | None:
        from asyncsdk.export.html import notebook  # noqa: PLC0415 - loaded when used

        return notebook(self)

    def results(self, only: Only = None) -> Iterator[PhoneResult]:
        """The kept results of these outcomes, or of all; in source order within each."""
        wanted = _outcomes(only)
        return chain.from_iterable(self._results(outcome) for outcome in wanted)

    def __add__(self, other: UploadReport) -> UploadReport:
        if not isinstance(other, UploadReport):
            return NotImplemented
        both = UploadReport.__new__(UploadReport)
        both.__attrs_init__((*self._parts, *other._parts))
        return both

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UploadReport):
            return NotImplemented
        return self.summary() == other.summary() and all(
            list(self.results(outcome)) == list(other.results(outcome)) for outcome in Outcome
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return (
            f"{counted(self.submitted, 'phone')}: {self.created_count:,} created, "
            f"{self.invalid_count:,} invalid, {self.failed_count:,} failed"
            + (f" in {self.elapsed:.1f} s" if self.elapsed else "")  # files do not know
        )

    def __repr__(self) -> str:
        return f"<UploadReport {self}>"

    def _besides(self, only: Only) -> Besides:
        """What a file of these results says besides them."""
        from asyncsdk.export.besides import Besides  # noqa: PLC0415 - loaded when used

        ended = next((part.run for part in self._parts if not part.run.complete), None)
        running = ended is not None and ended.stopped_by == "running"  # and reads on
        if ended is None or running or Outcome.FAILED not in _outcomes(only):
            return Besides(self.group_id)
        return Besides(self.group_id, ended.counts.settled, ended.stopped_by)

    def _results(self, outcome: Outcome) -> Sequence[PhoneResult]:
        kept = [part.kept[outcome] for part in self._parts]
        return kept[0] if len(kept) == 1 else _Chain(kept)


Only = Outcome | str | Sequence[Outcome | str] | None
"""One outcome, several, or None for all."""


def _outcomes(only: Only) -> tuple[Outcome, ...]:
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

    __hash__ = None  # type: ignore[assignment]
