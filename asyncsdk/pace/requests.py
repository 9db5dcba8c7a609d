"""The one door through which every request of a client passes.

A request waits for its permit in this order: the credentials that another request is proving, the
pause, the rate, a connection, the disk. Then pause and credentials are looked at once more, and it
leaves without another wait; so nobody who waits keeps others from anything.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Protocol

from attrs import define

from asyncsdk.errors import AsyncSDKError, ProtocolError
from asyncsdk.http.certainty import Verdict, verdict_of_error, verdict_of_status
from asyncsdk.pace.pace import LocalPace
from asyncsdk.pace.slots import Slots
from asyncsdk.status import is_redirect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asyncsdk.http.exchange import Attempt, Reply, Request
    from asyncsdk.http.transport import Transport
    from asyncsdk.pace.credentials import Credentials
    from asyncsdk.pace.lane import Lane
    from asyncsdk.pace.pace import Pace

__all__ = ["Departure", "Requests"]


class Departure(Protocol):
    """What is done for a request on its way to its departure."""

    @property
    def lane(self) -> Lane | None:
        """The lane that it shares with others, if it is one of many."""

    async def record(self) -> None:
        """Put on record that the request may leave."""

    def withdraw(self) -> None:
        """Take that back: the request has to wait once more."""

    def depart(self) -> None:
        """The request has its permit, and leaves now."""


class _Plain:
    """A request of which nothing is recorded."""

    lane = None

    async def record(self) -> None: ...

    def withdraw(self) -> None: ...

    def depart(self) -> None: ...


_PLAIN = _Plain()


@define
class _Account:
    """What all requests of a client have in common, whatever pace they pass."""

    credentials: Credentials


class Requests:
    """All the requests of one client.

    Args:
        transport: The network.
        credentials: Those of the account; others may be put in their place at any time.
        pace: When a request may leave.
        connections: Requests under way at once at most; fewer where a borrowed session allows that.
    """

    def __init__(
        self, transport: Transport, credentials: Credentials, pace: Pace, connections: int
    ) -> None:
        self.transport = transport
        self._account = _Account(credentials)
        self.pace = pace
        pool = transport.sessions.pool_size
        self.connections: int = connections if pool is None else min(connections, pool)
        self.places: Slots = Slots(self.connections)
        """Those of them that are free."""

    @property
    def credentials(self) -> Credentials:
        """Those of the account."""
        return self._account.credentials

    @property
    def local(self) -> bool:
        """Whether nobody shares the pace, and permits do not run out."""
        return type(self.pace) is LocalPace

    def through(self, pace: Pace) -> Requests:
        """Requests with the same credentials and connections, which pass another pace."""
        others = copy(self)
        others.pace = pace
        return others

    async def send(
        self, request: Request, *, attempt: Attempt, departure: Departure = _PLAIN
    ) -> Reply:
        """One exchange.

        Args:
            request: What is asked.
            attempt: Kept up to date while it is under way.
            departure: What is done before it leaves.

        Returns:
            The reply, if its status is 2xx, or 4xx or 5xx other than 401.

        Raises:
            AuthenticationError: 401, now or earlier.
            NotSentError: It certainly did not reach the server.
            OutcomeUnknownError: It left, and no whole reply came back.
            ProtocolError: A redirect, which is never followed: it would carry the key elsewhere.
            ConfigurationError: The client is closed, or belongs to another event loop.
        """
        async with _Permit(self, attempt, departure) as credentials:
            reply = await self.transport.send(request, credentials.headers, attempt)
            if not self.local:
                await self.pace.learn(attempt, reply.status)
            self._learn(reply, attempt, credentials)
            return reply

    async def stream(self, request: Request, *, attempt: Attempt) -> AsyncGenerator[bytes, None]:
        """The body of a reply, piece by piece.

        Raises:
            ApiError: The status is not 2xx.
            AsyncSDKError: As for `send`.
        """
        async with (
            _Permit(self, attempt, _PLAIN) as credentials,
            self.transport.stream(request, credentials.headers, attempt) as (reply, pieces),
        ):
            await self.pace.learn(attempt, reply.status)
            self._learn(reply, attempt, credentials)
            if not reply.ok:
                raise reply.error()
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece

    def set_credentials(self, credentials: Credentials) -> None:
        """Use others for all that has not left yet; what has says nothing of these."""
        self.credentials.replace()
        self._account.credentials = credentials

    def _learn(self, reply: Reply, attempt: Attempt, credentials: Credentials) -> None:
        """Learn from a reply; refuse a redirect."""
        gate, verdict = self.pace.gate, verdict_of_status(reply.status)
        if verdict is Verdict.PAUSE:
            gate.refused(attempt)
        elif verdict is Verdict.DOUBT:
            gate.reached()
        else:
            gate.passed(attempt)
        credentials.learn(reply)
        if verdict is Verdict.STOP and is_redirect(reply.status):
            msg = (
                f"HTTP {reply.status}: the server redirects elsewhere, and redirects are not "
                "followed (they would carry the API key along); check the base URL"
            )
            raise ProtocolError(msg, reply.status)


class _Permit:
    """A context in which one request may be made, entered once it may leave.

    It is what the request holds of the limits of its client.
    """

    __slots__ = ("_attempt", "_credentials", "_departure", "_placed", "_requests")

    def __init__(
        self,
        requests: Requests,
        attempt: Attempt,
        departure: Departure,
    ) -> None:
        self._requests = requests
        self._attempt = attempt
        self._credentials = requests.credentials
        self._departure = departure
        self._placed = False

    async def __aenter__(self) -> Credentials:
        """Returns those that the request is to be made with."""
        try:
            while not await self._acquire():
                self._release()
                self._departure.withdraw()
                self._credentials = self._requests.credentials
        except BaseException:
            self._release()
            raise
        self._attempt.begun = True
        self._departure.depart()
        return self._credentials

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        gate, attempt = self._requests.pace.gate, self._attempt
        if isinstance(error, AsyncSDKError):
            if verdict_of_error(error) is Verdict.OUTAGE:
                gate.unreachable(attempt, asyncio.get_running_loop().time())
            elif attempt.left:
                gate.reached()
        self._release()

    async def _acquire(self) -> bool:
        """Wait for everything; returns whether the request may leave at this moment."""
        requests, attempt = self._requests, self._attempt
        requests.transport.sessions.check()
        await self._credentials.wait()
        lane = self._departure.lane
        if attempt.permitted and attempt.token is not self._credentials.token:
            self._release()  # its permit is one for other credentials
            attempt.permitted = False
        attempt.token = self._credentials.token
        if attempt.permitted:
            attempt.permitted = False  # a second time it has to be waited for here
        elif lane is None:
            await requests.pace.acquire(attempt)
        else:
            await lane.acquire(attempt, requests.pace)
        await requests.transport.rest()
        await requests.places.acquire()
        self._placed = True
        await self._departure.record()
        if not requests.local:
            await requests.pace.renew(attempt)
            attempt.renew = partial(requests.pace.renew, attempt, wait=True)
        return requests.pace.confirm(attempt) and self._credentials.acquire(attempt)

    def _release(self) -> None:
        """Give back whatever is held; a second time does nothing."""
        self._requests.pace.release(self._attempt)
        self._attempt.renew = None
        if self._departure.lane is not None:
            self._departure.lane.release(self._attempt)
        self._credentials.release(self._attempt)
        if self._placed:
            self._placed = False
            self._requests.places.release()
