"""The moment in which a server is told to end.

It waits until its connections are closed before it tells the application, so that streams which
stay open keep it from ending, and uploads which could come to rest meanwhile do not hear of it. The
signal is passed on to whoever handled it before.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["noticing_shutdown"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def noticing_shutdown(departing: asyncio.Event) -> Iterator[None]:
    """Set this event of the running loop when the process is told to end.

    Where signals are not for this thread to handle, or nobody in Python handles them, it is left
    to others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(departing.set)
        passed_on = before[signal.Signals(number)]
        assert callable(passed_on), "only such are replaced"
        passed_on(number, frame)

    ours = [number for number, handler in before.items() if callable(handler)]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
