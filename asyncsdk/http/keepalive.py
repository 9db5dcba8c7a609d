"""Whether the server keeps idle connections open, learned from which of them come back.

A request written to a connection that the server is just closing fails like one that was processed
and lost its reply, so such a connection must not be used in the first place. HTTP has a header for
that, but not every server sends it. So the first connection is given a moment of rest before it is
used again; if it, or any later one, is gone soon after an answer, each request gets a new one.
"""

from __future__ import annotations

import asyncio

from attrs import define, field

__all__ = ["KeepAlive", "Lease"]

_REST = 0.05
"""Seconds in which a server that closes after its answer has done so."""

_YOUNG = 5.0
"""Seconds of idleness after which any server may close: that is no sign."""


@define
class Lease:
    """What one request expects of its connection."""

    promised: bool
    """Whether there was an idle connection to be used."""
    era: int
    port: int | None = None
    """The local port of the connection, which is its name here; None before it leaves."""


@define
class KeepAlive:
    """Bookkeeping of idle connections by their local ports."""

    trusted: bool | None = None
    """Whether idle connections may be used again; None while it is not known."""
    _idle: dict[int, float] = field(factory=dict, init=False)
    _promised: int = field(default=0, init=False)
    _era: int = field(default=0, init=False)

    async def rest(self) -> None:
        """Wait until the first connection has had its moment of rest."""
        loop = asyncio.get_running_loop()
        while self.trusted is None and self._idle:
            left = max(self._idle.values()) + _REST - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    def begin(self, now: float, *, traceable: bool) -> Lease:
        """A request looks for a connection.

        Args:
            now: The event loop's time.
            traceable: Whether `leave` will tell which one it got; if not, nothing is known of the
                idle ones any more.
        """
        if not traceable:
            self._idle.clear()
            self._promised = 0
            self._era += 1
        young = {port: since for port, since in self._idle.items() if now - since < _YOUNG}
        self._idle = young
        promised = traceable and len(young) > self._promised
        self._promised += promised
        return Lease(promised, self._era)

    def leave(self, lease: Lease, port: int) -> None:
        """The request is written to a connection."""
        lease.port = port
        if lease.era != self._era:
            return
        reused = self._idle.pop(port, None) is not None
        if lease.promised:
            lease.promised = False
            self._promised -= 1
            if self.trusted is not False:
                self.trusted = reused

    def end(self, lease: Lease, now: float, *, kept: bool) -> None:
        """The exchange is over; `kept` says whether its connection went back to the pool."""
        if lease.era != self._era:
            return
        if lease.promised:
            self._promised -= 1
        if kept and lease.port is not None and self.trusted is not False:
            self._idle[lease.port] = now
