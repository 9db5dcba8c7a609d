"""The pace of an account: its rate, and the pauses that its server asks for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from asyncsdk.pace.gate import Gate
from asyncsdk.pace.rate import Limiter

if TYPE_CHECKING:
    from asyncsdk.config import Rate
    from asyncsdk.http.exchange import Attempt

__all__ = ["LocalPace", "Pace"]


class Pace(Protocol):
    """Says when a request of an account may leave; shared by all that make some."""

    @property
    def gate(self) -> Gate:
        """Pauses all of them."""

    async def acquire(self, attempt: Attempt) -> None:
        """Return when rate and pauses let a request leave, which `confirm` is to say once more.

        `release` is to follow in any case, also where this is cancelled.
        """

    def confirm(self, attempt: Attempt) -> bool:
        """Whether the request may leave at this moment."""

    def release(self, attempt: Attempt) -> None:
        """Note that a request is over, or has to wait again; a second time does nothing."""

    async def renew(self, attempt: Attempt, *, wait: bool = False) -> None:
        """Look whether the permit of a request still holds, and get it another if it does not.

        It is asked when nothing is left to wait for. Where there is none, `confirm` says so.

        Args:
            attempt: The request.
            wait: Whether to return only with a permit: the request has a connection.
        """

    async def learn(self, attempt: Attempt, status: int) -> None:
        """Tell others who share it what the status of a reply says of the credentials."""

    async def aclose(self) -> None:
        """Give back what was opened; whoever uses it again opens it anew."""


class LocalPace:
    """The pace of the requests of one process.

    Args:
        rate: Requests in any window of time at most; None for no limit.
    """

    def __init__(self, rate: Rate | None) -> None:
        self.gate: Gate = Gate()
        self.rate = rate
        """Requests in any window of time at most."""
        self._limiter = None if rate is None else Limiter(rate)

    async def acquire(self, attempt: Attempt) -> None:
        """See `Pace`."""
        await self.gate.wait()
        if self._limiter is not None:
            await self._limiter.acquire(attempt)

    def confirm(self, attempt: Attempt) -> bool:
        """See `Pace`."""
        return self.gate.enter(attempt, asyncio.get_running_loop().time())

    def release(self, attempt: Attempt) -> None:
        """See `Pace`."""
        self.gate.leave(attempt)
        if self._limiter is not None:
            self._limiter.release(attempt)

    async def renew(self, attempt: Attempt, *, wait: bool = False) -> None:
        """See `Pace`; here permits do not run out."""

    async def learn(self, attempt: Attempt, status: int) -> None:
        """See `Pace`; nobody shares it."""

    async def aclose(self) -> None:
        """See `Pace`; nothing was opened."""
