"""A loop in which waiting costs no time: its clock leaps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["LeapingLoop", "run_leaping"]

T = TypeVar("T")

_SOON = 0.0002
"""Seconds of real time in which what is on its way over the loopback arrives."""

_TICK = 1e-6
"""Seconds that each round takes: code that waits for the clock to move on a little sees it move."""


def run_leaping(scenario: Coroutine[Any, Any, T], *, sockets: bool = True) -> T:
    """Run a scenario in a leaping loop; without sockets, there is nothing to wait for."""
    with asyncio.Runner(loop_factory=lambda: LeapingLoop(sockets=sockets)) as runner:
        return runner.run(scenario)


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop over real sockets with a clock of its own.

    Computing takes next to no time by this clock: what it measures is the same on any machine.
    """

    def __init__(self, *, sockets: bool = True) -> None:
        self._leaping = _LeapingSelector()
        self._leaping.sockets = sockets
        super().__init__(self._leaping)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Likewise; the clock does not leap over what a thread does."""
        self._leaping.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: object) -> None:
        self._leaping.threads -= 1

    def time(self) -> float:
        """Seconds by the clock that leaps."""
        return self._leaping.now


class _LeapingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    now = 1000.0
    sockets = True
    threads = 0
    """Calls that run in other threads."""

    def select(self, timeout: float | None = None) -> Any:
        self.now += _TICK
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0) or (self.sockets and super().select(_SOON))
        while not ready and self.threads:
            ready = super().select(_SOON)
        if not ready:
            self.now += timeout
        return ready or []
