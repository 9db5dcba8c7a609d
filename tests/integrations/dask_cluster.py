"""A real Dask cluster: a scheduler and workers, each a process, which start again when they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["DaskCluster"]

_SETTINGS = {
    "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False",
    "DASK_DISTRIBUTED__COMM__RETRY__COUNT": "3",
}


class DaskCluster:
    """Listens on a free port of this host.

    Args:
        workers: How many, each with one thread.
        patience: Seconds until a worker that stands still is taken for dead.
    """

    def __init__(self, workers: int, *, patience: int = 300) -> None:
        self._count = workers
        self._environment = {
            **os.environ,
            **_SETTINGS,
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{patience}s",
        }
        self._folder = Path(tempfile.mkdtemp(prefix="dask-"))
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._over = threading.Event()
        self._tending = threading.Thread(target=self._tend, daemon=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start_scheduler()
        self._workers = [self._worker() for _ in range(self._count)]
        self._tending.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._over.set()
        self._tending.join()
        for process in [*self._workers, self._scheduler]:
            if process is not None:
                process.kill()
                process.wait()

    def start_scheduler(self) -> None:
        """Start the scheduler, on the same port each time."""
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard"]
        self._scheduler = self._start("scheduler", options)
        while True:
            assert self._scheduler.poll() is None, self.log
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def kill_scheduler(self) -> None:
        """End the scheduler at once."""
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def kill_worker(self, number: int) -> None:
        """End a worker at once; another takes its place."""
        self._workers[number].kill()

    def hold_worker(self, number: int) -> subprocess.Popen[bytes]:
        """Have a worker stand still; `SIGCONT` lets it go on."""
        self._workers[number].send_signal(signal.SIGSTOP)
        return self._workers[number]

    @property
    def log(self) -> str:
        """What all of them said."""
        return (self._folder / "log").read_text(errors="replace")

    def _worker(self) -> subprocess.Popen[bytes]:
        options = [self.address, "--no-nanny", "--no-dashboard", "--nthreads", "1"]
        options += ["--host", "127.0.0.1", "--local-directory", str(self._folder)]
        return self._start("worker", options)

    def _start(self, what: str, options: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, *options],
                env=self._environment,
                cwd=Path(__file__).parents[2],
                stdout=log,
                stderr=log,
            )

    def _tend(self) -> None:
        """Start workers again that ended, as whatever runs a cluster does."""
        while not self._over.wait(0.1):
            for number, worker in enumerate(self._workers):
                if worker.poll() is not None:
                    self._workers[number] = self._worker()
