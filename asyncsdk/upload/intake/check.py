"""Local rules: what the provider would refuse is found before it is sent.

A chunk of rows is checked and turned into rows in one pass of C code; only a chunk in which some
rule is broken is looked at row by row.
"""

from __future__ import annotations

from functools import partial
from itertools import islice, repeat
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from attrs import define, field

from asyncsdk.errors import SourceError
from asyncsdk.models import FIELDS, LIMITS, Phone, Problem, Violation, Withheld
from asyncsdk.upload.intake.located import countries_of, without_country
from asyncsdk.upload.intake.pieces import (
    Checked,
    Flawless,
    Piece,
    Rejection,
    any_blank,
    joined,
    rows_in,
    tight,
)
from asyncsdk.upload.intake.rows import (
    PLAIN,
    NoRow,
    kinds_of,
    plain,
    preview,
    read_safely,
    text_of,
    with_texts,
)
from asyncsdk.wire.rows import (
    Row,
    encode_rows,
    numbers_of,
    renumbered,
    row_type,
    values_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from asyncsdk.upload.intake.columns import Columns
    from asyncsdk.upload.intake.normalize import Normalizer
    from asyncsdk.upload.intake.skipping import Skips

__all__ = ["Checker"]

_KNOWN = frozenset(FIELDS)
_CERTAIN = 100
"""Where none of so many rows is one, the source is no list of phones."""
_WIDE = 200
"""Characters of a cell in which a number is looked for at most."""
_BREAKS = "\r\n"
_NOWHERE = repeat("")
"""What rows say of their countries that say nothing."""
_FEW = 8
"""Keys of a row that are shown."""


def _limited(name: str) -> Any:
    """The texts that a field takes; blank numbers aside."""
    shortest = 1 if name == "phone" else None
    return Annotated[str, msgspec.Meta(min_length=shortest, max_length=LIMITS[name])]


_LimitedRow = row_type("LimitedRow", _limited)
"""A row that keeps the limits, for whoever converts into it."""


def _chunk_of(item: Any) -> Any:
    """A struct that has nothing but a list: msgspec knows structs, and looks at lists anew."""
    return msgspec.defstruct("Chunk", [("items", list[item])], array_like=True)


_ROWS = {True: _chunk_of(_LimitedRow), False: _chunk_of(Row)}
_NUMBERS = {True: _chunk_of(_limited("phone")), False: _chunk_of(str)}
"""What rows and numbers are converted into, by whether limits are kept."""


@define
class Checker:
    """Checks rows of any accepted kind: a `Phone`, values under its field names, or a number.

    Args:
        limits: Whether to check lengths and presence, not only types.
        normalize: Turns a number into its normal form, or says why it is none.
        skipping: Knows the numbers that are not to be sent; None where all are.
        keep_source: Whether to keep the rows as they were submitted.
        columns: The keys that fields are read from, if not their own.
    """

    limits: bool = True
    normalize: Normalizer | None = None
    skipping: Skips | None = None
    keep_source: bool = False
    columns: Columns | None = None
    undecided: int = field(default=_CERTAIN, init=False, repr=False)
    """Rows to be seen until it is certain that the source is no list of phones; 0 once it is."""
    _as_they_are: bool = field(init=False, repr=False)
    """Whether rows are sent as they are, if they keep the limits."""
    _country: str | None = field(init=False, repr=False)
    """The key of rows that says their country."""

    def __attrs_post_init__(self) -> None:
        self._as_they_are = self.normalize is None and self.skipping is None
        self._country = None if self.normalize is None else self.normalize.how.country

    def check(self, first: int, chunk: Sequence[object]) -> Checked:
        """Check rows that follow each other in the source; as `look`, then `join`."""
        return self.join([self.look(first, chunk)])

    def join(self, pieces: Sequence[Piece]) -> Checked:
        """One chunk of several that follow each other; of none, an empty one."""
        try:
            checked = joined(pieces)
            if not (self.limits and any_blank(checked.texts)):
                return checked
        except (UnicodeEncodeError, TypeError):
            pass  # texts of their own types, or not for JSON
        return joined([self._look_closer(piece) for piece in pieces])

    def look(self, first: int, chunk: Sequence[object]) -> Piece:
        """Check rows that follow each other in the source, but for what shows as they are encoded.

        Args:
            first: The index of the first row.
            chunk: The rows.

        Raises:
            SourceError: None of the first hundred is a row.
        """
        flawless = self._usual(chunk)
        countries: Iterable[str | None] = _NOWHERE
        if flawless is None:
            kinds = kinds_of(chunk)
            if not kinds <= PLAIN:
                chunk = [plain(row) for row in chunk]
                kinds = kinds_of(chunk)
            if self.undecided:
                self._decide(chunk)
            if self._country is not None or not kinds <= PLAIN:
                countries = countries_of(chunk, self._country)
            chunk = self._with_fields(chunk)
            flawless = self._flawless(kinds, chunk)
        if flawless is None:
            read = [_read(row) for row in chunk]
            return self._check_rows(first, chunk, read, countries)
        if self._as_they_are:
            return Piece(range(first, first + len(chunk)), flawless)
        return self._check_rows(first, chunk, [(row, []) for row in rows_in(flawless)], countries)

    def _look_closer(self, piece: Piece) -> Piece:
        """The same, row by row, where all were found good."""
        if piece.source is not None:
            return piece
        phones = [Phone(*values_of(row)) for row in rows_in(piece.rows)]
        return self._check_rows(piece.indices[0], phones, list(map(_read, phones)))

    def _with_fields(self, chunk: Sequence[object]) -> Sequence[object]:
        """The rows with fields for keys."""
        if self.columns is not None:
            return self.columns.rename(chunk)
        return chunk if self._country is None else without_country(chunk, self._country)

    def _decide(self, chunk: Sequence[object]) -> None:
        """Count the rows that are none, until one is."""
        known = _KNOWN if self.columns is None else _KNOWN.union(self.columns.keys)
        if not all(read_safely(partial(_alien, known), row, _no) for row in chunk):
            self.undecided = 0
        elif len(chunk) < self.undecided:
            self.undecided -= len(chunk)
        else:
            reason = read_safely(_why_alien, chunk[0], lambda _, failed: failed)
            msg = f"none of the first {_CERTAIN} rows is a phone: {reason}"
            raise SourceError(msg)

    def _usual(self, chunk: Sequence[object]) -> Flawless | None:
        """What is made of numbers, or of mappings with the names of the fields; None of others."""
        if self.columns is not None or self._country is not None or not chunk:
            return None
        found: Flawless | None = None
        kind = type(chunk[0])
        if kind is dict:
            found = read_safely(self._rows, chunk, lambda *_: None)
        elif (kind is str or kind is Phone) and len(kinds_of(chunk)) == 1:
            found = self._numbers(chunk) if kind is str else self._rows(chunk, phones=True)
        if found is not None:
            self.undecided = 0
        return found

    def _flawless(self, kinds: set[type], chunk: Sequence[object]) -> Flawless | None:
        """What is made of a chunk in which all is well; None if a rule is broken."""
        if kinds == {str}:
            return self._numbers(chunk)
        if kinds not in ({Phone}, {dict}):
            return None
        if (found := self._rows(chunk, phones=kinds == {Phone})) is not None:
            return found
        texts = read_safely(_texts, chunk, _no)
        return self._rows(texts) if texts else None

    def _numbers(self, chunk: Sequence[object]) -> bytes | None:
        """What is made of numbers as they are; of the lines of a file, which end with a break."""
        found = self._encoded(chunk)
        if found is not None and b"\\" not in found:  # in JSON it stands as an escape
            return found
        return self._encoded([str(line).rstrip(_BREAKS) for line in chunk])

    def _encoded(self, chunk: Sequence[object]) -> bytes | None:
        try:
            return encode_rows(msgspec.convert((chunk,), _NUMBERS[self.limits]).items)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return None

    def _rows(self, chunk: Sequence[object], *, phones: bool = False) -> list[Row] | None:
        try:
            found = msgspec.convert((chunk,), _ROWS[self.limits], from_attributes=phones)
            rows: list[Row] = found.items
            if not self._as_they_are:
                encode_rows(rows)  # what is made of them is looked at row by row already
        except (msgspec.ValidationError, UnicodeEncodeError, TypeError):
            return None  # also for texts of types of their own, such as numpy's
        return rows

    def _check_rows(
        self,
        first: int,
        chunk: Sequence[object],
        read: Sequence[tuple[Row, Sequence[Violation]]],
        countries: Iterable[str | None] = _NOWHERE,
    ) -> Piece:
        """The same, row by row.

        Args:
            first: The index of the first row.
            chunk: The rows as they came.
            read: What they are, and what is wrong with their types.
            countries: What they say of their countries.
        """
        indices: list[int] = []
        rows: list[Row] = []
        submitted: list[str] = []
        rejected: list[Rejection] = []
        source = encode_rows([row for row, _ in read]) if self.keep_source else b""
        together = zip(chunk, read, countries, strict=False)
        for index, (item, (row, violations), country) in enumerate(together, first):
            number = row.phone
            if isinstance(item, Withheld):
                rejected.append(self._held_back(index, item, row))
                continue
            normal, problem = self._normal(row, violations, country, index)
            if problem is not None:
                rejected.append(Rejection(index, normal, problem, number))
            elif self.skipping and (why := self.skipping.reason(normal.phone, index)):
                rejected.append(Rejection(index, normal, why, number, skipped=True))
            else:
                indices.append(index)
                rows.append(normal)
                submitted.append(number)
        numbers = numbers_of(rows)
        return Piece(
            tight(indices),
            rows,
            submitted if submitted != numbers else None,
            rejected,
            source,
        )

    def _held_back(self, index: int, item: Withheld, row: Row) -> Rejection:
        """A row that its source holds back; what may be in the group counts as seen before."""
        problem, doubtful, skipped = item.problem, item.doubtful, item.duplicate
        if doubtful and self.skipping is not None:
            normal, invalid = self._normal(row, [], item.country.strip(), index)
            why = None if invalid else self.skipping.reason(normal.phone, index)
            if why is not None and why.in_group:  # there is no doubt any more
                problem, doubtful, skipped = why, False, True
        return Rejection(index, row, problem, row.phone, doubtful, skipped=skipped)

    def _normal(
        self, row: Row, violations: Sequence[Violation], country: str | None, index: int
    ) -> tuple[Row, Problem | None]:
        """The row, with its number in normal form where that was found, and why it is invalid."""
        if not violations and LIMITS["phone"] < len(row.phone) <= _WIDE:
            row, problem = self._renumbered(row, country)  # the number in it may be short
            if problem is not None:
                return row, problem
        if not violations and self.limits:
            violations = _broken_limits(row)
        if violations:
            violations = [*violations, *self._twin(row.phone, country, index)]
            return row, Problem(title="Invalid phone", violations=tuple(violations))
        return self._renumbered(row, country)

    def _renumbered(self, row: Row, country: str | None) -> tuple[Row, Problem | None]:
        if self.normalize is None:
            return row, None
        normal = self.normalize(row.phone, country)
        return (row, normal) if isinstance(normal, Problem) else (renumbered(row, normal), None)

    def _twin(self, number: str, country: str | None, index: int) -> list[Violation]:
        """That a row which is invalid anyway has the number of an earlier one, too.

        Whoever mends it is not to store that number a second time.
        """
        normal = number if self.normalize is None else self.normalize(number, country)
        if self.skipping is None or isinstance(normal, Problem):
            return []
        twin = self.skipping.twin(normal, index)
        return [] if twin is None else [twin]


def _no(*_: object) -> bool:
    """Stands for what foreign code did not say: it is looked at row by row."""
    return False


def _texts(chunk: Sequence[object]) -> list[object]:
    return list(map(with_texts, chunk))


def _alien(known: AbstractSet[str], row: object) -> bool:
    """Whether this is no row at all, or one that has nothing of a phone."""
    if isinstance(row, dict):
        return known.isdisjoint(row)
    return isinstance(row, NoRow) and row.alien


def _why_alien(row: object) -> str:
    if isinstance(row, NoRow):
        return row.reason
    assert isinstance(row, dict)
    keys = [preview(key) for key in islice(row, _FEW)]
    return (
        f"a row has the keys {', '.join(keys)}: say which fields are read from them, such as "
        f"columns={{'phone': {keys[0] if keys else '…'}}}"
    )


def _read(item: object) -> tuple[Row, list[Violation]]:
    """The row of whatever was submitted, and what is wrong with its types."""
    found: tuple[Row, list[Violation]] = read_safely(_row, item, _unread)
    return found


def _unread(item: object, reason: str) -> tuple[Row, list[Violation]]:
    return Row(f"<{type(item).__name__}>"), [Violation("", reason, "type")]


def _row(item: object) -> tuple[Row, list[Violation]]:
    row = plain(item)
    if isinstance(row, NoRow):
        return Row(row.text), [Violation("", row.reason, "type")]
    if isinstance(row, str):
        return _typed({"phone": row.rstrip(_BREAKS)})
    if isinstance(row, Phone):
        return _typed({name: getattr(row, name) for name in FIELDS})
    assert isinstance(row, dict)
    return _mapped(row)


def _mapped(item: dict[object, object]) -> tuple[Row, list[Violation]]:
    unknown = [key for key in item if key not in _KNOWN]
    row, violations = _typed({name: item.get(name) for name in FIELDS})
    if unknown:
        names = ", ".join(sorted(preview(key) for key in unknown))
        reason = f"unknown field {names}; a phone has {', '.join(FIELDS)}"
        violations.append(Violation("", reason, "unknown-field"))
    return row, violations


def _typed(values: dict[str, object]) -> tuple[Row, list[Violation]]:
    violations = []
    texts: dict[str, str | None] = {}
    for name, value in values.items():
        text, reason = _carried(value) if isinstance(value, str) else _converted(value)
        if text is None and name == "phone":
            text, reason = "", "is required"
        texts[name] = text
        if reason:
            violations.append(Violation(name, reason, "type"))
    return Row(**texts), violations  # type: ignore[arg-type]


def _converted(value: object) -> tuple[str | None, str | None]:
    """A value that is no text as one, and what is wrong if it stands for none."""
    text = text_of(value)
    if text is None or isinstance(text, str):
        return text, None
    if isinstance(value, int) and not isinstance(value, bool):
        return preview(value), "has more digits than any text may"
    return preview(value), f"must be a text, not {type(value).__name__}"


def _carried(value: str) -> tuple[str, str | None]:
    """A text as JSON can carry it, and what is wrong if that is not the same."""
    try:
        str.encode(value)
    except UnicodeEncodeError:
        text = str.encode(value, errors="replace").decode()
        return text, "has a lone surrogate, which is no character"
    return str.__str__(value), None


def _broken_limits(row: Row) -> list[Violation]:
    violations = []
    if not row.phone.strip():
        violations.append(Violation("phone", "is required", "required"))
    for name, limit in LIMITS.items():
        length = len(getattr(row, name) or "")
        if length > limit:
            reason = f"is longer than {limit} characters ({length})"
            violations.append(Violation(name, reason, "too-long"))
    return violations
