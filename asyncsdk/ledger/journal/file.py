"""A journal that is open for writing: its lock, its connection, its log.

All of it is for one thread, the one that writes. After a transaction that failed nothing is written
any more.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import contextmanager, suppress
from threading import Lock as Mutex
from time import perf_counter
from typing import TYPE_CHECKING, Literal, TypeVar

from attrs import define, field

from asyncsdk.errors import JournalError
from asyncsdk.files import PRIVATE
from asyncsdk.ledger.journal.database import (
    PAGE,
    check_beside,
    damage_detected,
    open_to_write,
    translated_errors,
    upgrade,
)
from asyncsdk.ledger.journal.forks import abandon, hold_writers
from asyncsdk.ledger.journal.lock import Lock
from asyncsdk.ledger.journal.log import (
    Log,
    closed_without_merging,
    forget_log,
    is_noted,
    log_of,
    mark_of,
)
from asyncsdk.ledger.journal.soundness import UnsoundError, check, check_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Write = Callable[[sqlite3.Connection], object]
    """Statements of a transaction that is under way."""

__all__ = ["JournalFile"]

T = TypeVar("T")


@define(eq=False)
class JournalFile:
    """The only one that writes to a journal, from opening it to closing it."""

    path: Path
    durable: Literal["crash", "power"]
    """What a commit survives."""
    mode: int = PRIVATE
    """Who may read and write it."""
    shared: bool = False
    """Whether it is on a disk of several hosts, and has no log."""
    mutex: Mutex = field(factory=Mutex, init=False)
    """Locked while the thread is at it: a fork waits for that."""
    failure: JournalError | None = field(default=None, init=False)
    """Why nothing can be written any more."""
    _lock: Lock = field(init=False)
    _log: Log = field(init=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False)
    _places: dict[Path, tuple[int, int]] = field(factory=dict, init=False)
    """Which files it was opened with."""
    _left: weakref.finalize[..., JournalFile] | None = field(default=None, init=False)
    """Closes the connection if nobody else does: the event loop of its owner is gone."""

    def __attrs_post_init__(self) -> None:
        self._lock, self._log = Lock(self.path), Log(self.path)
        hold_writers(self)

    def open(self, begin: Callable[[sqlite3.Connection], T]) -> T:
        """Lock the file and open it. Returns what `begin` makes of it.

        Raises:
            JournalError: It is in use, in doubt, no journal, or cannot be written.
        """
        with self.mutex:
            self._lock.acquire()
            with damage_detected(self.path):
                check_beside(self.path)
                mark = mark_of(self.path)
                if mark is not None:
                    mark.check(self.path)
            connection = self._connection = open_to_write(
                self.path, self.durable, self.mode, shared=self.shared
            )
            self._left = weakref.finalize(self, closed_without_merging, self.path, connection)
            with translated_errors(self.path):
                if mark is not None:
                    mark.check_reached(self.path, connection)
                check(connection)
                found = begin(connection)
                upgrade(connection)
                if self.shared:
                    forget_log(connection)
                else:
                    self._log.begin(connection)
                places = [self.path] if self.shared else [self.path, log_of(self.path)]
                self._places = {place: _identity(place) for place in places}
            return found

    def write(self, writes: Sequence[Write]) -> float:
        """One transaction. Returns how many seconds it took.

        Raises:
            JournalError: It failed, or nobody else would find what was written.
        """
        began = perf_counter()
        with self.mutex, self._last_if_it_fails():
            self._transact(writes)
            self._check_beside()
            if not self.shared:
                self._log.keep_short(self._open_connection(), PAGE)
        return perf_counter() - began

    def close(self, writes: Sequence[Write]) -> None:
        """Write what is left, and let go; `failure` says if that could not be."""
        with self.mutex:
            try:
                if self.failure is None:
                    with suppress(JournalError), self._last_if_it_fails():
                        self._transact([*writes, self._log.end])
            finally:
                self._let_go()

    def release(self) -> None:
        """Let go of a file that nothing is to be written to, however far it was opened."""
        with self.mutex:
            self._let_go()

    def forsake(self) -> None:
        """In a forked child: leave everything to the parent."""
        self.mutex = Mutex()
        self._lock.forsake()
        if self._left is not None:
            self._left.detach()
        abandon(self._connection)
        self._connection = None
        msg = (
            f"the journal {self.path} belongs to the process that this one was forked from: "
            "upload in that one, or begin the upload after the fork"
        )
        self.failure = JournalError(msg)

    def _open_connection(self) -> sqlite3.Connection:
        assert self._connection is not None  # open() made it
        return self._connection

    def _transact(self, writes: Sequence[Write]) -> None:
        connection = self._open_connection()
        try:
            connection.execute("BEGIN")
            for write in writes:
                write(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def _check_beside(self) -> None:
        """Make certain that who opens the journal finds what was written just now.

        Raises:
            JournalError: It was removed or replaced, or another may write to it.
        """
        moved = [path for path, known in self._places.items() if _identity(path) != known]
        if moved or not self._lock.held():
            what = moved[0].name if moved else f"{self.path.name}-lock"
            msg = (
                f"the journal {self.path} can no longer be relied on: {what} was moved, removed or "
                "replaced while an upload was writing there, and nothing more is sent. Put back "
                f"{self.path.name} and {self.path.name}-wal as they were, and resume it"
            )
            raise JournalError(msg)

    @contextmanager
    def _last_if_it_fails(self) -> Iterator[None]:
        """After an error nothing is written any more."""
        try:
            with translated_errors(self.path):
                yield
        except JournalError as error:
            self.failure = error
            raise
        except BaseException as error:
            msg = f"the journal {self.path} can no longer be written"
            self.failure = JournalError(msg)
            raise self.failure from error

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._left is not None:
            self._left.detach()
            if _needs_log(connection):
                closed_without_merging(self.path, connection)
            else:
                self._log.merge(connection)
                connection.close()
        self._lock.release()


def _needs_log(connection: sqlite3.Connection) -> bool:
    try:
        check_tables(connection)
        return is_noted(connection)
    except (UnsoundError, sqlite3.Error):
        return True


def _identity(path: Path) -> tuple[int, int]:
    """What tells a file from another one that has come to its place."""
    try:
        found = os.stat(path)  # noqa: PTH116 - done for every transaction, and faster than Path.stat
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
