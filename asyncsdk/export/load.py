"""Results read back from the files that a report was written to."""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from asyncsdk.errors import SourceError
from asyncsdk.export.rows import COLUMNS, UNREAD, result_of, whole_number
from asyncsdk.ledger.journal.database import is_journal
from asyncsdk.ledger.journal.reader import Reader, account
from asyncsdk.models import FIELDS
from asyncsdk.results import Outcome, PhoneResult
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.bounds import MAX_BYTES
from asyncsdk.sources.inert import revive
from asyncsdk.sources.opening import FileInput
from asyncsdk.sources.pipes import opened_pipe
from asyncsdk.wire.convert import structure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SavedReport"]

_SENSELESS = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
_REQUIRED = frozenset(COLUMNS) - frozenset(FIELDS[1:])
"""Columns that every report has; a field that is newer than a report is in none of its rows."""
_FEW = 10
_LONGEST = 1 << 24
"""Characters of a line, which is of one phone."""
_BEYOND = 1 << 63


@define
class SavedReport:
    """The results in a report that `to_jsonl`, `to_csv` or `to_parquet` wrote, in its order.

    What else it says is known once they were read.

    Iterating raises:
        SourceError: It is none of these; the line is named.
        ImportError: It is Parquet, and polars is not installed.
    """

    path: Path
    groups: set[int | None] = field(factory=set, init=False)
    """The groups that were uploaded into; None stands for rows that do not say."""
    unread_from: int | None = field(default=None, init=False)
    """The index of the first row that the upload did not come to; None if it came to all."""

    @property
    def group_id(self) -> int | None:
        """The group that was uploaded into; None if the report does not say, or says several."""
        return next(iter(self.groups)) if len(self.groups) == 1 else None

    def __iter__(self) -> Iterator[PhoneResult]:
        if is_journal(self.path):
            return self._of_journal()
        kind = self.path.suffix.lower()
        if kind == ".parquet":
            return self._of_parquet()
        return self._of_csv() if kind == ".csv" else self._of_lines()

    def _of_journal(self) -> Iterator[PhoneResult]:
        run, results = account(Reader(self.path))
        self.groups.add(run.group_id)
        self.unread_from = None if run.complete else run.counts.settled
        for outcome in Outcome:
            yield from results(outcome)

    def _of_lines(self) -> Iterator[PhoneResult]:
        with _opened(self.path) as file:
            for line, text in enumerate(_lines(file), 1):
                try:
                    row = msgspec.json.decode(text)
                    if self._is_result(row):
                        yield _possible(structure(row, PhoneResult))
                except Exception as error:
                    raise _alien(self.path, line) from error

    def _of_csv(self) -> Iterator[PhoneResult]:
        with _opened(self.path) as file:
            reader = csv.DictReader(_lines(file))
            if not set(reader.fieldnames or ()) >= _REQUIRED:
                raise _alien(self.path, 1)
            for row in reader:
                try:
                    texts = {name: revive(row.get(name) or "") or None for name in COLUMNS}
                    if self._is_result(texts):
                        yield _possible(result_of(texts))
                except _SENSELESS as error:
                    raise _alien(self.path, reader.line_num) from error

    def _of_parquet(self) -> Iterator[PhoneResult]:
        bounds = Bounds(max_bytes=MAX_BYTES)
        source = FileInput(self.path, MAX_BYTES)
        try:
            with apart("tables", "polars", source, {"format": "parquet"}, bounds) as messages:
                names = next(messages)
                if not set(names) >= _REQUIRED:
                    raise _alien(self.path, None)
                for columns in messages:
                    for cells in zip(*columns, strict=True):
                        texts = dict(zip(names, cells, strict=True))
                        row = {name: texts.get(name) or None for name in COLUMNS}
                        if self._is_result(row):
                            yield _possible(result_of(row))
        except (SourceError, *_SENSELESS) as error:
            raise _alien(self.path, None) from error

    def _is_result(self, row: dict[str, Any]) -> bool:
        """Whether a row is of a phone, rather than of all that were not read; notes the rest."""
        if len(self.groups) < _FEW:  # more of them are not told apart
            self.groups.add(whole_number(row.pop("group", None)))
        else:
            row.pop("group", None)
        if row["outcome"] != UNREAD:
            return True
        self.unread_from = int(row["index"])
        return False


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        pipe = opened_pipe(path) or path.open("rb")
        with io.TextIOWrapper(pipe, encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        msg = f"cannot be opened: {error.strerror or error}"
        raise SourceError(msg, path=str(path)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _alien(path, None) from error


def _lines(file: IO[str]) -> Iterator[str]:
    """The lines of a file, of which none is endless.

    Raises:
        csv.Error: One is.
    """
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            msg = "a line does not end"
            raise csv.Error(msg)
        yield line


def _possible(result: PhoneResult) -> PhoneResult:
    """The same, if all its numbers can be ones.

    Raises:
        ValueError: Some cannot.
    """
    known = None if result.created is None else result.created.id
    numbers = (result.index, result.attempts, result.status, known)
    if not all(number is None or 0 <= number < _BEYOND for number in numbers):
        msg = "a number is out of range"
        raise ValueError(msg)
    return result


def _alien(path: Path, line: int | None) -> SourceError:
    msg = "is no report: give a file that --report, to_jsonl, to_csv or to_parquet wrote"
    return SourceError(msg, path=str(path), line=line)
