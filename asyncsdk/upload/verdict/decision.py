"""What is to be done about the rows of a request that is over. Pure: a worker carries it out.

Each row of a batch comes out in exactly one place of a decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.errors import ApiError
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.batch import Batch

__all__ = ["Decision", "Pause"]


class Pause(Value, frozen=True):
    """For how long nobody sends anything, and why."""

    seconds: float
    reason: str


class Decision(Value, frozen=True):
    """Where the rows of a batch go after a request, and what the upload is to do."""

    entries: Sequence[Entry] = ()
    """Rows whose fate is known."""
    again: Sequence[Batch] = ()
    """Rows that go out again."""
    doubt: Sequence[Batch] = ()
    """Rows that may have been processed; each batch says why that is not known."""
    backoff: float = 0.0
    """Seconds before the rows in `again` go out."""
    tokens: int = 0
    """What that takes of the retry budget."""
    pause: Pause | None = None
    """A pause for everybody."""
    size: int | None = None
    """Rows that a batch is to have at most from here on."""
    stop: Exception | None = None
    """Why no other request can succeed either."""
    held: bool = False
    """Whether nothing is decided yet: what comes of other requests decides."""
    refusal: ApiError | None = None
    """What the server said where it refused the batch as a whole, and named no row."""
