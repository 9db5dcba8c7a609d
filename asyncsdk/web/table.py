"""The table of jobs: whose each is, and how far. One SQLite file for all workers of a host.

Every change begins with `BEGIN IMMEDIATE`: of deferred transactions that read and then write, half
fail under contention. A job is one JSON value; beside it stand the columns that are looked for.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from attrs import define, evolve, field

from asyncsdk.errors import JournalError
from asyncsdk.files import PRIVATE, make
from asyncsdk.web.errors import NoSuchJobError
from asyncsdk.web.job import ACTIVE, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["JobTable"]

_VERSION = 1
_PATIENCE = 30.0
"""Seconds to wait for the transactions of other workers."""
_TABLE = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
    ended REAL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_of_owner ON job (owner, created);
CREATE INDEX IF NOT EXISTS job_in_state ON job (state);
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Job).decode
_NO_JOB = "there is no such job: it may have been deleted"


@define(eq=False)
class JobTable:
    """All jobs. It is used by one thread at a time.

    Args:
        path: The file, which is made if it is not there.
    """

    path: Path
    _open: sqlite3.Connection | None = field(default=None, init=False)

    def add(self, job: Job) -> None:
        """Enter a new job."""
        with self._writing() as file:
            values = (job.id, job.owner, job.state, job.created, _encode(job))
            file.execute(
                "INSERT INTO job (id, owner, state, created, body) VALUES (?, ?, ?, ?, ?)", values
            )

    def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            NoSuchJobError: There is none.
        """
        return self._one(self._file(), job_id)

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Put what this makes of a job in its place. Returns it as it is now.

        Args:
            job_id: The job.
            change: Gives the same job where nothing is to be changed; may raise.

        Raises:
            NoSuchJobError: There is none.
        """
        with self._writing() as file:
            old = self._one(file, job_id)
            new = change(old)
            if new is old:
                return old
            new = evolve(new, version=old.version + 1)
            file.execute(
                "UPDATE job SET state = ?, ended = ?, body = ? WHERE id = ?",
                (new.state, new.ended, _encode(new), job_id),
            )
        return new

    def of_owner(self, owner: str, limit: int, before: float | None) -> list[Job]:
        """The jobs of one owner, the newest first.

        Args:
            owner: Whose.
            limit: How many at most.
            before: Only older ones than this (unix seconds).
        """
        return self._many(
            "SELECT body FROM job WHERE owner = ? AND created < ? ORDER BY created DESC LIMIT ?",
            (owner, 1e18 if before is None else before, limit),
        )

    def active(self) -> list[Job]:
        """The jobs for which a worker is to do something, the oldest first."""
        marks = ", ".join("?" * len(ACTIVE))
        query = f"SELECT body FROM job WHERE state IN ({marks}) ORDER BY created"  # noqa: S608
        return self._many(query, sorted(ACTIVE))

    def at_rest_since(self, moment: float) -> list[Job]:
        """The jobs that have neither come nor ended after this moment, and are not active."""
        found = self._many(
            "SELECT body FROM job WHERE created < ? AND coalesce(ended, 0) < ?", (moment, moment)
        )
        return [job for job in found if not job.active]

    def ids(self) -> set[str]:
        """The ids of all jobs."""
        return {name for (name,) in self._file().execute("SELECT id FROM job")}

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        with self._writing() as file:
            file.execute("DELETE FROM job WHERE id = ?", (job_id,))

    def close(self) -> None:
        """Let go of the file until it is used again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _one(self, file: sqlite3.Connection, job_id: str) -> Job:
        found = file.execute("SELECT body FROM job WHERE id = ?", (job_id,)).fetchone()
        if found is None:
            raise NoSuchJobError(_NO_JOB)
        return _decode(found[0])

    def _many(self, query: str, values: Iterable[object]) -> list[Job]:
        return [_decode(body) for (body,) in self._file().execute(query, tuple(values))]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        file = self._file()
        file.execute("BEGIN IMMEDIATE")
        try:
            yield file
        except BaseException:
            file.execute("ROLLBACK")
            raise
        file.execute("COMMIT")

    def _file(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = self._opened()
        return self._open

    def _check_version(self, file: sqlite3.Connection) -> None:
        (version,) = file.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            msg = (
                f"{self.path} was written by a newer version of asyncsdk (its format is {version}, "
                f"this version knows {_VERSION}): install that version"
            )
            raise JournalError(msg)

    def _opened(self) -> sqlite3.Connection:
        make(self.path, PRIVATE)
        file = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=NORMAL")
            self._check_version(file)
            file.executescript(f"BEGIN IMMEDIATE; {_TABLE} PRAGMA user_version={_VERSION}; COMMIT;")
        except BaseException:
            file.close()
            raise
        return file
