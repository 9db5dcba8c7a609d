"""What a file of results says besides them: the group, and whether rows were left unread."""

from __future__ import annotations

from attrs import frozen

__all__ = ["UNREAD", "Besides"]

UNREAD = "unread"
"""The outcome of rows that the upload did not come to."""


@frozen
class Besides:
    """What is told in every format alike.

    The group is a column. Where the upload ended before its source did, one more row stands at the
    end for all the unread ones: its outcome is `unread`, and its index that of the first of them.
    """

    group_id: int | None = None
    unread_from: int | None = None
    """The index of the first row that was not read; None if there is none."""
    stopped_by: str | None = None

    @property
    def reason(self) -> str:
        """What the row for the unread ones says."""
        return f"the upload ended ({self.stopped_by or 'stopped'}) before this row and all after it"
