"""A loop in which waiting costs no time: its clock stands still, and leaps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["LeapingLoop", "run_leaping"]

T = TypeVar("T")

_SOON = 0.0002
_LATE = 0.02


def run_leaping(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in a leaping loop."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(scenario)


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop over real sockets with a clock of its own.

    Computing takes no time by this clock, so what it measures does not depend on the machine.
    """

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds by the clock that leaps."""
        return self._leaping.now


class _LeapingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        # What is on its way over the loopback arrives first. A long leap is rarer, and may be that
        # of a request's timeout: it waits longer before it is taken.
        ready = super().select(0) or super().select(_SOON)
        if not ready:
            self.now += timeout
        return ready
