"""Whether the server keeps idle connections open, learned from which of them are used again.

A request written to a connection that the server is just closing fails like one that was processed
and lost its reply, so such a connection must not be used in the first place. HTTP has a header for
that, but not every server sends it. So a first connection is given a moment of rest before it is
used again; if it is gone then, each request gets a new one for a while. A server that was seen to
keep its connections may close them all at once (it is restarted, or sends clients elsewhere):
after that the next one rests once more.
"""

from __future__ import annotations

import asyncio

from attrs import define, field

__all__ = ["KeepAlive", "Lease"]

_REST = 0.05
"""Seconds in which a server that closes after its answer has done so."""

_YOUNG = 5.0
"""Seconds of idleness after which any server may close: that is no sign."""

_DISTRUST = 30.0
"""Seconds for which each request gets a new connection, before it is tried again."""

_STRIKES = 3
"""Losses without a hundred connections used again between them that are one too many."""

_FORGIVEN = 100


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
    """Since when each is idle, those first that are it for longest."""
    _promised: int = field(default=0, init=False)
    _era: int = field(default=0, init=False)
    _again_at: float = field(default=0.0, init=False)
    """When connections are used again to see whether they are kept by now."""
    _strikes: int = field(default=0, init=False)
    _reused: int = field(default=0, init=False)
    """Connections that were used again since the last loss."""
    _known: set[int] = field(factory=set, init=False)
    """Ports of connections that went back to the pool, idle or not."""
    _strangers: int = field(default=0, init=False)
    """Connections that went back to the pool without their port being known."""

    async def rest(self) -> None:
        """Wait until the first connection has had its moment of rest."""
        loop = asyncio.get_running_loop()
        while self.trusted is None and self._idle:
            left = max(self._idle.values()) + _REST - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    def reusing(self, now: float) -> bool:
        """Whether the next request may get a connection that was used before."""
        if self.trusted is False and now >= self._again_at:
            self.trusted = None
        return self.trusted is not False

    def begin(self, now: float, *, traceable: bool) -> Lease:
        """A request looks for a connection.

        Args:
            now: The event loop's time.
            traceable: Whether `leave` will say which one it got; if not, nothing is known of the
                idle ones any more.
        """
        if not traceable:
            self._forget()
        while self._idle and now - next(iter(self._idle.values())) >= _YOUNG:
            del self._idle[next(iter(self._idle))]
        promised = traceable and len(self._idle) > self._promised
        self._promised += promised
        return Lease(promised, self._era)

    def leave(self, lease: Lease, port: int, now: float) -> None:
        """The request is written to a connection."""
        lease.port = port
        if lease.era != self._era:
            return
        promised, lease.promised = lease.promised, False
        self._promised -= promised
        self._idle.pop(port, None)
        if port in self._known:
            self._known.remove(port)
            self._reused += 1
            self.trusted = self.trusted is not False
        elif self._strangers:
            self._strangers -= 1  # it may be one of them: that says nothing
        elif promised:
            self.lost(now)

    def lost(self, now: float) -> None:
        """An idle connection was closed that should have been there."""
        self._forget()  # those that were closed together with it are no further sign
        self._known.clear()
        self._strangers = 0
        self._strikes = 1 if self._reused >= _FORGIVEN else self._strikes + 1
        self._reused = 0
        if self.trusted and self._strikes < _STRIKES:
            self.trusted = None
        else:
            self.trusted, self._again_at, self._strikes = False, now + _DISTRUST, 0

    def end(self, lease: Lease, now: float, *, kept: bool) -> None:
        """The exchange is over; `kept` says whether its connection went back to the pool."""
        current = lease.era == self._era
        if current and lease.promised:
            self._promised -= 1
        if not kept or self.trusted is False:
            return
        if lease.port is None:
            self._strangers += 1
        else:
            self._known.add(lease.port)
            if current:
                self._idle.pop(lease.port, None)  # two connections may have one port
                self._idle[lease.port] = now

    def _forget(self) -> None:
        """Nothing is known of which connections are idle now."""
        self._idle.clear()
        self._promised = 0
        self._era += 1
