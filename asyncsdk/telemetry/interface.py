"""What is told to whoever watches a client: each request, each upload, and what became of phones.

Whoever tells it knows nothing of OpenTelemetry, and nothing that watches can change what happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yarl import URL

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.run import Run

__all__ = ["SILENT", "UNSEEN", "Instrument", "RequestSpan", "UploadSpan"]


class RequestSpan(Protocol):
    """One request, from its permit on. `end` is called once, whatever happens."""

    def send(self, headers: dict[str, str]) -> None:
        """It is handed to the network with these headers, to which some may be added."""

    def answered(self, status: int) -> None:
        """A reply begins."""

    def end(self, now: float, error: BaseException | None) -> None:
        """It is over.

        Args:
            now: The time, in seconds.
            error: What it failed with; None where a reply was read to its end.
        """


class UploadSpan(Protocol):
    """One upload. `end` is called once, whatever happens."""

    def end(self, totals: Run, error: BaseException | None) -> None:
        """It is over.

        Args:
            totals: What became of its rows.
            error: What it could not go on with, if that is why.
        """


class Instrument(Protocol):
    """Watches all that one client does."""

    def request(
        self, method: str, path: str | URL, now: float, *, rows: int, resends: int
    ) -> RequestSpan:
        """A request begins.

        Args:
            method: Of HTTP.
            path: Below the base URL, or a whole URL of the server.
            now: The time, in seconds.
            rows: Phones that it carries, where it carries a batch of them.
            resends: How many requests before it carried the same.
        """

    def upload(self, group_id: int | None) -> UploadSpan:
        """An upload begins, in a task of its own: all that it starts from here on is part of it."""

    def phones(self, entries: Sequence[Entry]) -> None:
        """This became of phones of an upload."""


class _SilentSpan:
    """Nobody watches this."""

    def send(self, headers: dict[str, str]) -> None: ...

    def answered(self, status: int) -> None: ...

    def end(self, how: object, error: BaseException | None) -> None: ...


class _Silent:
    """Nobody watches."""

    def request(self, *_: object, **__: object) -> RequestSpan:
        return UNSEEN

    def upload(self, *_: object) -> UploadSpan:
        return UNSEEN

    def phones(self, entries: Sequence[Entry]) -> None: ...


UNSEEN = _SilentSpan()
"""A request, or an upload, that nobody watches."""
SILENT: Instrument = _Silent()
"""Watches nothing."""
