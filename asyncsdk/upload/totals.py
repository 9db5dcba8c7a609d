"""What a run took so far, on top of what earlier runs of the same upload took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.ledger.run import Counts, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.timeline import History, Timeline
    from asyncsdk.upload.ending import Ending

__all__ = ["Totals"]


_NOTHING = Run()
"""Shared by all that have no earlier runs: nobody counts on in what those took."""


@define(eq=False)
class Totals:
    """Counts what a run takes."""

    clock: Callable[[], float]
    throttled: Callable[[float], float]
    """Seconds paused in all, by the time."""
    group_id: int
    dry_run: bool
    base: Run = field(default=_NOTHING, init=False)
    """What earlier runs took, and had settled."""
    requests: int = field(default=0, init=False)
    retries: int = field(default=0, init=False)
    batches: int = field(default=0, init=False)
    bytes: int = field(default=0, init=False)
    began: float = field(init=False)
    throttled_before: float = field(init=False)
    """Seconds that the client had paused before this run."""
    ended: float | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.began = self.clock()
        self.throttled_before = self.throttled(self.began)

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or from start to end, of all runs."""
        return self.base.elapsed + self.now - self.began

    @property
    def now(self) -> float:
        """The time, which stands still after the end."""
        return self.clock() if self.ended is None else self.ended

    @property
    def paused(self) -> float:
        """Seconds paused in all runs."""
        return self.base.throttled + self.throttled(self.now) - self.throttled_before

    def resume(self, run: Run) -> None:
        """Count on from what earlier runs took."""
        self.base = run.changed(counts=run.counts.copy())

    def request(self, *, again: bool) -> None:
        """Count a request; `again` if it carries phones for a second time or more."""
        self.requests += 1
        self.retries += again

    def batch(self, size: int) -> None:
        """Count a batch of so many bytes."""
        self.batches += 1
        self.bytes += size

    def run(self, counts: Counts, ending: Ending, timeline: Timeline | None = None) -> Run:
        """The totals so far; with the course of the run, if its timeline is given."""
        base, now = self.base, self.now
        history: tuple[History, ...] = ()
        if timeline is not None:
            history = (*base.history, timeline.history(now - self.began))
        return Run(
            counts=counts.copy(),
            requests=base.requests + self.requests,
            retries=base.retries + self.retries,
            throttled=base.throttled + self.throttled(now) - self.throttled_before,
            elapsed=base.elapsed + now - self.began,
            complete=self.ended is not None and not ending.begun,
            stopped_by=ending.stopped_by,
            batches=base.batches + self.batches,
            bytes=base.bytes + self.bytes,
            history=history,
            group_id=self.group_id,
            dry_run=self.dry_run,
        )
