"""The rows that were not created, or not sent, each with its file, line, cells and reason."""

from __future__ import annotations

from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import Factory, evolve, frozen

from asyncsdk.export.reasons import (
    has_twin,
    reason_for,
    same_number,
    shortened,
    skipped_in,
)
from asyncsdk.export.rows import UNREAD
from asyncsdk.places import ROW, Place, list_name
from asyncsdk.results import Delivery
from asyncsdk.sources import ManySources
from asyncsdk.sources.picking import COUNTRY
from asyncsdk.sources.rejects import (
    DUPLICATE,
    HELD,
    is_held,
)
from asyncsdk.words import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from asyncsdk.export.page import About
    from asyncsdk.ledger.account import UploadAccount
    from asyncsdk.models import Phone
    from asyncsdk.results import PhoneResult
    from asyncsdk.sources import ColumnChoice, Row, Source

__all__ = [
    "UNREAD",
    "Rejected",
    "about_list",
    "rejected_rows",
    "skipped_rows",
    "twins",
]

_NAMES = 3
"""Names of files that stand for all."""


@frozen
class Rejected:
    """A row that was not created."""

    place: Place
    phone: str
    outcome: str
    delivery: str
    reason: str
    status: int | None
    cells: Sequence[str]
    """The row as it stands in the file."""
    duplicate: bool = False
    """Whether another row has its number, too: mended, it would be stored twice."""
    twin: Place | None = None
    """Where that other row stands, if it is known."""
    held: bool = False
    """Whether its source held it back, as it must again unless its number is changed."""
    mapping: Mapping[str, ColumnChoice] = Factory(dict)
    """From which of its cells each field is read."""

    @classmethod
    def numbered(cls, result: PhoneResult) -> Rejected:
        """A row of which nothing but its number is known, as in a report without its list."""
        return cls(
            place=Place(result.index, result.index + 1, unit=ROW),
            phone=result.phone.phone,
            outcome=result.outcome.value,
            delivery=result.delivery.value,
            reason=reason_for(result),
            status=result.status,
            cells=(),
        )

    @property
    def index(self) -> int:
        """Its position in the source, from 0."""
        return self.place.index

    @property
    def line(self) -> int | None:
        """As `Place.line`."""
        return self.place.line

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with others."""
        return self.outcome, self.delivery, shortened(self.reason)

    @property
    def columns(self) -> list[str]:
        """Its cells under `REJECT_COLUMNS`."""
        outcome = HELD if self.held else DUPLICATE if self.duplicate else self.outcome
        held_back = self.duplicate or self.held or self.delivery == Delivery.UNKNOWN
        phone_was = self.phone if held_back or self.line is None else ""
        line = "" if self.line is None else str(self.line)
        place = self.place
        return [
            list_name(place.path, place.sheet),
            line,
            outcome,
            self.delivery,
            self.reason,
            phone_was,
        ]

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        named = {"file": self.place.path, "sheet": self.place.sheet}
        return {key: name for key, name in named.items() if name} | {
            "line": self.line,
            "index": self.index,
            "phone": self.phone,
            "outcome": self.outcome,
            "delivery": self.delivery,
            "status": self.status,
            "reason": self.reason,
        }


def rejected_rows(
    source: Source, report: UploadAccount, skipped: Mapping[int, int] | None = None
) -> Iterator[Rejected]:
    """Every row that was to be created and was not, in the order of the file, read once more.

    Those that the upload did not come to are among them, unless they would have been skipped: what
    is yielded is all that is missing.

    Args:
        source: What was uploaded.
        report: What became of it.
        skipped: Rows that are duplicates, too, which the upload did not find: it did not come to
            them, or they are invalid for another reason (see `twins`). Their indices, and those of
            the rows with their numbers.
    """
    found = merge(report.invalid, report.failed, key=attrgetter("index"))
    places = _Places(source, skipped or {})
    missing = None if report.complete else report.submitted
    yield from _rows(source, found, places, lambda: report.invalid, missing)


def skipped_rows(
    source: Source,
    report: UploadAccount,
    wanted: Callable[[PhoneResult], bool] = lambda _: True,
) -> Iterator[Rejected]:
    """The rows that were skipped for their numbers, likewise.

    Args:
        source: What was uploaded.
        report: What became of it.
        wanted: Which of them to yield.
    """

    def found() -> Iterator[PhoneResult]:
        return filter(wanted, skipped_in(report))

    yield from _rows(source, found(), _Places(source, {}), found, None)


def _rows(
    source: Source,
    results: Iterator[PhoneResult],
    places: _Places,
    twins: Callable[[], Iterable[PhoneResult]],
    missing: int | None,
) -> Iterator[Rejected]:
    """The rows of these results.

    Args:
        source: Is read once more, if there is anything to look for.
        results: In its order.
        places: Where its rows stand.
        twins: Gives those of them that may have the numbers of other rows.
        missing: The first row that the upload did not come to.
    """
    result = next(results, None)
    if result is None and missing is None:
        return
    places.look_for(twins())
    for row in source.rows():
        places.note(row)
        if result is not None and row.index == result.index:
            yield _settled(row, result, places)
            result = next(results, None)
        elif missing is not None and row.index >= missing:
            if row.index not in places.skipped:
                yield _unread(row, places)
        elif result is None and missing is None:
            return
    # The file lost rows since it was sent: the account still has them.
    for lost in chain([result] if result else [], results):
        yield _settled(None, lost, places)


def about_list(about: About, source: Source, report: UploadAccount, limit: int = 1000) -> About:
    """What a page says besides its report, with what the list is and calls things.

    Args:
        about: What else is known; what it says already stays.
        source: What was uploaded, which is read once more if a row is to be shown.
        report: What the page shows.
        limit: Rows whose place in their file is said.
    """
    settled = (row for row in rejected_rows(source, report) if row.outcome != UNREAD)
    first = islice(chain(settled, skipped_rows(source, report, has_twin)), limit)
    named = chain.from_iterable((row.place, row.twin) for row in first)
    places = {place.index: place for place in named if place and place.line}
    return evolve(
        about,
        name=about.name or _name_of(source),
        places=about.places or ({} if _without_lines(source) else places),
        columns=about.columns or _names_of(source),
    )


def _name_of(source: Source) -> str:
    names = list(dict.fromkeys(Path(part.path).name for part in source.parts if part.path))
    more = [f"… (+{len(names) - _NAMES})"] if len(names) > _NAMES else []
    return ", ".join(names[:_NAMES] + more)


def _names_of(source: Source) -> dict[str, str]:
    """What the lists call the fields of a phone: lists may differ."""
    found: dict[str, dict[str, None]] = {}
    for part in source.parts:
        for field, choice in part.mapping.items():
            if part.path is None and choice.column == field:
                continue  # a program's own rows: nobody chose that name
            found.setdefault(field, {})[choice.column] = None
    return {field: " / ".join(names) for field, names in found.items()}


def twins(
    source: Source, report: UploadAccount, normal: Callable[[Phone], object]
) -> dict[int, int]:
    """Invalid rows whose numbers other rows have that are not: their indices, and those of these.

    Once mended, they would be stored a second time. The source is read once more, if there is
    anything to look for.

    Args:
        source: What was uploaded.
        report: What became of it.
        normal: The form in which their numbers are compared; what is no text is no number.
    """
    invalid = {result.index for result in report.invalid}
    single = {r.index: r.phone for r in report.invalid if not _is_duplicate(r)}
    if single and _says_country(source):  # which no report knows
        single = {at: phone for at, phone in enumerate(source) if at in single}
    wanted: dict[object, list[int]] = {}
    for index, phone in single.items():
        number = normal(phone)
        if isinstance(number, str) and number.strip():
            wanted.setdefault(number, []).append(index)
    if not wanted:
        return {}
    found: dict[int, int] = {}
    for index, phone in enumerate(source):
        if index not in invalid and index < report.submitted:
            found |= dict.fromkeys(wanted.get(normal(phone), ()), index)
    return found


def _says_country(source: Source) -> bool:
    return any(COUNTRY in part.mapping for part in source.parts)


class _Places:
    """Where the rows stand that others have the number of: people count lines, not indices."""

    def __init__(self, source: Source, skipped: Mapping[int, int]) -> None:
        self.source = source
        self.skipped = skipped
        self._naming = source.naming
        self._wanted: set[int] = set()
        self._noted: dict[int, Place] = {}

    def look_for(self, results: Iterable[PhoneResult]) -> None:
        """Remember, from here on, where the rows stand that have the numbers of these."""
        found = map(_duplicate_of, results)
        self._wanted = {at for at in (*found, *self.skipped.values()) if at is not None}
        later = sorted({at for index, at in self.skipped.items() if at > index})
        for row in self.source.pick(later) if later else ():
            self.note(row)

    def note(self, row: Row) -> None:
        """Remember where a row stands if it is wanted."""
        if row.index in self._wanted:
            self._noted[row.index] = self.at(row)

    def at(self, row: Row) -> Place:
        """Where this row stands."""
        return row.place(**self._naming)

    def of(self, index: int | None) -> Place | None:
        """Where the row with this index stands, as far as that is known."""
        return None if index is None else self._noted.get(index, Place(index))

    def reason_for(self, result: PhoneResult) -> str:
        """Why a phone was not created."""
        reason = reason_for(result, lambda index: str(self.of(index)))
        sent = self.of(self.skipped.get(result.index))
        return reason if sent is None else f"{reason}; {same_number(str(sent))}"


def _without_lines(source: Source) -> bool:
    """Whether the rows of a source are in no file, and so on no line of one."""
    return source.unit == ROW and source.path is None and len(source.parts) == 1


def _duplicate_of(result: PhoneResult) -> int | None:
    """The index of the row that has the same number, if that is why it was rejected."""
    return result.error.duplicate_of if result.error else None


def _is_duplicate(result: PhoneResult) -> bool:
    """Whether it was left out, here or before, because another row has its number."""
    codes = (one.code for one in result.error.violations) if result.error else ()
    return result.status is None and DUPLICATE in codes


def _settled(row: Row | None, result: PhoneResult, places: _Places) -> Rejected:
    source = places.source
    return Rejected(
        place=places.at(row) if row else Place(result.index),
        phone=result.phone.phone,
        outcome=result.outcome.value,
        delivery=result.delivery.value,
        reason=visible(places.reason_for(result) + _misread(source, row)),
        status=result.status,
        cells=row.cells if row else _cells(source, result),
        duplicate=_is_duplicate(result) or result.index in places.skipped,
        twin=places.of(places.skipped.get(result.index, _duplicate_of(result))),
        held=result.error is not None and is_held(result.error),
        mapping=row.mapping if row else source.mapping,
    )


def _unread(row: Row, places: _Places) -> Rejected:
    return Rejected(
        place=places.at(row),
        phone=row.phone,
        outcome=UNREAD,
        delivery=Delivery.NOT_SENT.value,
        reason="the upload ended before this row",
        status=None,
        cells=row.cells,
        mapping=row.mapping,
    )


def _misread(source: Source, row: Row | None) -> str:
    """A hint where the row itself is broken."""
    if row is None:
        return "; the file has changed since"
    width = len(source.columns)
    if len(row.cells) == width or isinstance(source, ManySources):
        return ""
    return f" (the row has {len(row.cells)} cells, the file {width} columns)"


def _cells(source: Source, result: PhoneResult) -> list[str]:
    cells = [""] * len(source.columns)
    for field, choice in source.mapping.items():
        cells[choice.position] = getattr(result.phone, field, None) or ""
    return cells
