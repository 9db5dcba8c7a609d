"""The journal's file: how it is made, opened and recognised, and what its errors mean.

It is SQLite in WAL mode, so that others can read while one writes; on a disk of several hosts,
where a log cannot be relied on, in rollback mode: then a reader and a writer wait for each other.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import msgspec

from asyncsdk.errors import JournalError, ProtocolError
from asyncsdk.files import PRIVATE, check_alone, make, narrow
from asyncsdk.ledger.journal.disks import network_disk
from asyncsdk.ledger.journal.log import closed_unchanged, has_log, is_noted, log_of, lost
from asyncsdk.ledger.journal.soundness import UnsoundError, bound, check
from asyncsdk.ledger.journal.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "PAGE",
    "EmptyJournalError",
    "NoJournalError",
    "check_beside",
    "damage_detected",
    "damaged",
    "is_journal",
    "open_to_read",
    "open_to_write",
    "translated_errors",
    "upgrade",
]

_APPLICATION = 0x61736A31
"""SQLite's `application_id`, by which a journal is told from other databases."""
_VERSION = 3
_MAGIC = b"SQLite format 3\x00"
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

_PATIENCE = {False: 5.0, True: 60.0}
"""Seconds to wait for others; in rollback mode whoever reads keeps a writer waiting."""
_SYNCHRONOUS = {
    (False, "crash"): "NORMAL",
    (False, "power"): "FULL",
    (True, "crash"): "FULL",  # what is on its way to the disk another host does not see
    (True, "power"): "EXTRA",
}
_OVER_A_NETWORK = (
    "the journal {path} is on a network file system ({disk}), where the log that a journal is "
    "written with cannot be relied on: put it on a local disk, or say Journal(path, shared=True)"
)
PAGE = 8192
"""Bytes. Large, because most of a journal is values of many kilobytes."""


def is_journal(path: Path) -> bool:
    """Whether a file may be a journal, by its first bytes."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False


def open_to_write(
    path: Path,
    durable: Literal["crash", "power"],
    mode: int = PRIVATE,
    *,
    shared: bool = False,
) -> sqlite3.Connection:
    """A connection for the thread that calls this; the file has no permissions beyond `mode`.

    Args:
        path: The file.
        durable: What a commit survives.
        mode: Permissions.
        shared: Whether it is on a disk of several hosts.

    Raises:
        JournalError: It is no journal, or cannot be written.
    """
    if not shared and (disk := network_disk(path)) is not None:
        raise JournalError(_OVER_A_NETWORK.format(path=path, disk=disk))
    with translated_errors(path):
        make(path, mode)
        if not path.stat().st_mode & _WRITE:  # root could, but somebody has said not to
            msg = f"the journal {path} cannot be written: it is read-only"
            raise JournalError(msg)
        _keep_private(path, mode)
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=_PATIENCE[shared], check_same_thread=False
        )
        try:
            bound(connection)
            if not _is_new(connection):
                _recognise(connection, path)
                _check_length(connection, path)
            connection.execute(f"PRAGMA page_size={PAGE}")
            connection.execute(f"PRAGMA journal_mode={'DELETE' if shared else 'WAL'}")
            connection.execute(f"PRAGMA synchronous={_SYNCHRONOUS[shared, durable]}")
            connection.execute("PRAGMA fullfsync=1")
            connection.execute("PRAGMA wal_autocheckpoint=0")  # see `Log.keep_short`
            connection.execute("PRAGMA journal_size_limit=0")  # so that its size is what is in it
            if _is_new(connection):
                _create(connection)
        except BaseException:
            closed_unchanged(path, connection)
            raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, all or none."""
    connection.executescript(
        f"BEGIN; PRAGMA application_id={_APPLICATION}; PRAGMA user_version={_VERSION}; "
        f"{'; '.join(TABLES.values())}; COMMIT;"
    )


def upgrade(connection: sqlite3.Connection) -> None:
    """Have versions that do not know what this one writes refuse it."""
    if _pragma(connection, "user_version") < _VERSION:
        connection.execute(f"PRAGMA user_version={_VERSION}")


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time.

    Raises:
        JournalError: There is no such file, it is no journal, or not all of one.
    """
    if not path.is_file():
        msg = f"there is no journal {path}"
        raise NoJournalError(msg)
    with translated_errors(path):
        check_beside(path.resolve())
        connection = _open_whole(path) or _open_whole(path)  # an upload may begin in between
    if connection is None:
        raise lost(path)
    return connection


def _open_whole(path: Path) -> sqlite3.Connection | None:
    """A connection; None if the journal has not the log that it must have."""
    logged = has_log(path)
    uri = f"{path.absolute().as_uri()}?{_access(path)}"
    connection = sqlite3.connect(uri, uri=True, timeout=5, check_same_thread=False)
    try:
        bound(connection)
        connection.execute("PRAGMA query_only=1")
        _recognise(connection, path)
        check(connection)
        _check_length(connection, path)
        _check_begun(connection, path)
        if logged or not is_noted(connection):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _access(path: Path) -> str:
    """How to open it: who may only read merges no log when it is the last to close."""
    own = os.access in os.supports_effective_ids
    writable = all(
        os.access(place, os.W_OK, effective_ids=own) for place in (path, path.resolve().parent)
    )
    if log_of(path).exists():
        return "mode=ro"
    # What no log goes with is the whole; in a folder that cannot be written nothing can be made
    # beside it, as SQLite would for one that was not closed properly.
    return "mode=rw" if writable else "mode=ro&immutable=1"


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the system become ours, which say what to do."""
    try:
        yield
    except JournalError:
        raise
    except UnsoundError as error:
        raise damaged(path) from error
    except sqlite3.Error as error:
        msg = f"the journal {path} {_meaning(error)}"
        raise JournalError(msg) from error
    except OSError as error:
        msg = f"the journal {path} cannot be opened: {error.strerror}"
        raise JournalError(msg) from error


@contextmanager
def damage_detected(path: Path) -> Iterator[None]:
    """As `translated_errors`; besides, what cannot be decoded is damage."""
    try:
        with translated_errors(path):
            yield
    except JournalError:
        raise
    except _DAMAGE as error:
        raise damaged(path) from error


def damaged(path: Path) -> JournalError:
    """The error of a journal that does not hold what it should."""
    return JournalError(f"the journal {path} {_DAMAGED}")


_DAMAGE = (
    *(zlib.error, msgspec.DecodeError, ProtocolError, RecursionError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
"""What decoding raises where there is nothing to decode."""
_DAMAGED = "is damaged: what it holds cannot be trusted. Take a copy of it that is whole"
_MEANINGS = {
    "SQLITE_FULL": "cannot be written: the disk is full. Make room, and resume it",
    "SQLITE_NOTADB": "is no journal: give another path",
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_READONLY": "cannot be written: it is read-only",
    "SQLITE_CANTOPEN": "cannot be opened: is it, or its folder, read-only?",
    "SQLITE_INTERRUPT": _DAMAGED,
    "SQLITE_FORMAT": _DAMAGED,
    "SQLITE_ERROR": _DAMAGED,
    "SQLITE_MISMATCH": _DAMAGED,
    "SQLITE_TOOBIG": "cannot hold a value so large: use a smaller max_batch_bytes",
    "SQLITE_BUSY": "is locked by another program",
    "SQLITE_IOERR": "cannot be read or written: the disk is full or failing",
}


def _meaning(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    known = (told for key, told in _MEANINGS.items() if name.startswith(key))
    return next(known, f"cannot be used: {error}")


def _keep_private(path: Path, mode: int) -> None:
    """SQLite gives what it makes beside the file the mode of the file; what is there has its own.

    Raises:
        JournalError: Others may read it, and that cannot be changed.
    """
    for place in (path, *_beside(path)):
        try:
            narrow(place, mode)
        except PermissionError as error:
            msg = (
                f"the journal {path} cannot be used: {place.name} has more permissions than "
                f"{mode:o}, and is another user's. Have them changed, or say Journal(mode=...)"
            )
            raise JournalError(msg) from error


def check_beside(path: Path) -> None:
    """Do nothing if what SQLite puts beside a journal is plain files or not there.

    Raises:
        OSError: A link is there, which SQLite would follow.
    """
    for place in _beside(path):
        check_alone(place)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm", "journal")]


def _is_new(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and not _pragma(connection, "application_id")


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    if _is_new(connection):
        raise _empty(path)
    if _pragma(connection, "application_id") != _APPLICATION:
        msg = f"{path} is no journal of an upload: give another path"
        raise JournalError(msg)
    version = _pragma(connection, "user_version")
    if version > _VERSION:
        msg = (
            f"the journal {path} was written by a newer version of asyncsdk (its format is "
            f"{version}, this version knows {_VERSION}): install that version"
        )
        raise JournalError(msg)


def _check_begun(connection: sqlite3.Connection, path: Path) -> None:
    (runs,) = connection.execute("SELECT count(*) FROM run").fetchone()
    if not runs:
        raise _empty(path)


class NoJournalError(JournalError):
    """There is no file for a journal."""


class EmptyJournalError(JournalError):
    """There is a file for a journal, and nothing in it."""


def _empty(path: Path) -> JournalError:
    return EmptyJournalError(f"the journal {path} is empty: no upload has begun with it")


def _check_length(connection: sqlite3.Connection, path: Path) -> None:
    """A copy that was cut off lacks pages at its end."""
    pages = _pragma(connection, "page_count") * _pragma(connection, "page_size")
    if path.stat().st_size < pages and not has_log(path):
        raise damaged(path)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
