"""The table of jobs for whoever must not wait for a disk: each call runs in a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from asyncsdk.completion import completed
from asyncsdk.web.table import JobTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.web.job import Job

__all__ = ["AsyncJobTable"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncJobTable:
    """The table of jobs; its methods are those of `JobTable`, to be awaited."""

    def __init__(self, path: Path) -> None:
        self._table = JobTable(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="asyncsdk-jobs")

    async def add(self, job: Job) -> None:
        """See `JobTable.add`."""
        await self._do(self._table.add, job)

    async def get(self, job_id: str) -> Job:
        """See `JobTable.get`."""
        return await self._do(self._table.get, job_id)

    async def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """See `JobTable.change`; the function runs in the thread."""
        return await self._do(self._table.change, job_id, change)

    async def of_owner(self, owner: str, limit: int, before: float | None) -> list[Job]:
        """See `JobTable.of_owner`."""
        return await self._do(self._table.of_owner, owner, limit, before)

    async def active(self) -> list[Job]:
        """See `JobTable.active`."""
        return await self._do(self._table.active)

    async def at_rest_since(self, moment: float) -> list[Job]:
        """See `JobTable.at_rest_since`."""
        return await self._do(self._table.at_rest_since, moment)

    async def ids(self) -> set[str]:
        """See `JobTable.ids`."""
        return await self._do(self._table.ids)

    async def remove(self, job_id: str) -> None:
        """See `JobTable.remove`."""
        await self._do(self._table.remove, job_id)

    async def close(self) -> None:
        """Let go of the file."""
        await self._do(self._table.close)
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Its result; what was begun is on record when this ends, also where it is cancelled."""
        loop = asyncio.get_running_loop()
        return await completed(loop.run_in_executor(self._thread, partial(work, *args, **kwargs)))
