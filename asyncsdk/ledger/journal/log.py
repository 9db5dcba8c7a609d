"""The log beside a journal that is being written: what a crash leaves there is part of it.

SQLite finds nothing wrong with a file whose log was lost: it is the state of some moment before.
So a journal notes, while it is in use, which log it has. `NOTED` is in the main file before the
first request leaves, and is removed with the last transaction. A log begins anew once all of it is
in the main file, and its header counts how often it did: whatever the main file was brought up to,
the log is that one, or the next.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.errors import JournalError
from asyncsdk.ledger.journal.soundness import UnsoundError, bound, check_tables

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Log",
    "Mark",
    "closed_unchanged",
    "closed_without_merging",
    "forget_log",
    "has_log",
    "is_noted",
    "log_of",
    "lost",
    "mark_of",
]

_NOTED = "log"
_SALTS = slice(16, 24)
"""Where the header of a log has its count (four bytes) and a random number."""
_PAGES = 128
"""Pages in the log before they move to the file: a megabyte stays in the processor's cache."""


def log_of(journal: Path) -> Path:
    """Where the log of a journal is."""
    whole = journal.resolve()
    return whole.with_name(f"{whole.name}-wal")


def has_log(journal: Path) -> bool:
    """Whether there is a log with anything in it."""
    try:
        return log_of(journal).stat().st_size > 0
    except OSError:
        return False


def is_noted(connection: sqlite3.Connection) -> bool:
    """Whether a journal must have its log: nobody has closed it."""
    query = "SELECT 1 FROM meta WHERE key = ?"
    return connection.execute(query, (_NOTED,)).fetchone() is not None


def forget_log(connection: sqlite3.Connection) -> None:
    """Note that a journal is whole without a log."""
    connection.execute("DELETE FROM meta WHERE key = ?", (_NOTED,))


@frozen
class Mark:
    """What the main file alone says: the log that it must have, and how far it came itself."""

    salts: bytes
    entries: int

    def check(self, journal: Path) -> None:
        """Do nothing if the log that is there can be the one.

        Raises:
            JournalError: There is none, or it is another.
        """
        found = _salts(journal)
        if found is None:
            raise lost(journal)
        # The random half changes whenever the log begins anew.
        if found != self.salts and _count(found) != (_count(self.salts) + 1) % 2**32:
            raise _strange(journal)

    def check_reached(self, journal: Path, connection: sqlite3.Connection) -> None:
        """Do nothing if the log leads on from there, rather than back.

        Raises:
            JournalError: The log is older than the file.
        """
        if _entries(connection) < self.entries:
            raise _strange(journal)


def mark_of(journal: Path) -> Mark | None:
    """What the main file of a journal says, the log left aside; None if it needs no log.

    Only for who has the lock, and has not opened it yet: closing the file lets go of all locks
    that the process has on it.

    Raises:
        JournalError: There is a log, and no journal that it belongs to.
    """
    empty = not journal.exists() or journal.stat().st_size == 0
    if empty and has_log(journal):
        raise _orphan(journal)
    if empty:
        return None
    uri = f"{journal.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True)
    try:
        bound(connection)
        check_tables(connection)
        found = connection.execute("SELECT value FROM meta WHERE key = ?", (_NOTED,)).fetchone()
        return None if found is None else Mark(found[0], _entries(connection))
    # No journal, or not begun: whoever opens it in earnest will tell.
    except (UnsoundError, sqlite3.Error):
        return None
    finally:
        connection.close()


@frozen
class Log:
    """The log of a journal that this process writes."""

    journal: Path

    def begin(self, connection: sqlite3.Connection) -> None:
        """Have the main file say which log belongs to it, before anything depends on that."""
        self._note(connection)
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        if busy:
            msg = (
                f"the journal {self.journal} is being read by another program, which keeps it from "
                "being written: close that, and resume it"
            )
            raise JournalError(msg)

    def keep_short(self, connection: sqlite3.Connection, page: int) -> None:
        """Bring what is in a long log into the main file."""
        if log_of(self.journal).stat().st_size >= _PAGES * page:
            self._note(connection)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def end(self, connection: sqlite3.Connection) -> None:
        """Enter, in the last transaction, that the journal is closed."""
        forget_log(connection)

    def merge(self, connection: sqlite3.Connection) -> None:
        """Bring everything into the one file, and remove the log unless somebody has it open."""
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")

    def _note(self, connection: sqlite3.Connection) -> None:
        """Note the log as it is now; that goes into it before it can begin anew."""
        values = (_NOTED, _salts(self.journal))
        connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value "
            "WHERE value IS NOT excluded.value",
            values,
        )


def closed_without_merging(journal: Path, connection: sqlite3.Connection) -> None:
    """Close a connection and leave the log as it is, as a crash would.

    The last to close a database merges the log into it, unless it may only read; who reads the
    main file alone would then find no log, and a note that there must be one.
    """
    uri = f"{journal.absolute().as_uri()}?mode=ro"
    last = None
    try:
        with suppress(sqlite3.Error):  # it is no database, or the disk is broken
            last = sqlite3.connect(uri, uri=True)
            last.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.close()
        if last is not None:
            last.close()


def closed_unchanged(journal: Path, connection: sqlite3.Connection) -> None:
    """Close a connection that wrote nothing."""
    if has_log(journal):
        closed_without_merging(journal, connection)
    else:
        connection.close()


def lost(journal: Path) -> JournalError:
    """The error of a journal whose log is not there."""
    name = f"{journal.name}-wal"
    msg = (
        f"the journal {journal} is not whole: the upload that wrote it was interrupted, and what "
        f"it entered last is in {name}, which is not beside it. Bring that file along from where "
        "the journal was; nothing is sent without it"
    )
    return JournalError(msg)


def _strange(journal: Path) -> JournalError:
    msg = (
        f"the journal {journal} and {journal.name}-wal are not of the same moment: one of them is "
        "an older copy. Take both from the same place, while nothing writes there"
    )
    return JournalError(msg)


def _orphan(journal: Path) -> JournalError:
    msg = (
        f"the journal {journal} is gone, and {journal.name}-wal, which is a part of it, is still "
        "there: bring the journal back. To begin anew, remove that one, too"
    )
    return JournalError(msg)


def _entries(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
    return int(found)


def _salts(journal: Path) -> bytes | None:
    """What tells one log from the next; None if there is none."""
    try:
        with log_of(journal).open("rb") as file:
            header = file.read(_SALTS.stop)
    except OSError:
        return None
    return header[_SALTS] if len(header) == _SALTS.stop else None


def _count(salts: bytes) -> int:
    return int.from_bytes(salts[:4], "big")
