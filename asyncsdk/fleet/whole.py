"""All partitions of an upload: run by one process, and how far they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from asyncsdk.errors import FencedError
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.fleet.running import connected, run
from asyncsdk.progress import Phase, Progress
from asyncsdk.report import UploadReport
from asyncsdk.validators import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from asyncsdk.client import Client
    from asyncsdk.fleet.manifest import Manifest

__all__ = ["progress", "run_all"]

_SUMS = (
    *("read", "created", "invalid", "failed", "skipped", "in_flight", "requests", "retries"),
    *("unknown", "would_be_sent", "concurrency"),
)


def progress(state: Manifest | str | PathLike[str]) -> Progress:
    """How far an upload in partitions is, from anywhere that can read its folder.

    It says nothing of what is in flight; `elapsed` is the sum of what all processes took.

    Raises:
        ConfigurationError: There is no such folder.
        JournalError: What is there of a partition cannot be read.
    """
    plan = manifest_at(state)
    report = UploadReport.open_all(plan.state)
    return evolve(
        _progress_of(report),
        total=plan.rows,
        throttled=report.throttled,
        elapsed=report.elapsed,
        phase=Phase.ENDED if report.complete else Phase.UPLOADING,
    )


async def run_all(
    manifest: Manifest | str | PathLike[str],
    *,
    at_once: int = 4,
    client: Client | None = None,
    pace: Any = None,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> UploadReport:
    """Run every partition that is not complete, by one process and one client.

    Others may run some of them meanwhile: without a shared pace those are waited for, with one they
    are taken over. One that another process takes over is left to that.

    Args:
        manifest: What `plan` gave, or the folder that it is in.
        at_once: Partitions that are uploaded at the same time at most.
        client: As for `run`, and so are the others.
        pace: The pace that is shared.
        stop: Once it is set nothing new begins.
        on_progress: Called with the `Progress` of all, whenever that of one changes.

    Returns:
        The report of all partitions.

    Raises:
        AsyncSDKError: What ended the first run that could not go on; the others have come to rest.
    """
    whole_number("at_once", at_once)
    plan = await asyncio.to_thread(manifest_at, manifest)
    together = _Together(plan, asyncio.Event() if stop is None else stop, on_progress)
    async with connected(client, pace) as sends:
        indices = iter(range(len(plan.partitions)))
        workers = [asyncio.create_task(together.work(indices, sends)) for _ in range(at_once)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    if together.failure is not None:
        raise together.failure
    return await asyncio.to_thread(UploadReport.open_all, plan.state)


@define(eq=False)
class _Together:
    """Runs that end together."""

    plan: Manifest
    stop: asyncio.Event
    on_progress: Callable[[Progress], object] | None
    failure: Exception | None = field(default=None, init=False)
    """What ended the first that could not go on."""
    _running: dict[int, Progress] = field(factory=dict, init=False)
    _ended: Progress = field(factory=Progress, init=False)
    _began: float = field(factory=lambda: asyncio.get_running_loop().time(), init=False)

    async def work(self, indices: Iterator[int], client: Client) -> None:
        """Run one partition after the other."""
        for index in indices:
            if self.stop.is_set():
                return
            try:
                report = await run(
                    self.plan,
                    index,
                    client=client,
                    stop=self.stop,
                    on_progress=lambda found, index=index: self._show(index, found),  # type: ignore[misc]
                )
            except FencedError:  # another has it
                self._running.pop(index, None)
            except Exception as error:
                self.failure = self.failure or error
                self.stop.set()
            else:
                self._end(index, report)

    def _end(self, index: int, report: UploadReport) -> None:
        self._running.pop(index, None)
        self._ended = _sum([self._ended, _progress_of(report)], Progress())
        self._tell()

    def _show(self, index: int, found: Progress) -> None:
        self._running[index] = found
        self._tell(found)

    def _tell(self, latest: Progress | None = None) -> None:
        if self.on_progress is not None:
            elapsed = asyncio.get_running_loop().time() - self._began
            about = Progress() if latest is None else latest
            whole = _sum([self._ended, *self._running.values()], about)
            self.on_progress(evolve(whole, total=self.plan.rows, elapsed=elapsed))


def _progress_of(report: UploadReport) -> Progress:
    """What a report counts."""
    return Progress(
        read=report.submitted,
        created=report.created_count,
        invalid=report.invalid_count,
        failed=report.failed_count,
        skipped=report.skipped_count,
        requests=report.requests,
        retries=report.retries,
        unknown=report.unknown_count,
    )


def _sum(parts: list[Progress], about: Progress) -> Progress:
    """The progress of all; what cannot be added is that of one."""
    return evolve(about, **{name: sum(getattr(one, name) for one in parts) for name in _SUMS})
