"""The tasks of a run: what goes on side by side, and how it is ended."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, field

from asyncsdk.condition import Condition
from asyncsdk.results import StoppedBy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from collections.abc import Set as AbstractSet

    from asyncsdk.upload.ending import Ending

__all__ = ["Jobs", "end_in_time"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_GRACE = 1.0
"""Seconds that foreign code, a source or a callback, may take to end once it is told to."""

_LEFT_BEHIND: set[asyncio.Task[Any]] = set()
"""Foreign code that did not end: it is let run, and must not be collected while it does."""


@define(eq=False)
class Jobs:
    """Runs the jobs of one phase after those of another.

    Every end of a job is heard: an error ends the upload, and so does a cancellation that nobody
    here asked for.
    """

    ending: Ending
    foreign: bool = False
    """Whether they may run what is not ours, and then not end when they are told."""
    owner: asyncio.Task[object] | None = field(default=None, init=False)
    """The task that the phases run in; one that starts at once knows it before who made it."""
    _in_owner: bool = field(default=False, init=False)
    """Whether that task is busy with a job itself."""
    _cancels: int = field(default=0, init=False)
    """How often that job was cancelled here."""
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _ended: Condition = field(factory=Condition, init=False)

    async def run(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run this until it has ended; nothing once the upload ends."""
        if not self.ending.begun:
            self._tasks = set()
            self._begin(lambda _: job(), 1)
            await self._idle()

    async def run_many(
        self,
        job: Callable[[Callable[[], None]], Awaitable[None]],
        most: int,
        *,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Run a job, and others like it beside it when one asks for another.

        The first needs no task of its own: most uploads have one request. One that is foreign gets
        one all the same, to be left behind.

        Args:
            job: Takes what it calls to have another one begin.
            most: How many there are at most; who asks for more gets none.
            then: Called at the beginning.
        """
        if self.ending.begun:
            return
        self._tasks = set()
        if self.foreign:
            self._begin(job, most)
        if then is not None:
            then()
        if not self.foreign:
            await self._run_in_owner(job, most - 1)
        await self._idle()

    async def _idle(self) -> None:
        """Return when all have ended."""
        while not self.idle:
            await self._ended.wait()

    async def _run_in_owner(
        self, job: Callable[[Callable[[], None]], Awaitable[None]], others: int
    ) -> None:
        """Run a job here: a cancellation that `cancel` asked for ends it alone."""
        owner = self.owner
        assert owner is not None  # it runs this
        self._in_owner = True
        try:
            await job(partial(self._begin, job, others))
        except asyncio.CancelledError as error:
            if owner.cancelling() > self._cancels:
                raise  # it is the upload that is cancelled
            self.ending.begin(StoppedBy.ERROR, error)
        except GeneratorExit:
            raise  # the event loop is gone
        except BaseException as error:
            self.ending.begin(StoppedBy.ERROR, error)
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            for _ in range(self._cancels):
                owner.uncancel()
            self._in_owner, self._cancels = False, 0

    def _begin(self, job: Callable[[Callable[[], None]], Awaitable[None]], most: int) -> None:
        """Run a job, unless there are so many already, or the upload ends."""
        if len(self._tasks) < most and not self.ending.begun:
            another = partial(self._begin, job, most)
            task = asyncio.create_task(self._guarded(partial(job, another)))
            task.add_done_callback(self._hear)
            self._tasks.add(task)

    @property
    def idle(self) -> bool:
        """Whether all have ended."""
        return not self._in_owner and all(task.done() for task in self._tasks)

    def _hear(self, _: asyncio.Task[None]) -> None:
        """One has ended, perhaps before it began."""
        self._ended.notify_all()

    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except BaseException as error:
            self.ending.begin(StoppedBy.ERROR, error)  # nothing where we asked: then it has begun
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            self._ended.notify_all()  # in the step in which it ends, not in the one after

    def cancel(self, spared: AbstractSet[asyncio.Task[Any] | None] = frozenset()) -> None:
        """Cancel all but these."""
        owner = self.owner if self._in_owner else None
        if owner is not None and owner not in spared and owner is not asyncio.current_task():
            self._cancels += owner.cancel()  # who asks for that himself ends at his next look
        for task in self._tasks:
            if task not in spared:
                task.cancel()

    async def end(self) -> None:
        """Cancel all, and wait for their end."""
        if self._tasks:
            self.cancel()
            await end_in_time(self._tasks, "a request")


async def end_in_time(tasks: Iterable[asyncio.Task[Any] | None], whose: str) -> None:
    """Wait for tasks that were told to end; foreign code that does not is left behind.

    Args:
        tasks: The tasks.
        whose: What they are, for the warning.
    """
    running = [task for task in tasks if task is not None and not task.done()]
    if not running:
        return
    _, pending = await asyncio.wait(running, timeout=_GRACE)
    for task in pending:
        logger.warning("%s of an upload did not end within %g s: it is left behind", whose, _GRACE)
        _LEFT_BEHIND.add(task)
        task.add_done_callback(_forget)


def _forget(task: asyncio.Task[Any]) -> None:
    """Something that was left behind has ended after all."""
    _LEFT_BEHIND.discard(task)
    if not task.cancelled():
        task.exception()  # seen: its upload ended long ago
