"""What happens to a cluster while it is busy."""

from __future__ import annotations

import signal
import threading
import time
from random import Random
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.integrations.dask_cluster import DaskCluster

__all__ = ["Chaos"]


class Chaos:
    """Kills workers of a cluster, one every few seconds, while something is done in its block.

    Args:
        cluster: The cluster.
        workers: How many it has.
        progress: How much is done. Nothing happens before it began, nor twice without some of it:
            on a slow machine workers would die before they had begun.
        seed: Which ones, and when.
        every: Seconds between two kills, about.
        stopped: Seconds for which one worker stands still; 0: none does.
        scheduler: Whether the scheduler is killed once and started again.
        most: Workers that are killed at most.
    """

    def __init__(
        self,
        cluster: DaskCluster,
        workers: int,
        progress: Callable[[], int],
        *,
        seed: int,
        every: float,
        stopped: float,
        scheduler: bool,
        most: int,
    ) -> None:
        self._cluster = cluster
        self._workers = workers
        self._progress = progress
        self._random = Random(seed)
        self._every = every
        self._stopped = stopped
        self._scheduler = scheduler
        self._most = most
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._holding = threading.Thread(target=self._hold, daemon=True)
        self.did: list[str] = []
        """What it did."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._holding.ident is not None:
            self._holding.join()

    def _run(self) -> None:
        number = 0
        while self._goes_on():
            number += 1
            if number == 2 and self._stopped:
                self._holding.start()
            elif number == 3 and self._scheduler:
                self._restart()
            elif self.did.count("killed") < self._most:
                self._cluster.kill_worker(self._random.randrange(self._workers))
                self.did.append("killed")
            self._over.wait(self._random.uniform(0.5, 1.5) * self._every)

    def _goes_on(self) -> bool:
        """Whether the next may happen, once something was done since the last."""
        before = self._progress()
        while self._progress() == before:
            if self._over.wait(0.02):
                return False
        return not self._over.is_set()

    def _hold(self) -> None:
        worker = self._cluster.hold_worker(self._random.randrange(self._workers))
        self._over.wait(self._stopped)
        worker.send_signal(signal.SIGCONT)
        self.did.append("stopped")

    def _restart(self) -> None:
        self._cluster.kill_scheduler()
        time.sleep(self._random.uniform(0, 2))
        self._cluster.start_scheduler()
        self.did.append("restarted")
