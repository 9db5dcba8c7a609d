"""What an upload knows that is a part of a larger one, of which others run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from array import array
    from collections.abc import Awaitable, Callable, Sequence
    from collections.abc import Set as AbstractSet

    from asyncsdk.models import CreatedPhone
    from asyncsdk.pace.pace import Pace
    from asyncsdk.upload.intake.skipping import Skips

__all__ = ["ALONE", "Neighbours", "Part", "Taken"]


@frozen
class Taken:
    """What of some phones in the group is that of other parts."""

    ids: AbstractSet[int]
    """Those that a part was answered with."""
    doubtful: AbstractSet[str]
    """The ends of numbers that a part has sent, and of which it does not know the id."""


class Neighbours(Protocol):
    """The other parts of the same upload, wherever they run."""

    async def before(self, read: Callable[[], Awaitable[array[int]]], *, sent: bool) -> array[int]:
        """The ids that the group held before any part was sent, in order.

        Args:
            read: Reads them, while nothing was sent.
            sent: Whether an earlier run of this part may have sent something.

        Raises:
            JournalError: Nobody has noted them, and something was sent.
        """

    async def taken(self, phones: Sequence[CreatedPhone]) -> Taken:
        """What of these phones, which are in the group, is that of other parts.

        Raises:
            JournalError: The account of a part cannot be read.
        """


@frozen(kw_only=True)
class Part:
    """How an upload knows of the others."""

    pace: Pace | None = None
    """What its batches pass, if not the pace of the client."""
    begin: Callable[[], Awaitable[None]] | None = None
    """Called once its journal is open, before anything is sent; what it raises ends the upload."""
    neighbours: Neighbours | None = None
    """The others, for a reconcile."""
    skips: Skips | None = None
    """Its rows that are not to be sent, where that was decided for all parts together."""


ALONE = Part()
"""An upload that is no part of another."""
