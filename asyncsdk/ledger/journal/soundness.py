"""Whether a journal holds what one does: it may be from somebody else, or from a failing disk.

What is read later relies on this: no view or trigger answers in place of a table, each value is of
its kind and within its bounds, and looking at all of it comes to an end. SQLite itself bounds the
size of a value, and what is inflated or decoded is bounded by `encoding`.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from asyncsdk.config import MOST_IN_JOURNAL
from asyncsdk.ledger.held import State
from asyncsdk.ledger.journal.tables import TABLES
from asyncsdk.results import Delivery, Outcome, StoppedBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["LARGEST", "MOST_ROWS", "UnsoundError", "bound", "check", "check_tables"]

LARGEST = 96 << 20
"""Bytes of a value: a request has a hundredth of them, the numbers of a large group all."""
MOST_ROWS = MOST_IN_JOURNAL

_BIGGEST = 1 << 53
_RUNS = 100_000
_LEAST_ROW = len('{"phone":""}')
_OPCODES = 2_000_000
"""Steps that SQLite may take for a file of no size."""
_OPCODES_PER_BYTE = 16
"""And for each byte of it: a row takes a hundred, and has at least ten bytes."""
_MOST_OPCODES = 1 << 31
_STEP = 1 << 16


class UnsoundError(ValueError):
    """It does not hold what it should."""


def bound(connection: sqlite3.Connection) -> None:
    """Let no value be larger than any that is written, nor the schema call functions."""
    connection.execute("PRAGMA trusted_schema=0")
    connection.execute("PRAGMA cell_size_check=1")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)


def check(connection: sqlite3.Connection) -> None:
    """Do nothing if all of it can be relied on; `bound` was called with it.

    Raises:
        UnsoundError: It cannot.
        sqlite3.Error: Its pages are damaged.
    """
    with _Ending(connection):
        check_tables(connection)
        for table, conditions in _CONDITIONS.items():
            sound = " AND ".join(f"coalesce({condition}, 0)" for condition in conditions)
            query = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE NOT ({sound}))"  # noqa: S608 - ours
            if connection.execute(query).fetchone()[0]:
                msg = f"a row of {table} makes no sense"
                raise UnsoundError(msg)
        (runs,) = connection.execute("SELECT count(*) FROM run").fetchone()
        (rows,) = connection.execute("SELECT EXISTS (SELECT 1 FROM chunk)").fetchone()
        if runs > _RUNS or (rows and not runs):
            msg = "no upload has so many runs, or reads rows without one"
            raise UnsoundError(msg)


class _Ending:
    """A block in which SQLite gives up rather than go round in a damaged tree for ever."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        most = min(_OPCODES + _OPCODES_PER_BYTE * pages * size, _MOST_OPCODES)
        self._left = most // _STEP + 1

    def __enter__(self) -> None:
        self._connection.set_progress_handler(self._spend, _STEP)

    def __exit__(self, *_: object) -> None:
        self._connection.set_progress_handler(None, 0)

    def _spend(self) -> bool:
        self._left -= 1
        return bool(self._left < 0)


def check_tables(connection: sqlite3.Connection) -> None:
    """Do nothing if it has the tables of a journal, and nothing else.

    Raises:
        UnsoundError: It has not.
    """
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
    found = connection.execute(query).fetchmany(len(TABLES) * 2)
    made = {
        name: " ".join(sql.split())
        for kind, name, table, sql in found
        if kind == "table" and name == table and isinstance(sql, str)
    }
    indices = [kind for kind, _, _, sql in found if kind == "index" and sql is None]
    wanted = {name: " ".join(sql.split()) for name, sql in TABLES.items()}
    if made != wanted or len(made) + len(indices) != len(found):
        msg = "its tables are not those of a journal"
        raise UnsoundError(msg)


def _whole(*columns: str, low: int = 0, high: int = _BIGGEST) -> Iterator[str]:
    for column in columns:
        yield f"(typeof({column}) = 'integer' AND {column} BETWEEN {low} AND {high})"


def _real(*columns: str) -> Iterator[str]:
    for column in columns:
        yield f"(typeof({column}) IN ('integer', 'real') AND abs({column}) < 1e15)"


def _kind(kind: str, *columns: str) -> Iterator[str]:
    for column in columns:
        yield f"(typeof({column}) = '{kind}')"


def _one_of(column: str, values: Iterable[object]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"({column} IN ({listed}))"


def _or_null(conditions: Iterable[str], *columns: str) -> Iterator[str]:
    for column, condition in zip(columns, conditions, strict=True):
        yield f"({column} IS NULL OR {condition})"


_DELIVERIES = tuple(delivery.value for delivery in Delivery)
_SPAN = (
    *_whole("first", "last"),
    *_whole("rows", low=1, high=MOST_ROWS),
    "(last - first + 1 >= rows)",
)
_ROWS = (
    *_or_null(_kind("blob", "indices", "submitted"), "indices", "submitted"),
    f"(phones IS NULL OR (typeof(phones) = 'blob' AND rows * {_LEAST_ROW} <= length(phones)))",
    "(phones IS NULL OR indices IS NOT NULL OR last - first + 1 = rows)",
)
_SAID = (
    *_or_null(_whole("status", high=9999), "status"),
    *_or_null(_kind("text", "request_id", "problem"), "request_id", "problem"),
)
_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "meta": (
        "(typeof(key) = 'text')",
        "(key != 'group' OR (typeof(value) = 'integer' AND value >= 0))",
        "(key != 'log' OR (typeof(value) = 'blob' AND length(value) = 8))",
        "(key != 'notes' OR typeof(value) = 'text')",
        "(key != 'exhausted' OR typeof(value) = 'integer')",
        "(key NOT IN ('baseline', 'existing') OR typeof(value) IN ('blob', 'text'))",
    ),
    "run": (
        *_or_null(_real("elapsed", "throttled"), "elapsed", "throttled"),
        *_or_null(
            _whole("requests", "retries", "batches", "bytes", low=-_BIGGEST),
            *("requests", "retries", "batches", "bytes"),
        ),
        *_or_null(_whole("complete", high=1), "complete"),
        f"(stopped_by IS NULL OR {_one_of('stopped_by', (why.value for why in StoppedBy))})",
        "(history IS NULL OR (typeof(history) = 'text' AND length(history) <= 65536))",
    ),
    "chunk": (
        *_whole("first"),
        *_whole("rows", low=1),
        *_whole("digest", low=-(1 << 63), high=(1 << 63) - 1),
    ),
    "batch": (*_SPAN, *_ROWS),
    "held": (
        *_whole("batch", "attempts"),
        *_whole("doubtful", high=1),
        *_whole("state", high=max(State)),
        f"(delivery IS NULL OR {_one_of('delivery', _DELIVERIES)})",
        *_SAID,
    ),
    "entry": (
        *_or_null(_whole("batch"), "batch"),
        _one_of("outcome", (outcome.value for outcome in Outcome)),
        _one_of("delivery", _DELIVERIES),
        *_whole("kept", high=1),
        *_whole("attempts"),
        *_SPAN,
        *_ROWS,
        *_SAID,
        *_or_null(_kind("blob", "members"), "members"),
    ),
}
