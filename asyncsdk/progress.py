"""How far an upload is, at one moment."""

from __future__ import annotations

from enum import StrEnum
from html import escape

from attrs import frozen

__all__ = ["Lookup", "Phase", "Progress"]


class Phase(StrEnum):
    """What an upload does at the moment."""

    UPLOADING = "uploading"
    """Phones are sent."""
    READING_GROUP = "reading_group"
    """It reads what the group holds already, before anything is sent."""
    WAITING_QUIET = "waiting_quiet"
    """Phones are without an answer: it waits until the group stands still."""
    LOOKING_UP = "looking_up"
    """It looks for them in the group."""
    ENDED = "ended"
    """Nothing: it has ended."""


@frozen
class Lookup:
    """Phones without an answer that are, or were, looked up in the group."""

    sought: int
    """How many."""
    found: int | None = None
    """How many of them are there; None before that is known."""


@frozen
class Progress:
    """How far an upload is."""

    read: int = 0
    """Rows read from the source."""
    total: int | None = None
    """Rows that the source has; None where it does not say."""
    created: int = 0
    """Phones that the server created."""
    invalid: int = 0
    """Phones that are at fault themselves."""
    failed: int = 0
    """Phones that were not created for another reason."""
    skipped: int = 0
    """Rows that were not sent because the caller asked for that."""
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
    phase: Phase = Phase.UPLOADING
    """What the upload does now."""
    would_be_sent: int = 0
    """Those of the skipped that a dry run would have sent."""
    lookup: Lookup | None = None
    """The phones without an answer that it looks up, or looked up last."""

    @property
    def settled(self) -> int:
        """Rows whose fate is known."""
        return self.created + self.invalid + self.failed + self.skipped

    @property
    def rate(self) -> float:
        """Phones settled per second since the start."""
        return self.settled / self.elapsed if self.elapsed > 0 else 0.0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        parts = [
            f"{self.created:,} created",
            f"{self.invalid:,} invalid",
            f"{self.failed:,} failed",
            *([f"{self.skipped:,} skipped"] if self.skipped else []),
            *([f"{self.in_flight:,} in flight"] if self.in_flight else []),
            f"{self.rate:,.0f} a second",
        ]
        pause = f"; all requests pause for {self.paused:.0f} s ({self.paused_by})"
        return f"{self.settled:,}{of} phones: {', '.join(parts)}" + (pause if self.paused else "")

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        value = "" if self.total is None else f' value="{self.settled}" max="{max(1, self.total)}"'
        ended = self.phase is Phase.ENDED
        bar = "" if ended else f'<progress{value} style="vertical-align: middle"></progress> '
        return f"<div>{bar}{escape(str(self))}</div>"
