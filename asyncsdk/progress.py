"""How far an upload is, at one moment."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Progress"]


@frozen
class Progress:
    """How far an upload is."""

    read: int = 0
    """Rows read from the source."""
    created: int = 0
    invalid: int = 0
    failed: int = 0
    in_flight: int = 0
    """Phones in requests that are under way."""
    requests: int = 0
    """Requests begun."""
    retries: int = 0
    """Those of them that carried phones for a second time or more."""
    concurrency: int = 0
    """Requests that may be under way at once."""
    throttled: float = 0.0
    """Seconds that all requests paused because the server asked for it."""
    elapsed: float = 0.0
    """Seconds since the start."""
    unknown: int = 0
    """Those of the failed that may be in the group all the same."""
    paused: float = 0.0
    """Seconds that all requests still pause because the server asked for it."""
    paused_by: str = ""
    """What it said last when it asked for a pause, such as `HTTP 429`."""
    looking: str = ""
    """What a reconcile does now, such as reading the group; empty while phones are sent."""
    looked_up: str = ""
    """What it found the last time that it looked phones up in the group."""

    @property
    def rate(self) -> float:
        """Phones settled per second since the start."""
        settled = self.created + self.invalid + self.failed
        return settled / self.elapsed if self.elapsed > 0 else 0.0
