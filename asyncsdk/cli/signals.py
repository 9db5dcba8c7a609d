"""Signals that end a command in order."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator

__all__ = ["handled"]


@contextmanager
def handled(answer: Callable[[], object], *signals: signal.Signals) -> Iterator[Callable[[], None]]:
    """Call this at these signals; yields what leaves them to the system again.

    Event loops on Windows cannot: there Ctrl-C ends the process, as ever.
    """
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []

    def leave() -> None:
        while taken:
            loop.remove_signal_handler(taken.pop())

    with suppress(NotImplementedError):  # an event loop on Windows has none to take
        for number in signals:
            loop.add_signal_handler(number, answer)
            taken.append(number)
    try:
        yield leave
    finally:
        leave()
