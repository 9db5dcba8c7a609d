"""Real processes that run partitions, for whoever kills, stops and continues them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from attrs import frozen

if TYPE_CHECKING:
    from asyncsdk.sandbox.thread import SandboxThread

__all__ = ["Crew", "Hand"]

ROOT = Path(__file__).parents[2]


@frozen
class Hand:
    """One process."""

    pid: int
    told: Path

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Have it stand still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue it."""
        self._signal(signal.SIGCONT)

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def wait(self) -> str:
        """What it says in the end; nothing where it was killed."""
        while not self.ended:
            time.sleep(0.005)
        return self.told.read_text() if self.told.exists() else ""

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Crew:
    """Starts processes that run partitions of one state.

    Args:
        sandbox: What they upload to.
        state: The folder.
        redis: Where the pace is that they share; None: they share none.
        timeout: Seconds of a request.
    """

    def __init__(
        self, sandbox: SandboxThread, state: Path, redis: str | None = None, timeout: float = 60.0
    ) -> None:
        self._job: dict[str, Any] = {
            "client_id": sandbox.client_id,
            "api_key": sandbox.api_key,
            "url": sandbox.url,
            "state": str(state),
            "redis": redis,
            "timeout": timeout,
        }
        self._told = state.with_name("told")
        self._told.mkdir(exist_ok=True)
        self._hands: list[Hand] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for hand in self._hands:
            hand.kill()
        self._process.communicate()

    def start(self, index: int) -> Hand:
        """Have a process run a partition."""
        told = self._told / str(len(self._hands))
        job = {**self._job, "index": index, "told": str(told)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        hand = Hand(int(self._process.stdout.readline()), told)
        self._hands.append(hand)
        return hand
