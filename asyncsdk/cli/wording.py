"""What an upload does when it does not send, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.progress import Phase

if TYPE_CHECKING:
    from asyncsdk.progress import Lookup, Progress

__all__ = ["activity", "lookup_result"]


def activity(progress: Progress, quiet_period: float) -> str:
    """What an upload does now, if that is not sending; else what it found the last time.

    Args:
        progress: The moment.
        quiet_period: Seconds that the group must stand still before it is looked at.
    """
    sought = progress.lookup.sought if progress.lookup else 0
    if progress.phase is Phase.READING_GROUP:
        return "reading the group, to know what it has already"
    if progress.phase is Phase.WAITING_QUIET:
        waiting = f"waiting until the group is quiet for {quiet_period:g} s"
        return f"{sought:,} without an answer: {waiting}"
    if progress.phase is Phase.LOOKING_UP:
        return f"{sought:,} without an answer: looking for them in the group"
    return lookup_result(progress.lookup)


def lookup_result(lookup: Lookup | None) -> str:
    """What was found in the group; nothing where nothing was looked up, or it could not be read."""
    if lookup is None or lookup.found is None:
        return ""
    return f"{lookup.found:,} of {lookup.sought:,} phones without an answer were in the group"
