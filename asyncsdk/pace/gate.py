"""Pauses every request of a client at once: when the server asks for it, or cannot be reached."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asyncsdk.condition import Condition
from asyncsdk.pace.rate import sleep_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.http.exchange import Attempt

__all__ = ["Gate"]

logger: logging.Logger = logging.getLogger("asyncsdk")


class Gate:
    """Open, closed until some time, or, after an outage, open for one request alone: the probe.

    A request belongs to the epoch in which it passed. Each pause begins another, so that a refusal
    which was under way when a pause began says nothing new.

    Args:
        announce: Called with the seconds of each pause that begins here and with its reason, for
            those who share it elsewhere.
    """

    def __init__(self, announce: Callable[[float, str], None] | None = None) -> None:
        self._announce = announce
        self._opens = 0.0
        self._held = 0.0
        """Until when nothing passes for a reason that is not the server's."""
        self._throttled = 0.0
        self._waited = 0.0
        self._epoch = 0
        self._streak = 0
        self._out_since: float | None = None
        """Since when the server could not be reached."""
        self._probe: Attempt | None = None
        self._changed = Condition()
        self.reason: str = ""
        """Why it was closed last."""

    @property
    def opens(self) -> float:
        """When it opens, or did."""
        return max(self._opens, self._held)

    @property
    def out(self) -> bool:
        """Whether the server cannot be reached."""
        return self._out_since is not None

    @property
    def streak(self) -> int:
        """How many pauses in a row this makes."""
        return self._streak

    def waited(self, now: float, began: float) -> float:
        """Seconds of pause since the last success, or since an outage began.

        Args:
            now: The time.
            began: When whoever asks began to wait: how long others did is nothing to them.
        """
        outage = 0.0 if self._out_since is None else now - self._out_since
        return min(max(self._waited, outage), now - began)

    def throttled(self, now: float) -> float:
        """Seconds the gate has been closed in all."""
        return self._throttled - max(0.0, self._opens - now)

    # -- passing ---------------------------------------------------------------------------

    async def wait(self) -> None:
        """Return when a request may pass, which `enter` is to confirm."""
        loop = asyncio.get_running_loop()
        while True:
            if max(self._opens, self._held) > loop.time():
                await sleep_until(self.opens)
            elif self._probe is not None:
                await self._changed.wait()
            else:
                return

    def enter(self, attempt: Attempt, now: float) -> bool:
        """Let a request pass, if it may; `leave` is to follow."""
        if max(self._opens, self._held) > now or self._probe is not None:
            return False
        if self._out_since is not None:
            self._probe = attempt
        attempt.epoch = self._epoch
        return True

    def leave(self, attempt: Attempt) -> None:
        """A request that passed is over."""
        if self._probe is attempt:
            self._probe = None
            self._changed.notify_all()

    # -- learning --------------------------------------------------------------------------

    def passed(self, attempt: Attempt) -> None:
        """A request got through to the server and was not refused for now.

        If others of its epoch were refused, the server takes some: no reason to wait ever longer.
        """
        self.reached()
        if attempt.epoch >= self._epoch - 1:
            if self._streak:
                self._streak = min(self._streak, self._epoch - attempt.epoch)
            self._waited = 0.0

    def refused(self, attempt: Attempt) -> None:
        """A request was refused for now: the streak of such pauses grows, once for an epoch."""
        self.reached()
        self._lengthen(attempt)

    def unreachable(self, attempt: Attempt, now: float) -> None:
        """A request found no server: from the next pause on, one alone tries at a time."""
        if self._out_since is None:
            self._out_since = now
        self._lengthen(attempt)

    def reached(self) -> None:
        """The server answered something: if there was an outage, it is over."""
        if self._out_since is not None:
            self._out_since, self._probe, self._waited, self._streak = None, None, 0.0, 0
            logger.warning("the server can be reached again: all requests go on")
            self._changed.notify_all()

    def _lengthen(self, attempt: Attempt) -> None:
        if attempt.epoch == self._epoch:
            self._epoch += 1
            self._streak += 1
        attempt.streak = self._streak

    def close(self, seconds: float, now: float, reason: str) -> None:
        """Stay closed for so long from now at least."""
        self._close(seconds, now, reason)
        if self._announce is not None:
            self._announce(seconds, reason)

    def follow(self, seconds: float, now: float, reason: str, streak: int) -> None:
        """Close as others have closed theirs, who were refused so many times in a row.

        What was under way before is of another epoch: it is refused for the same reason.
        """
        self._epoch += 1
        self._streak = max(self._streak, streak)
        self._close(seconds, now, reason)

    def hold(self, until: float, reason: str) -> None:
        """Let nothing pass until then, for a reason that is not the server's; or go on by then."""
        self._held = until
        self.reason = reason or self.reason

    def _close(self, seconds: float, now: float, reason: str) -> None:
        opens = max(self._opens, now + seconds)
        more = opens - max(self._opens, now)
        if more > 0:
            logger.warning("all requests pause for %.1f s: %s", opens - now, reason)
        self.reason = reason
        self._throttled += more
        self._waited += more
        self._opens = opens
