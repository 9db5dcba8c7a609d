"""How a shared pace stands at one moment, and what is asked of it in Redis: values."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from attrs import frozen

from asyncsdk.config import Rate

__all__ = ["Answer", "Guard", "PaceState", "state_of"]

_MICRO = 1e-6


class Guard(StrEnum):
    """What is known of the credentials that are used."""

    UNPROVEN = "unproven"
    """Nothing yet."""
    PROVING = "proving"
    """One request tries them, and the others wait."""
    PROVEN = "proven"
    """They are good."""
    REFUSED = "refused"
    """Some were refused: nothing leaves with those."""


class Answer(msgspec.Struct, frozen=True):
    """What the script in Redis says. Times are microseconds there."""

    kind: str
    after: float = 0
    """Until a slot, or the end of a pause."""
    left: float = 0
    """For so long the permit holds."""
    probing: bool = False
    """Whether others wait for what becomes of this request."""
    spares: int = 0
    """Permits that come along."""
    proven: bool = False
    outage: bool = False
    reason: str = ""
    streak: int = 0
    epoch: str = ""
    requests: int = 0
    per: float = 0
    used: int = 0
    waiting: int = 0
    clients: int = 0
    count: int = 0
    guards: dict[str, int] = {}
    asked: float = 0
    """When it was asked, in seconds by the clock of the event loop here."""

    @property
    def wait(self) -> float:
        """Seconds to wait."""
        return self.after * _MICRO

    @property
    def valid(self) -> float:
        """Seconds for which the permit holds."""
        return self.left * _MICRO

    @property
    def rate(self) -> Rate | None:
        """The rate that holds for everybody; None where no client came so far."""
        return Rate(self.requests, self.per * _MICRO) if self.requests else None


@frozen
class PaceState:
    """How a shared pace stands at one moment."""

    rate: Rate | None
    """What holds for everybody; None where no client came so far."""
    used: int
    """Permits of the last window."""
    waiting: int
    """Requests that wait for a permit."""
    paused: float
    """Seconds that everybody still pauses."""
    paused_by: str
    """Why everybody pauses, such as `HTTP 429`, or did last."""
    outage: bool
    """Whether the provider cannot be reached: one request at a time tries."""
    guard: Guard
    """What is known of the credentials; where there are several, of the worst."""
    clients: int
    """Clients that were seen within the last minute."""


def state_of(answer: Answer) -> PaceState:
    """The state as the script tells it."""
    worst = (Guard.REFUSED, Guard.PROVING, Guard.PROVEN)
    return PaceState(
        rate=answer.rate,
        used=answer.used,
        waiting=answer.waiting,
        paused=answer.wait,
        paused_by=answer.reason,
        outage=answer.outage,
        guard=next((kind for kind in worst if answer.guards.get(kind)), Guard.UNPROVEN),
        clients=answer.clients,
    )
