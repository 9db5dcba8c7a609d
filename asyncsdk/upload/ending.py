"""Why an upload ends before its source does: said once, and heard by everybody at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asyncsdk.errors import described
from asyncsdk.results import StoppedBy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ending"]

logger: logging.Logger = logging.getLogger("asyncsdk")


_ASKED_FOR = frozenset({StoppedBy.STOP, StoppedBy.CANCELLED})
"""What whoever holds the upload did himself."""


class Ending:
    """Begins the end: nothing new is begun, and what is under way comes to its own end."""

    def __init__(self) -> None:
        self.stopped_by: StoppedBy | None = None
        self.cause: BaseException | None = None
        """The error that ended the upload, if one did."""
        self._closed = False
        self._heard: list[Callable[[], None]] = []

    @property
    def begun(self) -> bool:
        """Whether the upload ends before its source does."""
        return self.stopped_by is not None

    def on_begin(self, hear: Callable[[], None]) -> None:
        """Have this called when the end begins."""
        self._heard.append(hear)

    def begin(self, stopped_by: StoppedBy, cause: BaseException | None = None) -> None:
        """End the upload; a second reason, or one after its end, changes nothing."""
        if self.begun or self._closed:
            return
        self.stopped_by, self.cause = stopped_by, cause
        level = logging.INFO if stopped_by in _ASKED_FOR and cause is None else logging.WARNING
        logger.log(level, "an upload stops: %s", described(cause) if cause else stopped_by)
        for hear in self._heard:
            hear()

    def failed(self, cause: BaseException) -> None:
        """The end itself went wrong."""
        if self.cause is None:
            self.stopped_by, self.cause = self.stopped_by or StoppedBy.ERROR, cause

    def close(self) -> None:
        """The accounts are closed: nothing ends the upload any more; nobody waits for it."""
        self._closed = True
        self._heard.clear()
