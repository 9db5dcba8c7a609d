"""The runs of an upload, as its journal has them: whose it is, and what each took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from attrs import define, field

from asyncsdk.errors import JournalError
from asyncsdk.ledger.held import State
from asyncsdk.ledger.journal.statements import (
    begin_anew,
    end_run,
    insert_run,
    set_meta,
    take_up_failed,
    update_run,
)
from asyncsdk.ledger.run import Run
from asyncsdk.results import Delivery

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from asyncsdk.ledger.journal.file import Write

__all__ = ["ThisRun", "begin_run"]

_OFTEN = 0.1
"""Seconds between two updates of what a run took."""


def begin_run(
    file: sqlite3.Connection, *, path: Path, group: int, notes: Mapping[str, object] | None
) -> int:
    """Note a new run of the upload into this group. Returns its number.

    Raises:
        JournalError: The journal is of an upload into another group, and something of it left.
    """
    file.execute("BEGIN IMMEDIATE")
    try:
        _bind(file, path, group)
        take_up_failed(file)
        if notes is not None:
            # Not by msgspec: names of files may hold bytes that are no text, as lone surrogates.
            set_meta(file, "notes", json.dumps(msgspec.to_builtins(notes)))
        number = insert_run(file)
    except BaseException:
        file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")
    return number


def _bind(file: sqlite3.Connection, path: Path, group: int) -> None:
    """Make it the journal of this group, unless a request that left has bound it to another."""
    known = file.execute("SELECT value FROM meta WHERE key = 'group'").fetchone()
    if known is not None and known[0] != group:
        if _has_left(file):
            msg = (
                f"the journal {path} records an upload into group {known[0]}, "
                f"not {group}: give another journal, or that group"
            )
            raise JournalError(msg)
        # Also what was read is read again: which column is which can depend on the group.
        begin_anew(file)
    if known is None or known[0] != group:
        set_meta(file, "group", group)


def _has_left(file: sqlite3.Connection) -> bool:
    """Whether any row may be in the group, or was answered for itself."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM entry WHERE delivery != ?) "
        "OR EXISTS (SELECT 1 FROM held WHERE state != ? OR doubtful OR delivery = ?)"
    )
    values = (Delivery.NOT_SENT.value, State.WAITING.value, Delivery.UNKNOWN.value)
    return bool(file.execute(query, values).fetchone()[0])


@define(eq=False)
class ThisRun:
    """What the run that is under way took, noted now and then."""

    number: int = 0
    before: Run = field(factory=Run)
    """What earlier runs took."""
    totals: Callable[[], Run] = Run
    """Gives what all took until now."""
    _due: float = field(default=0.0, init=False)

    def writes(self, now: float) -> Iterator[Write]:
        """What is to be written of it at this time, if it is time."""
        if self.number and now >= self._due:
            self._due = now + _OFTEN
            run = self.totals()
            yield lambda file: update_run(file, key=self.number, run=run, before=self.before)

    def end(self, file: sqlite3.Connection, *, run: Run) -> None:
        """Write what it took in the end, and how it ended."""
        update_run(file, key=self.number, run=run, before=self.before)
        end_run(file, key=self.number, run=run)
