"""What takes a whole list to be read, a check or a file, each in a process of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import Factory, define, evolve

from asyncsdk.files import replacing
from asyncsdk.web.apart import run_apart
from asyncsdk.web.job import Check, Job, JobProgress, JobState
from asyncsdk.web.reading import Inspection, inspect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.config import Rate
    from asyncsdk.web.async_table import AsyncJobTable
    from asyncsdk.web.making import FileKind
    from asyncsdk.web.receiving import Limits
    from asyncsdk.web.results import ResultPage
    from asyncsdk.web.storage import JobFolder, Storage

__all__ = ["Offloader"]

_encode = msgspec.json.Encoder(order="deterministic").encode
_OFTEN = 0.5
"""Seconds between two times that the table hears how far a check is."""
_AT_ONCE = 2
"""Processes that read lists at once."""
_OF_BATCHES = frozenset({"batch_size", "max_batch_bytes"})
"""Settings of an upload that say how many requests it takes."""


@define(eq=False)
class Offloader:
    """Has lists read by processes of their own, a few at once.

    Args:
        table: The table of jobs.
        storage: Their files.
        limits: How much a list may be.
        rate: That of the account.
        settings: Options of each upload that no job chooses.
    """

    table: AsyncJobTable
    storage: Storage
    limits: Limits
    rate: Rate | None
    settings: dict[str, Any]
    slots: asyncio.Semaphore = Factory(lambda: asyncio.Semaphore(_AT_ONCE))
    """Whoever reads a list takes one."""
    _making: dict[Path, asyncio.Task[None]] = Factory(dict)

    async def inspect(self, job: Job) -> Inspection:
        """What a job's list has; who asks once more with the same choices need not wait."""
        async with self.slots:
            return await asyncio.to_thread(self._inspected, job)

    async def check(self, job: Job) -> None:
        """Check a job, and enter what was found.

        Raises:
            FileRefusedError: It cannot be checked.
        """
        given = self._given(job) | {
            "limits": msgspec.to_builtins(self.limits),
            "rate": msgspec.to_builtins(self.rate),
            "settings": {name: v for name, v in self.settings.items() if name in _OF_BATCHES},
        }
        async with self.slots:
            found = await self._checked(job, given)
        if found is None:
            return
        result = msgspec.convert(found, Check)

        def checked(now: Job) -> Job:
            if not _is_wanted(now, job):
                return now
            return evolve(now, state=JobState.CHECKED, check=result, progress=None, tries=0)

        await self.table.change(job.id, checked)

    async def file(self, job: Job, kind: FileKind) -> Path:
        """A file of a job, made if it is not there.

        It is made to its end, also where whoever asked goes away: they come back for it.

        Raises:
            FileRefusedError: It cannot be made.
        """
        folder = self.storage.folder(job.id)
        target = folder.made / f"{job.ended or 0:.6f}-{kind}"
        if target not in self._making:
            task = asyncio.create_task(self._make(job, folder, kind, target))
            self._making[target] = task
            task.add_done_callback(lambda _: self._making.pop(target, None))
        await asyncio.shield(self._making[target])
        return target

    async def located(self, job: Job, page: ResultPage) -> ResultPage:
        """Some rows of a job with the lines on which they stand.

        Raises:
            FileRefusedError: The list cannot be read any more.
        """
        given = self._given(job) | {
            "max_bytes": self.limits.unpacked_bytes,
            "indices": [row.index for row in page.rows],
        }
        async with self.slots:
            found = await run_apart("lines", given, lambda _: None)
        return page.located(msgspec.convert(found, list[tuple[int, str]]))

    async def close(self) -> None:
        """End what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _checked(self, job: Job, given: dict[str, Any]) -> Any:
        """What a check finds; None as soon as nobody wants to know with these choices any more."""
        rows: deque[int] = deque([0], maxlen=1)
        checking = asyncio.create_task(run_apart("check", given, rows.append))
        try:
            while not checking.done():
                await asyncio.wait([checking], timeout=_OFTEN)
                now = await self.table.change(job.id, _posted(rows[-1]))
                if not _is_wanted(now, job):
                    return None
            return checking.result()
        finally:
            checking.cancel()
            await asyncio.wait([checking])

    def _inspected(self, job: Job) -> Inspection:
        folder = self.storage.folder(job.id)
        kept = folder.made / f"look-{sha256(_encode(job.choices)).hexdigest()[:16]}.json"
        with suppress(FileNotFoundError, msgspec.DecodeError):  # or of another version
            return msgspec.json.decode(kept.read_bytes(), type=Inspection)
        found = inspect(folder.list, job.name, job.choices, self.limits.unpacked_bytes)
        if not found.problem:  # that may pass
            folder.made.mkdir(mode=0o700, exist_ok=True)
            with replacing(kept) as file:
                file.write(_encode(found).decode())
        return found

    async def _make(self, job: Job, folder: JobFolder, kind: FileKind, target: Path) -> None:
        if await asyncio.to_thread(target.exists):
            return
        await asyncio.to_thread(folder.made.mkdir, mode=0o700, exist_ok=True)
        given = self._given(job) | {
            "kind": kind,
            "target": str(target),
            "journal": str(folder.journal),
            "max_bytes": self.limits.unpacked_bytes,
            "group": job.group_name,
        }
        async with self.slots:
            await run_apart("make", given, lambda _: None)

    def _given(self, job: Job) -> dict[str, Any]:
        """What a process that reads a job's list is given."""
        path = self.storage.folder(job.id).list
        choices = msgspec.to_builtins(job.choices)
        return {"path": str(path), "name": job.name, "choices": choices}


def _is_wanted(now: Job, job: Job) -> bool:
    """Whether a check that was begun is: nobody has stopped it, or chosen otherwise."""
    return now.state is JobState.CHECKING and now.choices == job.choices


def _posted(rows: int) -> Callable[[Job], Job]:
    """Enters how many rows were checked."""

    def post(job: Job) -> Job:
        before = job.progress.read if job.progress else 0
        if job.state is not JobState.CHECKING or rows == before:
            return job
        return evolve(job, progress=JobProgress(read=rows, phase="checking"))

    return post
