"""What an upload is told that is a part of a larger one, beside others in other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncsdk.pace.pace import Pace

__all__ = ["ALONE", "Part"]


@frozen(kw_only=True)
class Part:
    """How an upload knows of the others."""

    pace: Pace | None = None
    """What its batches pass, if not the pace of the client."""
    begin: Callable[[], Awaitable[None]] | None = None
    """Called once its journal is open, before anything is sent; what it raises ends the upload."""


ALONE = Part()
"""An upload that is no part of another."""
