"""The journal of an earlier run, as the beginning of that of a later one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from asyncsdk.files import placing
from asyncsdk.ledger.journal.database import (
    EmptyJournalError,
    damage_detected,
    open_to_read,
    translated_errors,
)
from asyncsdk.ledger.journal.log import forget_log
from asyncsdk.ledger.journal.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["continued", "is_sending"]


def continued(before: Path, journal: Path) -> None:
    """Make a journal of what another one holds at this moment, whoever has that one.

    It is whole, or not there. What the other one notes later is not in it.

    Args:
        before: The other one; it may be in use, by a process that is stopped, too.
        journal: The new one; what is there is replaced.

    Raises:
        JournalError: The other one cannot be read, or this one cannot be written.
    """
    with translated_errors(journal), placing(journal) as place:
        with (
            damage_detected(before),
            closing(open_to_read(before)) as found,
            closing(_alone(place)) as copy,
        ):
            found.backup(copy)
        with place.open("rb+") as file:
            file.seek(_VERSIONS)
            file.write(b"\x01\x01")
        with closing(_alone(place)) as copy:
            forget_log(copy)
        with place.open("rb+") as file:
            os.fsync(file.fileno())


_VERSIONS = 18
"""Where the header of a file says (https://www.sqlite.org/fileformat2.html) that it has a log: a
copy has none. Asked to, SQLite would make one to say so."""


def _alone(place: Path) -> sqlite3.Connection:
    """A connection to a file that is not in its place yet, and has no other file beside it."""
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("PRAGMA journal_mode=MEMORY")
    return connection


def is_sending(journal: Path) -> bool:
    """Whether requests may be under way, as a journal says at this moment.

    Raises:
        JournalError: It cannot be read.
    """
    reader = Reader(journal)
    try:
        return reader.sending()
    except EmptyJournalError:
        return False
    finally:
        reader.close()
