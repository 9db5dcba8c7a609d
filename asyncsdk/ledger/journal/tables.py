"""The tables of a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TABLES"]

TABLES: Mapping[str, str] = {
    "meta": """CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID""",
    "run": """CREATE TABLE run (
    id INTEGER PRIMARY KEY, elapsed REAL, requests INTEGER, retries INTEGER, throttled REAL,
    batches INTEGER, bytes INTEGER, complete INTEGER, stopped_by TEXT, history TEXT
)""",
    "chunk": """CREATE TABLE chunk (first INTEGER PRIMARY KEY, rows INTEGER, digest INTEGER)""",
    "batch": """CREATE TABLE batch (
    id INTEGER PRIMARY KEY, first INTEGER, last INTEGER, rows INTEGER,
    indices BLOB, submitted BLOB, phones BLOB
)""",
    "held": """CREATE TABLE held (
    batch INTEGER PRIMARY KEY, state INTEGER, delivery TEXT, attempts INTEGER, doubtful INTEGER,
    status INTEGER, request_id TEXT, problem TEXT
)""",
    "entry": """CREATE TABLE entry (
    id INTEGER PRIMARY KEY, batch INTEGER, outcome TEXT, delivery TEXT, kept INTEGER,
    first INTEGER, last INTEGER, rows INTEGER, attempts INTEGER, status INTEGER, request_id TEXT,
    problem TEXT, indices BLOB, submitted BLOB, phones BLOB, members BLOB
)""",
}
# chunk: rows as they were read, in the order of the source.
# batch: rows that share a request; held: how far those came that have no fate yet.
# entry: rows and their fate; their phones are those of the batch, if it has one.
# indices: null where there are no gaps between first and last.
