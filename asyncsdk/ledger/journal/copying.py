"""The journal of an earlier run, as the beginning of that of a later one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from asyncsdk.errors import JournalError
from asyncsdk.files import placing, working_folder
from asyncsdk.ledger.journal.database import (
    EmptyJournalError,
    damage_detected,
    open_to_read,
    translated_errors,
)
from asyncsdk.ledger.journal.log import forget_log
from asyncsdk.ledger.journal.reader import Reader

__all__ = ["continued", "is_busy", "is_sending"]


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
        try:
            _back_up(before, place)
        except JournalError as error:
            if not is_busy(error):
                raise
            with working_folder(place) as folder:
                _back_up(_standing(before, Path(folder), error), place)
        with place.open("rb+") as file:
            file.seek(_VERSIONS)
            file.write(b"\x01\x01")
        with closing(_alone(place)) as copy:
            forget_log(copy)
        with place.open("rb+") as file:
            os.fsync(file.fileno())


def is_busy(error: JournalError) -> bool:
    """Whether a journal could not be read because somebody has it locked, who may be stopped."""
    return getattr(error.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _back_up(before: Path, place: Path) -> None:
    with (
        damage_detected(before),
        closing(open_to_read(before)) as found,
        closing(_alone(place)) as copy,
    ):
        found.backup(copy)


def _standing(before: Path, folder: Path, why: JournalError) -> Path:
    """A copy of a journal that a process has locked which stands still, amid what it wrote.

    SQLite makes of it what it makes of one whose process has died: what was not committed is
    undone by what stands beside it.

    Raises:
        JournalError: It does not stand still.
    """
    places = [before, *(before.with_name(before.name + end) for end in ("-journal", "-wal"))]
    known = [_moment(place) for place in places]
    for place in places:
        with suppress(FileNotFoundError):
            shutil.copyfile(place, folder / place.name)
    if [_moment(place) for place in places] != known:
        raise why
    return folder / before.name


def _moment(place: Path) -> tuple[int, int] | None:
    try:
        found = place.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


_VERSIONS = 18
"""Where the header of a file says (https://www.sqlite.org/fileformat2.html) that it has a log: a
copy has none. Asked to, SQLite would make one to say so."""


def _alone(place: Path) -> sqlite3.Connection:
    """A connection to a file that is not in its place yet, and has no other file beside it."""
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("PRAGMA journal_mode=MEMORY")
    return connection


def is_sending(journal: Path) -> bool:
    """Whether requests may be under way, as a journal says at this moment, or does not say.

    Raises:
        JournalError: It cannot be read.
    """
    reader = Reader(journal)
    try:
        return reader.sending()
    except EmptyJournalError:
        return False
    except JournalError as error:
        if is_busy(error):
            return True
        raise
    finally:
        reader.close()
