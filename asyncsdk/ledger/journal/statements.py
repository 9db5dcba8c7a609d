"""The SQL that writes to a journal, a function for each thing that is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk.ledger.digest import digest
from asyncsdk.ledger.held import State
from asyncsdk.ledger.journal.encoding import deflate, encode_problem, pack_indices
from asyncsdk.results import Delivery, Outcome
from asyncsdk.wire.batch import ids_alone

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.run import Run

__all__ = [
    "begin_anew",
    "end_run",
    "hold",
    "insert_batch",
    "insert_chunk",
    "insert_entry",
    "insert_run",
    "release",
    "set_meta",
    "take_up_failed",
    "update_run",
]


def set_meta(file: sqlite3.Connection, key: str, value: object) -> None:
    """Set a value of the journal itself, such as its group."""
    file.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def begin_anew(file: sqlite3.Connection) -> None:
    """Remove all that was read, and what was made of it; what the runs took stays."""
    for table in ("chunk", "batch", "held", "entry"):
        file.execute(f"DELETE FROM {table}")  # noqa: S608 - these four
    file.execute("DELETE FROM meta WHERE key IN ('exhausted', 'baseline', 'existing')")


def take_up_failed(file: sqlite3.Connection) -> None:
    """Have what failed and is certainly not in the group wait to be sent once more."""
    certain = f"FROM entry WHERE outcome = '{Outcome.FAILED}' AND delivery != '{Delivery.UNKNOWN}'"
    (last,) = file.execute("SELECT coalesce(max(id), 0) FROM batch").fetchone()
    for statement in (
        # an entry that shares its rows with no batch becomes one: those numbers are free
        (
            f"INSERT INTO batch SELECT {last} + id, first, last, rows, indices, submitted, phones "
            f"{certain} AND batch IS NULL"
        ),
        (
            f"INSERT OR REPLACE INTO held SELECT coalesce(batch, {last} + id), {State.WAITING}, "
            f"delivery, attempts, 0, status, request_id, problem {certain}"
        ),
        f"DELETE {certain}",
    ):
        file.execute(statement)


def insert_run(file: sqlite3.Connection) -> int:
    """Note that a run begins. Returns its number."""
    return file.execute("INSERT INTO run (complete) VALUES (0)").lastrowid or 0


def update_run(file: sqlite3.Connection, *, key: int, run: Run, before: Run) -> None:
    """Set what a run took so far: all that the upload took, without what earlier runs did."""
    file.execute(
        "UPDATE run SET elapsed = ?, requests = ?, retries = ?, throttled = ?, batches = ?, "
        "bytes = ? WHERE id = ?",
        (
            run.elapsed - before.elapsed,
            run.requests - before.requests,
            run.retries - before.retries,
            run.throttled - before.throttled,
            run.batches - before.batches,
            run.bytes - before.bytes,
            key,
        ),
    )


def end_run(file: sqlite3.Connection, *, key: int, run: Run) -> None:
    """Set how a run ended, and its course."""
    history = msgspec.json.encode(run.history[-1]).decode() if run.history else None
    file.execute(
        "UPDATE run SET complete = ?, stopped_by = ?, history = ? WHERE id = ?",
        (run.complete, run.stopped_by and str(run.stopped_by), history, key),
    )


def insert_chunk(file: sqlite3.Connection, *, first: int, rows: int, source: bytes) -> None:
    """Note that rows were read from the source, to know them again."""
    file.execute("INSERT INTO chunk VALUES (?, ?, ?)", (first, rows, digest(source)))


def insert_batch(
    file: sqlite3.Connection,
    *,
    key: int,
    indices: Sequence[int],
    submitted: bytes | None,
    body: bytes,
) -> None:
    """Add rows that are to share a request."""
    values = (key, indices[0], indices[-1], len(indices), pack_indices(indices))
    file.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, submitted, body))


def hold(file: sqlite3.Connection, states: Iterable[tuple[object, ...]]) -> None:
    """Set how far batches came that have no fate yet: the columns of `held`, for each."""
    file.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?)", states)


def release(file: sqlite3.Connection, *, key: int, whole: bool) -> None:
    """Remove a batch from `held`: its rows have a fate, or are in other batches.

    Args:
        file: The journal.
        key: The batch's number.
        whole: Whether no entry needs its rows any more, so that these are removed, too.
    """
    file.execute("DELETE FROM held WHERE batch = ?", (key,))
    if whole:
        file.execute("DELETE FROM batch WHERE id = ?", (key,))


def insert_entry(
    file: sqlite3.Connection,
    *,
    key: int,
    entry: Entry,
    batch: int | None,
    kept: bool,
    keep_ids: bool,
) -> None:
    """Add rows and their fate.

    Args:
        file: The journal.
        key: The entry's number.
        entry: The rows.
        batch: The number of the batch that has just these rows, if there is one.
        kept: Whether they are in the report, or only counted.
        keep_ids: Whether their ids are kept even so.
    """
    members = entry.members
    if not kept:
        members = ids_alone(members) if keep_ids and members is not None else None
    phones = submitted = indices = None
    if batch is None and (kept or keep_ids):
        indices, submitted, phones = pack_indices(entry.indices), entry.submitted, entry.phones
    if not (kept or keep_ids):
        batch = None
    file.execute(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            batch,
            entry.outcome.value,
            entry.delivery.value,
            kept,
            entry.first,
            entry.last,
            len(entry),
            entry.attempts,
            entry.status,
            entry.request_id,
            encode_problem(entry.problem),
            indices,
            submitted,
            phones,
            deflate(members),
        ),
    )
