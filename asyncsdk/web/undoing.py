"""What a job created is deleted again, with an account of its own.

The ids stand in the journal. Which of them were deleted is entered in a file beside it, before and
after each request, so that after a kill it goes on where it stopped. Deleting a phone a second time
does no harm: it is not there any more.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from asyncsdk.completion import completed
from asyncsdk.errors import (
    AccountInactiveError,
    ApiError,
    AsyncSDKError,
    AuthenticationError,
    InsufficientFundsError,
    NotFoundError,
    NotSentError,
)
from asyncsdk.files import PRIVATE, make
from asyncsdk.ledger.journal.reader import Reader
from asyncsdk.web.errors import JobError
from asyncsdk.web.job import Count, JobState, Undo
from asyncsdk.workflow.dryrun import least_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from asyncsdk.client import Client
    from asyncsdk.web.async_table import AsyncJobTable
    from asyncsdk.web.job import Job
    from asyncsdk.web.storage import Storage

__all__ = ["Undoer", "preview"]

_AT_ONCE = 8
"""Requests under way at once; the account's rate holds besides."""
_CHUNK = 64
"""Phones whose fate is entered together."""
_REASONS = 10
_PATIENCE = 900.0
"""Seconds that an outage may last."""
_PAUSE = 5.0
"""Seconds between two tries while it does."""
_ENDING = (AuthenticationError, AccountInactiveError, InsufficientFundsError, NotSentError)
"""Errors that the next phone would meet, too."""
_HOPELESS = "none of the last {count} phones could be deleted: {reason}"


class _Fate(StrEnum):
    SENDING = "sending"
    """A request may have left."""
    DELETED = "deleted"
    GONE = "gone"
    FAILED = "failed"


def preview(journal: Path) -> Undo:
    """What there is to delete; this blocks.

    Raises:
        JournalError: The journal cannot be read.
    """
    total = without = 0
    for ids in _read(journal):
        known = sum(one is not None for one in ids)
        total, without = total + known, without + len(ids) - known
    return Undo(total=total, without_id=without)


def _read(journal: Path) -> Iterator[list[int | None]]:
    reader = Reader(journal)
    try:
        yield from reader.created_ids()
    finally:
        reader.close()


@define(eq=False)
class _Account:
    """What became of each phone, on the disk."""

    path: Path

    def begin(self) -> None:
        """Make it, unless there is one; what failed before is tried again."""
        make(self.path, PRIVATE)
        with closing(self._file()) as file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS phone (id INTEGER PRIMARY KEY, fate TEXT, reason TEXT)"
            )
            file.execute("DELETE FROM phone WHERE fate = ?", (_Fate.FAILED,))

    def known(self, ids: Iterable[int]) -> dict[int, _Fate]:
        """Those of these phones of which something is known."""
        with closing(self._file()) as file:
            query = "SELECT fate FROM phone WHERE id = ?"
            found = ((one, file.execute(query, (one,)).fetchone()) for one in ids)
            return {one: _Fate(row[0]) for one, row in found if row}

    def enter(self, fates: dict[int, tuple[_Fate, str]]) -> None:
        """Enter these."""
        with closing(self._file()) as file:
            file.execute("BEGIN IMMEDIATE")
            file.executemany(
                "INSERT OR REPLACE INTO phone VALUES (?, ?, ?)",
                [(one, fate, reason) for one, (fate, reason) in fates.items()],
            )
            file.execute("COMMIT")

    def undo(self, total: int, without_id: int) -> Undo:
        """The account."""
        with closing(self._file()) as file:
            counts = dict(file.execute("SELECT fate, count(*) FROM phone GROUP BY fate"))
            reasons = file.execute(
                "SELECT reason, count(*) FROM phone WHERE fate = ? GROUP BY reason "
                "ORDER BY 2 DESC LIMIT ?",
                (_Fate.FAILED, _REASONS),
            ).fetchall()
        return Undo(
            total=total,
            deleted=counts.get(_Fate.DELETED, 0),
            gone=counts.get(_Fate.GONE, 0),
            failed=counts.get(_Fate.FAILED, 0),
            without_id=without_id,
            reasons=tuple(Count(reason, count, "failed") for reason, count in reasons),
        )

    def _file(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, timeout=30)


@frozen
class _Deleting:
    """The requests of one chunk."""

    client: Client
    begun: dict[int, _Fate]
    """What is known of its phones from before."""
    slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def fate(self, phone_id: int) -> tuple[_Fate, str]:
        """Delete a phone.

        Raises:
            AsyncSDKError: Others would meet the same.
        """
        async with self.slots:
            try:
                await self.client.phones.delete(phone_id)
            except NotFoundError:
                # Where a request may have left before the process died, that was the one.
                ours = self.begun.get(phone_id) is _Fate.SENDING
                return (_Fate.DELETED if ours else _Fate.GONE), ""
            except _ENDING:
                raise
            except AsyncSDKError as error:
                return _Fate.FAILED, _reason(error)
        return _Fate.DELETED, ""


@define(eq=False)
class Undoer:
    """Deletes what jobs created.

    Args:
        table: The table of jobs.
        storage: Their files.
        client: Deletes, at one pace with all else that it does.
        departing: Is set when the process is to end.
        now: Gives unix seconds.
    """

    table: AsyncJobTable
    storage: Storage
    client: Client
    departing: asyncio.Event
    now: Callable[[], float]

    async def undo(self, job: Job) -> None:
        """Delete, or go on with it, and enter how that ended.

        Raises:
            AsyncSDKError: It cannot go on.
        """
        folder = self.storage.folder(job.id)
        account = _Account(folder.undo)
        await asyncio.to_thread(account.begin)
        whole = await asyncio.to_thread(preview, folder.journal)
        ids = _ids(folder.journal)
        while chunk := await asyncio.to_thread(lambda: list(islice(ids, _CHUNK))):
            known = await asyncio.to_thread(account.known, chunk)
            left = [one for one in chunk if known.get(one) in {None, _Fate.SENDING}]
            if left:
                await self._delete_patiently(job.id, account, left, known)
                if not await self._goes_on(job.id, account, whole):
                    return
        await self._enter(job.id, account, whole, JobState.UNDONE)

    async def settle(self, job: Job) -> None:
        """Bring a job to rest whose worker died when it was to stop."""
        folder = self.storage.folder(job.id)
        account = _Account(folder.undo)
        if not await asyncio.to_thread(folder.undo.exists):
            await asyncio.to_thread(account.begin)
        whole = await asyncio.to_thread(preview, folder.journal)
        await self._enter(job.id, account, whole, JobState.UNDO_STOPPED)

    async def _delete_patiently(
        self, job_id: str, account: _Account, ids: list[int], known: dict[int, _Fate]
    ) -> None:
        """Delete these phones; an outage is waited for.

        Raises:
            AsyncSDKError: Others would meet the same, or the outage does not end.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        while True:
            try:
                return await self._delete(account, ids, known)
            except NotSentError:
                job = await self.table.get(job_id)
                wanted = job.state is JobState.UNDOING and not self.departing.is_set()
                if not wanted or loop.time() >= until:
                    raise
            await asyncio.sleep(_PAUSE)
            known = await asyncio.to_thread(account.known, ids)
            ids = [one for one in ids if known.get(one) in {None, _Fate.SENDING}]

    async def _delete(self, account: _Account, ids: list[int], known: dict[int, _Fate]) -> None:
        await asyncio.to_thread(account.enter, dict.fromkeys(ids, (_Fate.SENDING, "")))
        deleting = _Deleting(self.client, known)
        tasks = {one: asyncio.create_task(deleting.fate(one)) for one in ids}
        try:
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.wait(tasks.values())
            fates = {
                one: task.result()
                for one, task in tasks.items()
                if not task.cancelled() and task.exception() is None
            }
            await completed(asyncio.ensure_future(asyncio.to_thread(account.enter, fates)))
        reasons = Counter(reason for fate, reason in fates.values() if fate is _Fate.FAILED)
        if len(ids) == _CHUNK and reasons.total() == len(ids):
            ((reason, _),) = reasons.most_common(1)
            raise JobError(_HOPELESS.format(count=len(ids), reason=reason))

    async def _goes_on(self, job_id: str, account: _Account, whole: Undo) -> bool:
        """Keep the table posted; whether it wants more."""
        job = await self._enter(job_id, account, whole, None)
        return job.state is JobState.UNDOING and not self.departing.is_set()

    async def _enter(
        self, job_id: str, account: _Account, whole: Undo, state: JobState | None
    ) -> Job:
        undo = await asyncio.to_thread(account.undo, whole.total, whole.without_id)
        undo = evolve(
            undo, seconds_at_least=least_seconds(undo.total - undo.settled, self.client.rate)
        )

        def entered(job: Job) -> Job:
            job = evolve(job, undo=undo, tries=0)
            stopped = JobState.UNDO_STOPPED if job.state is JobState.UNDO_STOPPING else None
            if (end := state or stopped) is None:
                return job
            return evolve(job, state=end, reason="", ended=self.now())

        return await self.table.change(job_id, entered)


def _reason(error: AsyncSDKError) -> str:
    """Why, without what differs from phone to phone."""
    return f"HTTP {error.status}: {error.problem}" if isinstance(error, ApiError) else str(error)


def _ids(journal: Path) -> Iterator[int]:
    for ids in _read(journal):
        yield from (one for one in ids if one is not None)
