"""A dry run: what it runs with, and how long the real one would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.client import Client

if TYPE_CHECKING:
    from asyncsdk.config import Rate

__all__ = ["least_seconds", "nobody"]

_NOWHERE = "http://127.0.0.1:9"


def nobody() -> Client:
    """A client for what sends nothing: no credentials, and should it ever send, nobody is there."""
    return Client("1", "dry-run", base_url=_NOWHERE)


def least_seconds(batches: int, rate: Rate | None) -> float:
    """How long so many requests take at this rate, if they take no time themselves."""
    return max(0, batches - 1) * rate.per / rate.requests if rate else 0.0
