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

_BATCHES, _REQUESTS = 5, 20
"""Batches, or requests with parts of them as well, that are refused one after the other before the
request itself is suspected."""
_PHONES, _PHONES_LATER = 10, 100
"""Phones that are then refused alone before it is certain: as long as nothing ever got through, and
once something did, for then so many phones in a row may well be at fault."""


@define(eq=False)
class Fuse:
    """Counts what is refused as a whole until something gets through, and from then on once more.

    Args:
        armed: Whether it may blow at all.
    """

    armed: bool
    _proven: bool = field(default=False, init=False)
    """Whether anything ever got through."""
    _batches: int = field(default=0, init=False)
    """Batches that were refused when they were sent for the first time, since something did."""
    _requests: int = field(default=0, init=False)
    """All that were refused since then."""
    _suspects: list[tuple[Flight, Decision]] = field(factory=list, init=False)
    """Phones that were refused alone, and what is to be said of each if they are at fault."""
    _sent_again: set[int] = field(factory=set, init=False)
    """The keys of those that were sent once more: what is said of them then is true."""

    def passed(self) -> list[Flight]:
        """A request got through. Returns the suspects, to be sent once more."""
        self._proven = True
        if not self._requests:
            return []
        self._batches = self._requests = 0
        flights = [flight for flight, _ in self.acquit()]
        self._sent_again.update(flight.batch.key for flight in flights)
        return flights

    def refused(self, batch: Batch) -> None:
        """A batch was refused as a whole, and no phone was named."""
        self._batches += batch.attempts == 1
        self._requests += batch.key not in self._sent_again

    @property
    def suspicious(self) -> bool:
        """Whether it may be the request: then phones are tried alone, one of each batch."""
        several = self._batches >= _BATCHES or self._requests >= _REQUESTS
        return self.armed and not self._proven and several

    def holds(self, batch: Batch) -> bool:
        """Whether a phone that is refused alone is held, for it may be the request."""
        doubtful = not self._proven or self._requests >= _REQUESTS
        return self.armed and doubtful and batch.key not in self._sent_again

    def hold(self, flight: Flight, decision: Decision) -> bool:
        """Hold the verdict on a phone that was refused alone; False if that is one too many."""
        if len(self._suspects) >= (_PHONES_LATER if self._proven else _PHONES):
            return False
        self._suspects.append((flight, decision))
        return True

    def acquit(self) -> list[tuple[Flight, Decision]]:
        """Let go of the suspects: nothing says that it is the request."""
        suspects, self._suspects = self._suspects, []
        return suspects
