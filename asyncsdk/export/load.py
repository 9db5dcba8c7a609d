"""Results read back from the files that a report was written to."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from asyncsdk.errors import SourceError
from asyncsdk.export.rows import COLUMNS, UNREAD, result_of, whole_number
from asyncsdk.ledger.journal.database import is_journal
from asyncsdk.ledger.journal.reader import Reader, account
from asyncsdk.results import Outcome, PhoneResult
from asyncsdk.sources.inert import revive
from asyncsdk.wire.convert import structure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SavedReport"]


@define
class SavedReport:
    """The results in a report that `to_jsonl`, `to_csv` or `to_parquet` wrote, in its order.

    What else it says is known once they were read.

    Iterating raises:
        SourceError: It is none of these; the line is named.
        ImportError: It is Parquet, and polars is not installed.
    """

    path: Path
    group_id: int | None = field(default=None, init=False)
    """The group that was uploaded into; None if the report does not say."""
    unread_from: int | None = field(default=None, init=False)
    """The index of the first row that the upload did not come to; None if it came to all."""

    def __iter__(self) -> Iterator[PhoneResult]:
        if is_journal(self.path):
            return self._of_journal()
        kind = self.path.suffix.lower()
        if kind == ".parquet":
            return self._of_parquet()
        return self._of_csv() if kind == ".csv" else self._of_lines()

    def _of_journal(self) -> Iterator[PhoneResult]:
        run, results = account(Reader(self.path))
        self.group_id = run.group_id
        self.unread_from = None if run.complete else run.counts.settled
        for outcome in Outcome:
            yield from results(outcome)

    def _of_lines(self) -> Iterator[PhoneResult]:
        with _opened(self.path) as file:
            for line, text in enumerate(file, 1):
                try:
                    row = msgspec.json.decode(text)
                    if self._is_result(row):
                        yield structure(row, PhoneResult)
                except Exception as error:
                    raise _alien(self.path, line) from error

    def _of_csv(self) -> Iterator[PhoneResult]:
        with _opened(self.path) as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise _alien(self.path, 1)
            for row in reader:
                try:
                    texts = {name: revive(row[name] or "") or None for name in COLUMNS}
                    if self._is_result(texts):
                        yield result_of(texts)
                except (ValueError, TypeError, KeyError) as error:
                    raise _alien(self.path, reader.line_num) from error

    def _of_parquet(self) -> Iterator[PhoneResult]:
        try:
            import polars as pl
        except ImportError as error:
            msg = "reading Parquet needs polars: pip install 'asyncsdk[files]'"
            raise ImportError(msg) from error
        try:
            for batch in pl.scan_parquet(self.path).collect_batches(maintain_order=True):
                rows = batch.iter_rows(named=True)
                yield from map(result_of, filter(self._is_result, rows))
        except Exception as error:
            raise _alien(self.path, None) from error

    def _is_result(self, row: dict[str, Any]) -> bool:
        """Whether a row is of a phone, rather than of all that were not read; notes the rest."""
        self.group_id = whole_number(row.pop("group", None))
        if row["outcome"] != UNREAD:
            return True
        self.unread_from = int(row["index"])
        return False


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        msg = f"cannot be opened: {error.strerror or error}"
        raise SourceError(msg, path=str(path)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _alien(path, None) from error


def _alien(path: Path, line: int | None) -> SourceError:
    msg = "is no report: give a file that --report, to_jsonl, to_csv or to_parquet wrote"
    return SourceError(msg, path=str(path), line=line)
