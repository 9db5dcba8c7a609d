"""The aiohttp sessions of a client: one that is borrowed, or those that it opens when needed."""

from __future__ import annotations

import asyncio
from ssl import SSLContext

import aiohttp

from asyncsdk.errors import ConfigurationError
from asyncsdk.words import brief

__all__ = ["HEADER_LIMITS", "READ_AHEAD", "Sessions"]

READ_AHEAD = 1 << 19
"""Argument of a request: bytes of its reply that may wait to be read. That is more than a usual
one has, so that the socket is not paused and resumed within it."""

HEADER_LIMITS = {"max_line_size": 1 << 16, "max_field_size": 1 << 16, "max_headers": 1 << 10}
"""Arguments of a request: what its reply may have of headers. What cannot be read is a batch of
unknown fate, so this is far above what aiohttp takes by default."""

_BREAKING = frozenset({"content-encoding", "content-length", "expect", "transfer-encoding"})
"""Headers of a session that make of a body another one, or wait for a reply that need not come."""


class Sessions:
    """Connections to a server, without a limit of their own: whoever sends bounds its requests.

    Args:
        borrowed: A session that is used, and never closed.
        ssl: How to verify the server.
        trust_env: Whether to honour the proxy variables of the environment.

    Raises:
        ConfigurationError: One of them is none.
    """

    def __init__(
        self,
        borrowed: aiohttp.ClientSession | None,
        *,
        ssl: SSLContext | None,
        trust_env: bool,
    ) -> None:
        _check("session", borrowed, aiohttp.ClientSession, type(None))
        _check("ssl", ssl, SSLContext, type(None))
        _check("trust_env", trust_env, bool)
        for name in () if borrowed is None else borrowed.headers:
            if name.lower() in _BREAKING:
                msg = f"the session has {name} among the headers of all its requests: leave it out"
                raise ConfigurationError(msg)
        self._borrowed = borrowed
        self._ssl = ssl
        self._trust_env = trust_env
        self._opened: dict[bool, aiohttp.ClientSession] = {}
        """By whether they use connections again."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed: bool = False

    @property
    def borrowed(self) -> bool:
        """Whether it is somebody else's session that is used."""
        return self._borrowed is not None

    @property
    def traceable(self) -> bool:
        """Whether a connection is one to the server itself, so that its port names it."""
        return not self._trust_env

    @property
    def open(self) -> bool:
        """Whether there is something that `close` would have to close."""
        return not self.closed and bool(self._opened)

    @property
    def pool_size(self) -> int | None:
        """How many connections a borrowed session allows; None where there is no limit."""
        connector = self._borrowed.connector if self._borrowed else None
        return connector.limit or None if connector is not None else None

    def check(self) -> None:
        """Do nothing if a request can be made here and now.

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
        if self._borrowed is not None and self._borrowed.closed:
            msg = "the aiohttp session given to this client is closed"
            raise ConfigurationError(msg)

    def get(self, *, reusing: bool) -> aiohttp.ClientSession:
        """The session, opened if it is not yet.

        Args:
            reusing: Whether its connections may have been used before.

        Raises:
            ConfigurationError: As for `check`.
        """
        session = self._opened.get(reusing)
        if session is not None and not self.closed:
            return session
        self.check()
        if self._borrowed is not None:
            return self._borrowed
        session = self._opened[reusing] = self._new(reusing=reusing)
        return session

    def _new(self, *, reusing: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=self._ssl or True, force_close=not reusing)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._trust_env,
        )

    async def close(self) -> None:
        """Close what was opened here; closing again does nothing."""
        self.closed = True
        while self._opened:
            _, session = self._opened.popitem()
            await session.close()

    def abandon(self) -> None:
        """Let go of what was opened without awaiting: for a client that was never closed."""
        self.closed = True
        while self._opened:
            _, session = self._opened.popitem()
            session.detach()


def _check(name: str, value: object, *kinds: type) -> None:
    if not isinstance(value, kinds):
        ways = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        msg = f"{name} must be a {ways}, not {brief(value)}"
        raise ConfigurationError(msg)
