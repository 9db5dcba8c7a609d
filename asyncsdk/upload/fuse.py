"""Tells when a server refuses the request, and not the phones in it.

Who is at fault in a batch that is refused as a whole is searched for by halves. Where each batch is
refused that would be two requests for each phone, and the end of it wrong: all of them invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from asyncsdk.upload.batch import Batch
    from asyncsdk.upload.flights import Flight
    from asyncsdk.upload.verdict.decision import Decision

__all__ = ["Fuse"]

_BATCHES = 5
"""Batches that are refused, and none that got through, before the request itself is suspected."""
_PHONES = 10
"""Phones that are then refused alone before it is certain."""


@define(eq=False)
class Fuse:
    """Counts what is refused as a whole until something gets through.

    Args:
        armed: Whether it may blow at all.
    """

    armed: bool
    _refused: int = field(default=0, init=False)
    """Batches that were refused when they were sent for the first time."""
    _suspects: list[tuple[Flight, Decision]] = field(factory=list, init=False)
    """Phones that were refused alone, and what is to be said of each if they are at fault."""

    def passed(self) -> list[tuple[Flight, Decision]]:
        """A request got through: from now on refusals are the phones' own. Returns the suspects."""
        self.armed = False
        return self.acquit()

    def refused(self, batch: Batch) -> None:
        """A batch was refused as a whole, and no phone was named."""
        self._refused += batch.attempts == 1

    @property
    def suspicious(self) -> bool:
        """Whether it may be the request: then phones are tried alone, one of each batch."""
        return self.armed and self._refused >= _BATCHES

    def hold(self, flight: Flight, decision: Decision) -> bool:
        """Hold the verdict on a phone that was refused alone; False if that is one too many."""
        if len(self._suspects) >= _PHONES:
            return False
        self._suspects.append((flight, decision))
        return True

    def acquit(self) -> list[tuple[Flight, Decision]]:
        """Let go of the suspects: nothing says that it is the request."""
        suspects, self._suspects = self._suspects, []
        return suspects
