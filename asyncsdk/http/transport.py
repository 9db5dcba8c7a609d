"""Requests over aiohttp: the session, the credentials and the clock of each exchange."""

from __future__ import annotations

import asyncio
import logging
import platform
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from asyncsdk._version import __version__
from asyncsdk.credentials import Credentials
from asyncsdk.errors import (
    AsyncSDKError,
    AuthenticationError,
    ConfigurationError,
    NotSentError,
    OutcomeUnknownError,
    ProtocolError,
)
from asyncsdk.http.exchange import (
    Attempt,
    Body,
    Reply,
    StaleConnectionError,
    failure_of,
    is_kept,
    read_reply,
)
from asyncsdk.http.keepalive import KeepAlive, Lease

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from asyncsdk.config import ClientConfig

__all__ = ["PLAIN_JSON", "Transport"]

logger = logging.getLogger("asyncsdk")
logger.addHandler(logging.NullHandler())  # a library is silent unless it is asked

USER_AGENT = f"asyncsdk/{__version__} (Python {platform.python_version()})"
AUTH_HEADER = "X-LOX24-AUTH-TOKEN"
JSON_LD = "application/ld+json"
PLAIN_JSON = "application/json, application/ld+json;q=0.5"
"""For replies that are large and of which the links of JSON-LD would be a quarter."""

_READ_AHEAD = 1 << 19
"""Bytes of a reply that may wait to be read: more than a usual one has, so that the socket is not
paused and resumed within it."""


class Transport:
    """Requests to one server with one set of credentials, over one pool of connections.

    The pool has no limit of its own: each upload bounds its requests by its concurrency, so no
    request waits for a connection while its timeout runs.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        session: aiohttp.ClientSession | None = None,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
    ) -> None:
        self._config = config
        self._borrowed = session is not None
        self._session = session
        self._ssl = ssl
        self._trust_env = trust_env
        self._connecting = aiohttp.ClientTimeout(
            total=None,
            connect=None if self._borrowed else config.connect_timeout,  # it includes the pool
            sock_connect=config.connect_timeout,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keep_alive = KeepAlive()
        self._retired: list[aiohttp.ClientSession] = []
        """The session before it was learned that the server closes idle connections."""
        self.credentials = Credentials(config.client_id, config.api_key)
        self.closed = False

    @property
    def base_url(self) -> URL:
        """Where the API is."""
        return self._config.base_url

    @property
    def holds_connections(self) -> bool:
        """Whether there is something that `close` would have to close."""
        return not self.closed and not self._borrowed and self._session is not None

    @property
    def pool_size(self) -> int | None:
        """How many connections a borrowed session allows; None where there is no limit."""
        connector = self._session.connector if self._borrowed and self._session else None
        return connector.limit or None if connector is not None else None

    def url(self, path: str | URL) -> URL:
        """The whole URL of a path below the base URL; a whole one as it is."""
        if isinstance(path, URL):
            return path
        return self._config.base_url.joinpath(*path.strip("/").split("/"))

    async def request(
        self,
        method: str,
        path: str | URL,
        *,
        body: bytes | None = None,
        params: dict[str, str] | None = None,
        accept: str = JSON_LD,
        attempt: Attempt | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
        begins: Callable[[], None] | None = None,
    ) -> Reply:
        """One exchange.

        Args:
            method: HTTP method.
            path: Path below the base URL, beginning with a slash; or a whole URL of the server.
            body: JSON to send.
            params: Query parameters.
            accept: The formats in which the reply may come.
            attempt: Kept up to date while the request is under way.
            before: Awaited when the request's turn has come.
            begins: Called right before it is sent.

        Returns:
            The reply, if its status is 2xx, or 4xx or 5xx other than 401.

        Raises:
            AuthenticationError: 401, now or earlier.
            NotSentError: It certainly did not reach the server.
            OutcomeUnknownError: It left, and no whole reply came back.
            ProtocolError: A redirect, which is never followed: it would carry the key elsewhere.
            ConfigurationError: The client is closed, or belongs to another event loop.
        """
        attempt = attempt or Attempt()
        credentials = self.credentials  # the reply says nothing of those that may follow
        credentials.check()
        async with credentials.turn():
            await self._keep_alive.rest()
            if before is not None:
                await before()
                credentials.check()  # they may have been refused meanwhile
            if begins is not None:
                begins()
            reply = await self._exchange(
                method,
                self.url(path),
                _headers(credentials, accept),
                body=body,
                params=params,
                attempt=attempt,
            )
            _judge(reply, credentials)
            return reply

    async def stream(self, path: str) -> AsyncGenerator[bytes, None]:
        """The body of a GET, piece by piece; `timeout` bounds the wait for each piece.

        Raises:
            Exception: As `request`; also `ApiError`, where the status is not 2xx.
        """
        credentials = self.credentials
        credentials.check()
        clock = aiohttp.ClientTimeout(
            total=None,
            sock_connect=self._config.connect_timeout,
            sock_read=self._config.timeout,
        )
        failure: Exception | None = None
        async with AsyncExitStack() as stack:
            try:
                async with credentials.turn():
                    response = await stack.enter_async_context(
                        self.open().get(
                            self.url(path),
                            headers=_headers(credentials, "text/csv"),
                            allow_redirects=False,
                            timeout=clock,
                        )
                    )
                    if not 200 <= response.status < 300:  # noqa: PLR2004 - the class 2xx
                        reply = await read_reply(response)
                        _judge(reply, credentials)
                        raise reply.error()
                    credentials.answered(response.status)
                async for piece in response.content.iter_any():
                    yield piece
            except AsyncSDKError:
                raise
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                failure = self._failure(error, Attempt(left=True))
        if failure is not None:
            raise failure  # outside of the handler: no context, see _failure

    def open(self) -> aiohttp.ClientSession:
        """The session, opened if it is not yet.

        Raises:
            ConfigurationError: The client is closed, or belongs to another event loop.
        """
        loop = asyncio.get_running_loop()
        if self.closed:
            msg = "this client is closed; make a new one"
            raise ConfigurationError(msg)
        if self._loop is not None and self._loop is not loop:
            msg = "this client belongs to another event loop; make one client per event loop"
            raise ConfigurationError(msg)
        self._loop = loop
        if self._session is None:
            self._session = self._new_session()
        elif self._keep_alive.trusted is False and not self._borrowed and not self._retired:
            self._retired.append(self._session)
            self._session = self._new_session()
        elif self._session.closed:
            msg = "the aiohttp session given to this client is closed"
            raise ConfigurationError(msg)
        return self._session

    def _new_session(self) -> aiohttp.ClientSession:
        """A session that uses connections again, unless the server was seen to close them."""
        connector = aiohttp.TCPConnector(
            limit=0, ssl=self._ssl or True, force_close=self._keep_alive.trusted is False
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._trust_env,
            read_bufsize=_READ_AHEAD,
        )

    async def close(self) -> None:
        """Close what was opened here; closing again does nothing."""
        self.closed = True
        if not self._borrowed and self._session is not None:
            sessions = [self._session, *self._retired]
            self._session = None
            for session in sessions:
                await session.close()

    def abandon(self) -> None:
        """Let go of the session without awaiting: for a client that was never closed."""
        self.closed = True
        if not self._borrowed and self._session is not None:
            for session in (self._session, *self._retired):
                session.detach()
            self._session = None

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: dict[str, str],
        *,
        body: bytes | None,
        params: dict[str, str] | None,
        attempt: Attempt,
    ) -> Reply:
        session = self.open()
        loop = asyncio.get_running_loop()
        began = loop.time()
        traceable = body is not None and not self._trust_env
        lease = self._keep_alive.begin(began, traceable=traceable)
        reply: Reply | None = None
        kept = False
        failure: Exception | None = None
        try:
            async with asyncio.timeout(None) as clock:
                options = self._options(body, params, attempt, clock, lease)
                async with session.request(method, url, headers=headers, **options) as response:
                    reply = await read_reply(response)
                    kept = is_kept(response)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            failure = self._failure(error, attempt)
        finally:
            self._keep_alive.end(lease, loop.time(), kept=kept)
        told = (method, url.path, loop.time() - began)
        if failure is not None or reply is None:
            logger.debug("%s %s: %s after %.3f s", *told[:2], type(failure).__name__, told[2])
            raise failure or AssertionError  # outside of the handler: no context, see _failure
        logger.debug(
            "%s %s: %d in %.3f s (request %s)", *told[:2], reply.status, told[2], reply.request_id
        )
        return reply

    def _failure(self, error: Exception, attempt: Attempt) -> Exception:
        """Our error for one of aiohttp's.

        It is not chained: some of aiohttp's hold the request's headers, and so the key, and show
        them in their repr.
        """
        if isinstance(error, TimeoutError):
            return self._timed_out(attempt)
        failure = failure_of(error, attempt)
        if isinstance(failure, StaleConnectionError):
            self._keep_alive.trusted = False
        return failure

    def _options(
        self,
        body: bytes | None,
        params: dict[str, str] | None,
        attempt: Attempt,
        clock: asyncio.Timeout,
        lease: Lease,
    ) -> dict[str, Any]:
        """Arguments of the request. Its clock starts when it leaves, not while it connects."""
        loop = asyncio.get_running_loop()

        def leaves(port: int | None = None) -> None:
            attempt.left_at = loop.time()
            clock.reschedule(attempt.left_at + self._config.timeout)
            if port is not None:
                self._keep_alive.leave(lease, port)

        def left() -> None:
            attempt.left = True

        if body is None:
            leaves()
            left()
        return {
            "data": None if body is None else Body(body, leaves, left),
            "params": params,
            "allow_redirects": False,
            "timeout": self._connecting,
        }

    def _timed_out(self, attempt: Attempt) -> NotSentError | OutcomeUnknownError:
        if attempt.left:
            msg = f"no whole reply within {self._config.timeout:g} s"
            return OutcomeUnknownError(msg)
        msg = f"no connection within {self._config.connect_timeout:g} s"
        return NotSentError(msg)


def _headers(credentials: Credentials, accept: str) -> dict[str, str]:
    return {AUTH_HEADER: credentials.token, "Accept": accept, "User-Agent": USER_AGENT}


def _judge(reply: Reply, credentials: Credentials) -> None:
    """Learn from a reply what it says of the credentials it was made with; refuse a redirect."""
    if reply.status == HTTPStatus.UNAUTHORIZED:
        error = reply.error()
        assert isinstance(error, AuthenticationError)  # noqa: S101 - 401 maps to it
        credentials.refused(error)
        raise error
    if 300 <= reply.status < 400:  # noqa: PLR2004 - the class 3xx
        msg = (
            f"HTTP {reply.status}: the server redirects elsewhere, and redirects are not "
            "followed (they would carry the API key along); check the base URL"
        )
        raise ProtocolError(msg, reply.status)
    credentials.answered(reply.status)
