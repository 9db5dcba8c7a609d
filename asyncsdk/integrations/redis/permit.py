"""What a request holds of a shared pace."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from attrs import define, frozen

if TYPE_CHECKING:
    import asyncio

__all__ = ["Fence", "Permit"]


@frozen
class Fence:
    """The right of one run to send a partition."""

    partition: str
    epoch: int


@define(eq=False)
class Permit:
    """What a request holds, or waits for."""

    id: str
    key: str
    """The digest of its credentials."""
    fence: Fence | None
    expires: float = -inf
    """Until when it may leave, by the event loop's clock."""
    told: bool = False
    """Whether it is known in Redis when it left."""
    own: bool = False
    """Whether it is of the share that this client takes for itself."""
    probing: asyncio.Task[None] | None = None
    """Says again and again that others are to wait for it."""
