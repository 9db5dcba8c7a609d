"""The one door to aiohttp: requests whose reply is read whole, and streams."""

from __future__ import annotations

import asyncio
import logging
import platform
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from yarl import URL

from asyncsdk._version import __version__
from asyncsdk.errors import AsyncSDKError, NotSentError, OutcomeUnknownError
from asyncsdk.http.certainty import StaleConnectionError
from asyncsdk.http.exchange import Body, Reply, is_kept, is_open_ended, pieces_of, read_reply
from asyncsdk.http.failures import failure_of
from asyncsdk.http.keepalive import KeepAlive
from asyncsdk.http.once import ONCE, lost
from asyncsdk.http.sessions import HEADER_LIMITS, READ_AHEAD, Sessions
from asyncsdk.status import is_success
from asyncsdk.telemetry.interface import SILENT, UNSEEN

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from asyncsdk.config import ClientConfig
    from asyncsdk.http.exchange import Attempt, Request
    from asyncsdk.telemetry.interface import Instrument, RequestSpan

__all__ = ["Transport"]

logger: logging.Logger = logging.getLogger("asyncsdk")
logger.addHandler(logging.NullHandler())  # a library is silent unless it is asked

USER_AGENT = f"asyncsdk/{__version__} (Python {platform.python_version()})"

_FOREIGN = (TimeoutError, aiohttp.ClientError, OSError, ValueError)
"""What aiohttp raises where an exchange fails."""


class Transport:
    """Requests to one server. It knows what left and what came back, and nothing of phones."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        session: aiohttp.ClientSession | None = None,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
        instrument: Instrument = SILENT,
    ) -> None:
        self.instrument = instrument
        self.base_url: URL = config.base_url
        self.timeout: float = config.timeout
        self.connect_timeout: float = config.connect_timeout
        given = config.default_headers
        agent = {} if "user-agent" in map(str.lower, given) else {"User-Agent": USER_AGENT}
        self.headers: dict[str, str] = {**agent, **given}
        self.keep_alive: KeepAlive = KeepAlive()
        self.sessions: Sessions = Sessions(session, ssl=ssl, trust_env=trust_env)
        self._whole, self._piece = (
            _options(
                aiohttp.ClientTimeout(
                    total=None,
                    # of a borrowed session it includes the wait for a place in its pool, which an
                    # exchange of others may have for as long as one of ours may take
                    connect=config.connect_timeout + (config.timeout if session else 0.0),
                    sock_connect=config.connect_timeout,
                    sock_read=between_bytes,
                )
            )
            for between_bytes in (None, config.timeout)
        )
        """Arguments of a request whose reply is read whole, or piece by piece."""

    def url(self, path: str | URL) -> URL:
        """The whole URL of a path below the base URL; a whole one as it is."""
        if isinstance(path, URL):
            return path
        return _joined(self.base_url, path)

    async def rest(self) -> None:
        """Wait until a connection may be used; see `KeepAlive.rest`."""
        if self.keep_alive.trusted is None:
            await self.keep_alive.rest()

    async def send(self, request: Request, headers: Mapping[str, str], attempt: Attempt) -> Reply:
        """One exchange, whatever its status.

        Args:
            request: What is asked.
            headers: Headers besides those of every request.
            attempt: Kept up to date while it is under way.

        Raises:
            NotSentError: It certainly did not reach the server.
            OutcomeUnknownError: It left, and no whole reply came back.
            ConfigurationError: The client is closed, or belongs to another event loop.
        """
        exchange = _Exchange(self, request, attempt)
        try:
            with exchange:
                async with asyncio.timeout(None) as clock:
                    async with exchange.begin(headers, self._whole, clock) as response:
                        exchange.answered(response)
                        reply = await read_reply(response, request)
                        exchange.kept = is_kept(response)
            if exchange.failure is not None:
                raise exchange.failure
        except AsyncSDKError as error:
            exchange.log(type(error).__name__)
            raise
        exchange.log(reply.status, reply.request_id)
        return reply

    @asynccontextmanager
    async def stream(
        self, request: Request, headers: Mapping[str, str], attempt: Attempt
    ) -> AsyncIterator[tuple[Reply, AsyncGenerator[bytes, None]]]:
        """A reply of which the body is read piece by piece, if it is a 2xx: then it has none here.

        `timeout` bounds the wait for each piece. Arguments and errors as for `send`.

        Raises:
            ProtocolError: The pieces have no end; see `pieces_of`.
        """
        exchange = _Exchange(self, request, attempt)
        with exchange:
            async with exchange.begin(headers, self._piece) as response:
                exchange.answered(response)
                attempt.open_ended = is_open_ended(response)
                if is_success(response.status):
                    yield Reply(response.status, b""), pieces_of(response)
                else:
                    yield await read_reply(response, request), pieces_of(response)
                exchange.kept = is_kept(response)
        if exchange.failure is not None:
            raise exchange.failure


def _options(timeout: aiohttp.ClientTimeout) -> dict[str, Any]:
    return {
        "allow_redirects": False,
        # What follows a borrowed session may have set otherwise: a refusal that it raises says
        # nothing of its status any more, and a packed reply nothing at all.
        "raise_for_status": False,
        "auto_decompress": True,
        "timeout": timeout,
        "read_bufsize": READ_AHEAD,
        **HEADER_LIMITS,
    }


class _Exchange:
    """A context for one request, which keeps our error for what aiohttp raises.

    It is raised outside of the handling of the other, and not chained to it: some of aiohttp's
    hold the request's headers, and so the key, and show them in their repr.
    """

    def __init__(self, transport: Transport, request: Request, attempt: Attempt) -> None:
        self._transport = transport
        self._request = request
        self._attempt = attempt
        self._loop = asyncio.get_running_loop()
        self._began = now = self._loop.time()
        sessions, keep_alive = transport.sessions, transport.keep_alive
        self._session = sessions.get(reusing=keep_alive.reusing(now))
        traceable = request.body is not None and sessions.traceable
        self._lease = keep_alive.begin(now, traceable=traceable)
        self.failure: Exception | None = None
        """What went wrong, if anything did."""
        self._span: RequestSpan = UNSEEN
        self.kept = False
        """Whether its connection goes back to the pool."""

    def __enter__(self) -> Self:
        request = self._request
        self._span = self._transport.instrument.request(
            request.method,
            request.path,
            self._began,
            rows=request.rows,
            resends=self._attempt.resends,
        )
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if isinstance(error, _FOREIGN) and not isinstance(error, AsyncSDKError):
            self.failure = self._failure_of(lost(error))
        now = self._loop.time()
        self._transport.keep_alive.end(self._lease, now, kept=self.kept)
        self._span.end(now, self.failure or error)
        return self.failure is not None

    def log(self, result: object, request_id: str | None = None) -> None:
        """Say how it went."""
        if logger.isEnabledFor(logging.DEBUG):
            request, seconds = self._request, self._loop.time() - self._began
            path = self._transport.url(request.path).path
            end = f" (request {request_id})" if request_id else ""
            logger.debug("%s %s: %s in %.3f s%s", request.method, path, result, seconds, end)

    def answered(self, response: aiohttp.ClientResponse) -> None:
        """The reply begins."""
        self._span.answered(response.status)

    def begin(
        self,
        headers: Mapping[str, str],
        options: Mapping[str, Any],
        clock: asyncio.Timeout | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The reply, once it begins.

        Args:
            headers: Headers besides those of every request.
            options: Other arguments for aiohttp.
            clock: Ends it. It starts when the request leaves, not while it connects.
        """
        transport, request, attempt = self._transport, self._request, self._attempt

        def leaving(port: int | None = None) -> None:
            attempt.left_at = self._loop.time()
            if clock is not None:
                clock.reschedule(attempt.left_at + transport.timeout)
            if port is not None:
                transport.keep_alive.leave(self._lease, port, attempt.left_at)

        once = {} if request.method == "POST" or transport.sessions.borrowed else ONCE
        body = None if request.body is None else Body(request.body, attempt, leaving)
        if body is None:
            leaving()
            attempt.left = True
        sent = {**transport.headers, **headers, "Accept": request.accept}
        if body is not None:
            sent["Content-Type"] = body.content_type  # a borrowed session may have another one
        self._span.send(sent)
        return self._session.request(
            request.method,
            transport.url(request.path),
            headers=sent,
            data=body,
            **options,
            **once,
        )

    def _failure_of(self, error: Exception) -> Exception:
        """Our error for one of aiohttp's."""
        if self._attempt.failure is not None:
            return self._attempt.failure
        if isinstance(error, TimeoutError):
            return self._timed_out(error)
        failure = failure_of(error, self._attempt)
        if isinstance(failure, StaleConnectionError):
            self._transport.keep_alive.lost(self._loop.time())
        return failure

    def _timed_out(self, error: TimeoutError) -> NotSentError | OutcomeUnknownError:
        transport = self._transport
        if self._attempt.left and not isinstance(error, aiohttp.ConnectionTimeoutError):
            return OutcomeUnknownError(f"no whole reply within {transport.timeout:g} s")
        return NotSentError(f"no connection within {transport.connect_timeout:g} s")


@lru_cache(64)  # an upload asks for the same one all the time
def _joined(base_url: URL, path: str) -> URL:
    return base_url.joinpath(*path.strip("/").split("/"))
