"""A rejects file read again: which of its rows must not be sent as they are.

A row that was a duplicate when it was rejected stands for a number that another row has; one whose
delivery is unknown may be in the group. Neither may go out again unless its number was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from attrs import asdict, evolve, frozen

from asyncsdk.models import FIELDS, Phone, Problem, Violation, Withheld
from asyncsdk.numbers import alike
from asyncsdk.sources.inert import revive
from asyncsdk.sources.picking import COUNTRY, ColumnChoice, find_column

if TYPE_CHECKING:
    from collections.abc import Sequence

Note = Mapping[str, str | bool | list[str]]
"""What a rejects file says of how a row was read."""
_decode = msgspec.json.Decoder(dict[str, str | bool | list[str]]).decode

__all__ = [
    "DUPLICATE",
    "HELD",
    "LISTING_COLUMNS",
    "NOTED",
    "READ_AS",
    "REJECT_COLUMNS",
    "TOTALS",
    "Note",
    "Withholding",
    "first_note",
    "is_held",
    "is_rejects",
    "is_report",
    "note_in",
    "note_of",
    "noted_columns",
    "options_in",
    "own_columns",
]

REJECT_COLUMNS = ("file", "line", "outcome", "delivery", "reason", "phone_was")
"""What a rejects file puts before the columns of its input."""
READ_AS = "read_as"
"""And behind them: how the row was read, which it is again."""
NOTED = "as noted in the file"
"""Why a column is chosen that a rejects file names."""
DUPLICATE = "duplicate"
"""The outcome of rows that were skipped as duplicates; the code of their violation, too."""

TOTALS = "totals"
"""The code of the violation of a line of totals, and of what stands below it."""
HELD = "held"
"""The outcome of rows that their list held back; the code of their violation when read again."""

LISTING_COLUMNS = ("file", "line", "phone", "number", "outcome", "reason")
"""What a check writes of every row."""
_REPORT_COLUMNS = frozenset({"index", "outcome", "delivery", "attempts", "request_id"})
_UNKNOWN = "unknown"
_SKIPPED = "skipped as a duplicate when it was rejected"
_DOUBTFUL = "may be in the group since it was sent without an answer; it was not sent again"
_AS_BEFORE = Problem(
    "Duplicate phone", _SKIPPED, violations=(Violation("phone", _SKIPPED, DUPLICATE),)
)
_NONE = "it was no contact when it was rejected: if it is one, delete the word held beside it"
_NO_CONTACT = Problem(
    "Not a contact",
    violations=(Violation("", _NONE, HELD),),
)
_PERHAPS_THERE = Problem("Outcome unknown", _DOUBTFUL)


def is_rejects(columns: Sequence[str]) -> bool:
    """Whether these are the columns of a rejects file, in whatever order."""
    return set(REJECT_COLUMNS) <= set(columns)


def is_held(problem: Problem) -> bool:
    """Whether a source held a row back that is no contact, now or when it was rejected."""
    return any(violation.code in {TOTALS, HELD} for violation in problem.violations)


def is_report(columns: Sequence[str]) -> bool:
    """Whether these are the columns of a whole report, with what was created in it."""
    return set(columns) >= _REPORT_COLUMNS or tuple(columns) == LISTING_COLUMNS


def own_columns(columns: Sequence[str]) -> frozenset[int]:
    """The positions of the columns that a rejects file has of its own, if these are of one."""
    if not is_rejects(columns):
        return frozenset()
    own = (*REJECT_COLUMNS, *([READ_AS] if READ_AS in columns else []))
    return frozenset(columns.index(name) for name in own)


def note_in(columns: Sequence[str], cells: Sequence[str]) -> str:
    """How a row of a rejects file was read, as it stands there; empty if it does not say."""
    if not is_rejects(columns) or READ_AS not in columns:
        return ""
    at = columns.index(READ_AS)
    return revive(cells[at]) if at < len(cells) else ""


def note_of(columns: Sequence[str], cells: Sequence[str]) -> Note:
    """The same: the columns of its fields, and the upload's options."""
    try:
        return _decode(note_in(columns, cells) or "{}")
    except msgspec.MsgspecError:
        return {}


def options_in(note: Note) -> Note:
    """What a note says besides the columns: the options of the upload."""
    return {name: value for name, value in note.items() if name not in {*FIELDS, COUNTRY}}


def first_note(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Note:
    """The first note among some rows of a rejects file; empty if there is none."""
    return next(filter(None, (note_of(columns, row) for row in rows)), {})


def noted_columns(columns: Sequence[str], note: Note) -> dict[str, ColumnChoice]:
    """The columns that a note names.

    Raises:
        NoColumnError: One of them is no longer there.
    """
    return {
        field: evolve(find_column(columns, field, note[field]), reason=NOTED)
        for field in (*FIELDS, COUNTRY)
        if field in note
    }


@frozen
class Withholding:
    """Tells the rows of a rejects file that may be sent from those that may not."""

    outcome: int
    delivery: int
    phone_was: int
    send_unknown: bool
    """Whether rows of unknown delivery may be sent."""

    @classmethod
    def of(cls, columns: Sequence[str], *, send_unknown: bool) -> Withholding:
        """For a rejects file with these columns."""
        at = [columns.index(name) for name in ("outcome", "delivery", "phone_was")]
        return cls(at[0], at[1], at[2], send_unknown)

    def withheld(self, phone: Phone, cells: Sequence[str]) -> Phone:
        """The phone of this row, withheld if it must not be sent.

        Args:
            phone: As the row has it now.
            cells: The row.
        """
        problem = self._problem(cells)
        was = _cell(cells, self.phone_was)
        filled = problem is _NO_CONTACT and not was and bool(phone.phone.strip())
        if problem is None or filled or not alike(was, phone.phone):
            return phone
        return Withheld(
            **asdict(phone),
            problem=problem,
            doubtful=problem is _PERHAPS_THERE,
            duplicate=problem is _AS_BEFORE,
        )

    def _problem(self, cells: Sequence[str]) -> Problem | None:
        if _cell(cells, self.delivery) == _UNKNOWN:
            return None if self.send_unknown else _PERHAPS_THERE
        if _cell(cells, self.outcome) == DUPLICATE:
            return _AS_BEFORE
        return _NO_CONTACT if _cell(cells, self.outcome) == HELD else None


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip().casefold() if at < len(cells) else ""
