"""The one door to aiohttp: requests whose reply is read whole, and streams."""

from __future__ import annotations

import asyncio
import logging
import platform
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from asyncsdk._version import __version__
from asyncsdk.errors import AsyncSDKError, NotSentError, OutcomeUnknownError
from asyncsdk.http.certainty import StaleConnectionError
from asyncsdk.http.exchange import Body, Reply, is_kept, pieces_of, read_reply
from asyncsdk.http.failures import failure_of
from asyncsdk.http.keepalive import KeepAlive
from asyncsdk.http.sessions import HEADER_LIMITS, READ_AHEAD, Sessions
from asyncsdk.status import is_success

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from asyncsdk.config import ClientConfig
    from asyncsdk.http.exchange import Attempt, Request
    from asyncsdk.http.keepalive import Lease

__all__ = ["Transport"]

logger = logging.getLogger("asyncsdk")
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
    ) -> None:
        self.base_url = config.base_url
        self._timeout = config.timeout
        self._connect_timeout = config.connect_timeout
        given = config.default_headers
        agent = {} if "user-agent" in map(str.lower, given) else {"User-Agent": USER_AGENT}
        self._headers = {**agent, **given}
        self._keep_alive = KeepAlive()
        self.sessions = Sessions(session, ssl=ssl, trust_env=trust_env)
        self._whole, self._piece = (
            aiohttp.ClientTimeout(
                total=None,
                # of a borrowed session it would include the wait for a place in its pool
                connect=None if session else config.connect_timeout,
                sock_connect=config.connect_timeout,
                sock_read=between_bytes,
            )
            for between_bytes in (None, config.timeout)
        )

    def url(self, path: str | URL) -> URL:
        """The whole URL of a path below the base URL; a whole one as it is."""
        if isinstance(path, URL):
            return path
        return _joined(self.base_url, path)

    async def rest(self) -> None:
        """Wait until a connection may be used; see `KeepAlive.rest`."""
        if self._keep_alive.trusted is None:
            await self._keep_alive.rest()

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
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._exchange(request, headers, attempt, whole=True) as response:
                reply = await read_reply(response, request)
        except AsyncSDKError as error:
            self._log(request, loop.time() - began, type(error).__name__)
            raise
        self._log(request, loop.time() - began, reply.status, reply.request_id)
        return reply

    def _log(
        self, request: Request, seconds: float, result: object, request_id: str | None = None
    ) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            path = self.url(request.path).path
            end = f" (request {request_id})" if request_id else ""
            logger.debug("%s %s: %s in %.3f s%s", request.method, path, result, seconds, end)

    @asynccontextmanager
    async def stream(
        self, request: Request, headers: Mapping[str, str], attempt: Attempt
    ) -> AsyncIterator[tuple[Reply, AsyncGenerator[bytes, None]]]:
        """A reply of which the body is read piece by piece, if it is a 2xx: then it has none here.

        `timeout` bounds the wait for each piece. Arguments and errors as for `send`.

        Raises:
            ProtocolError: The pieces have no end; see `pieces_of`.
        """
        async with self._exchange(request, headers, attempt, whole=False) as response:
            if is_success(response.status):
                yield Reply(response.status, b""), pieces_of(response)
            else:
                yield await read_reply(response, request), pieces_of(response)

    @asynccontextmanager
    async def _exchange(
        self, request: Request, headers: Mapping[str, str], attempt: Attempt, *, whole: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A reply that has begun. Whatever fails until it is read becomes an error of ours."""
        loop = asyncio.get_running_loop()
        session = self.sessions.get(reusing=self._keep_alive.reusing(loop.time()))
        traceable = request.body is not None and self.sessions.traceable
        lease = self._keep_alive.begin(loop.time(), traceable=traceable)
        failure: Exception | None = None
        kept = False
        try:
            async with asyncio.timeout(None) as clock:
                options = self._options(request, attempt, lease, clock, whole=whole)
                asked = session.request(
                    request.method,
                    self.url(request.path),
                    headers={**self._headers, **headers, "Accept": request.accept},
                    **options,
                )
                async with asked as response:
                    yield response
                    kept = is_kept(response)
        except AsyncSDKError:
            raise
        except _FOREIGN as error:
            failure = self._failure(error, attempt)
        finally:
            self._keep_alive.end(lease, loop.time(), kept=kept)
        if failure is not None:
            raise failure  # outside of the handler: no context, see _failure

    def _failure(self, error: Exception, attempt: Attempt) -> Exception:
        """Our error for one of aiohttp's.

        It is not chained: some of aiohttp's hold the request's headers, and so the key, and show
        them in their repr.
        """
        if isinstance(error, TimeoutError):
            return self._timed_out(error, attempt)
        failure = failure_of(error, attempt)
        if isinstance(failure, StaleConnectionError):
            self._keep_alive.lost(asyncio.get_running_loop().time())
        return failure

    def _timed_out(
        self, error: TimeoutError, attempt: Attempt
    ) -> NotSentError | OutcomeUnknownError:
        if attempt.left and not isinstance(error, aiohttp.ConnectionTimeoutError):
            return OutcomeUnknownError(f"no whole reply within {self._timeout:g} s")
        return NotSentError(f"no connection within {self._connect_timeout:g} s")

    def _options(
        self,
        request: Request,
        attempt: Attempt,
        lease: Lease,
        clock: asyncio.Timeout,
        *,
        whole: bool,
    ) -> dict[str, Any]:
        """Arguments of the request. Its clock starts when it leaves, not while it connects."""
        loop = asyncio.get_running_loop()

        def leaving(port: int | None = None) -> None:
            attempt.left_at = loop.time()
            if whole:
                clock.reschedule(attempt.left_at + self._timeout)
            if port is not None:
                self._keep_alive.leave(lease, port, attempt.left_at)

        body = None if request.body is None else Body(request.body, attempt, leaving)
        if body is None:
            leaving()
            attempt.left = True
        return {
            "data": body,
            "allow_redirects": False,
            "timeout": self._whole if whole else self._piece,
            "read_bufsize": READ_AHEAD,
            **HEADER_LIMITS,
        }


@lru_cache(64)  # an upload asks for the same one all the time
def _joined(base_url: URL, path: str) -> URL:
    return base_url.joinpath(*path.strip("/").split("/"))
