"""The session manager: credentials, one pool of connections, and the resources."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Never, Self

from asyncsdk.completion import completed
from asyncsdk.config import DEFAULT_BASE_URL, EXPOSED, ClientConfig, Rate, is_exposed
from asyncsdk.errors import ConfigurationError
from asyncsdk.http.transport import Transport
from asyncsdk.pace.credentials import Credentials
from asyncsdk.pace.pace import LocalPace
from asyncsdk.pace.requests import Requests
from asyncsdk.resources.account import AccountResource
from asyncsdk.resources.groups import GroupsResource
from asyncsdk.resources.phones import PhonesResource
from asyncsdk.secret import Secret
from asyncsdk.telemetry.settings import instrument_of
from asyncsdk.words import brief

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp

    from asyncsdk.models import Account
    from asyncsdk.pace.pace import Pace
    from asyncsdk.telemetry.settings import Telemetry
    from asyncsdk.upload.handle import Upload

__all__ = ["Client"]

DEFAULT_RATE = Rate(10, per=1.0)


class Client:
    """A client of the LOX24 SMS gateway, to be shared by any number of tasks of one event loop.

    Opens no socket before the first call. Use it with `async with`, or call `aclose` at the end;
    one that is left open warns.

    The limits of the account belong to the client: every request of it, whoever makes it, passes
    one rate, one pause, one number of connections and one guard of the credentials.

    Args:
        client_id: The account's number.
        api_key: Its API key.
        base_url: Where the API is; by default `https://api.lox24.eu`.
        rate: Requests in any window of time at most, over all that the client does; by default ten
            per second, None for no limit.
        connections: Requests under way at once at most, likewise.
        pace: In place of `rate`, a pace that is shared with other clients, of this process or, with
            `asyncsdk.integrations.redis.SharedPace`, of any. It is closed with the client, and may
            be used again.
        session: A session to borrow: its pool is used, and it is not closed.
        timeout: Seconds per attempt, from the first byte sent to the last one received; waiting
            for the rate limit or a connection does not count.
        connect_timeout: Seconds to open a connection.
        default_headers: Headers that every request carries, such as a proxy of the company's own
            may want.
        ssl: How to verify the server, for a CA of your own. A borrowed session has its own.
        trust_env: Whether to honour the proxy variables of the environment. Likewise.
        telemetry: Where traces and metrics go (needs `asyncsdk[otel]`); None: to the global
            providers of OpenTelemetry, if the program has some and `ASYNCSDK_OTEL` is not `off`.

    Raises:
        ConfigurationError: An argument is empty or cannot work.
        ImportError: `telemetry` is given and `asyncsdk[otel]` is not installed.
    """

    def __init__(
        self,
        client_id: str | int,
        api_key: str | Secret,
        *,
        base_url: str = DEFAULT_BASE_URL,
        rate: Rate | None = DEFAULT_RATE,
        connections: int = 64,
        pace: Pace | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        default_headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
        telemetry: Telemetry | None = None,
    ) -> None:
        api_key = Secret(api_key) if isinstance(api_key, str) else api_key
        config = ClientConfig(
            client_id,
            api_key,
            base_url,
            timeout,
            connect_timeout,
            rate=rate,
            connections=connections,
            default_headers=default_headers or {},
        )
        if is_exposed(config.base_url):
            warnings.warn(EXPOSED.format(config.base_url), stacklevel=2)
        pace = LocalPace(config.rate) if pace is None else _checked(pace)
        self._requests = Requests(
            Transport(
                config,
                session=session,
                ssl=ssl,
                trust_env=trust_env,
                instrument=instrument_of(telemetry, config.base_url, pace.gate.throttled),
            ),
            Credentials(config.client_id, config.api_key),
            pace,
            config.connections,
        )
        self._running: set[Upload] = set()
        self.groups: GroupsResource = GroupsResource(self._requests)
        """The account's groups."""
        self.phones: PhonesResource = PhonesResource(self._requests, self.groups, self._running)
        """The phones of a group: `upload`, `create_batch`, and single ones."""
        self._account = AccountResource(self._requests)
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_env(
        cls,
        *,
        rate: Rate | None = DEFAULT_RATE,
        connections: int = 64,
        pace: Pace | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        default_headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
        telemetry: Telemetry | None = None,
    ) -> Self:
        """A client from `ASYNCSDK_CLIENT_ID`, `ASYNCSDK_API_KEY` and, if set, `ASYNCSDK_BASE_URL`.

        The arguments are those of `Client`.

        Raises:
            ConfigurationError: A variable is missing or makes no sense.
        """
        found = ClientConfig.from_env()
        return cls(
            found.client_id,
            found.api_key,
            base_url=str(found.base_url),
            rate=rate,
            connections=connections,
            pace=pace,
            session=session,
            timeout=timeout,
            connect_timeout=connect_timeout,
            default_headers=default_headers,
            ssl=ssl,
            trust_env=trust_env,
            telemetry=telemetry,
        )

    def set_credentials(self, client_id: str | int, api_key: str | Secret) -> None:
        """Use other credentials for all requests that have not left yet, as after a 401.

        Raises:
            ConfigurationError: They are empty or impossible.
        """
        api_key = Secret(api_key) if isinstance(api_key, str) else api_key
        config = ClientConfig(client_id, api_key)
        self._requests.set_credentials(Credentials(config.client_id, config.api_key))

    async def me(self) -> Account:
        """The account that the credentials belong to: one request says whether the key is good.

        Raises:
            AuthenticationError: It is not.
            ApiError: The server refused the request for another reason.
            TransportError: No reply came.
        """
        return await self._account.get()

    async def aclose(self) -> None:
        """End the uploads that still run and close what was opened; a second call does nothing.

        It finishes whatever cancels it meanwhile, and raises the cancellation afterwards.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await completed(self._closing)

    async def _close(self) -> None:
        running = list(self._running)
        for upload in running:
            upload.cancel()
        await asyncio.gather(*(upload.wait_closed() for upload in running))
        await self._requests.transport.sessions.close()
        await self._requests.pace.aclose()

    @property
    def pace(self) -> Pace:
        """What says when a request may leave: that of the client alone, or one that it shares."""
        return self._requests.pace

    @property
    def timeout(self) -> float:
        """Seconds per attempt."""
        return self._requests.transport.timeout

    @property
    def rate(self) -> Rate | None:
        """Requests in any window of time at most; None for no limit, or where its pace has none."""
        return getattr(self._requests.pace, "rate", None)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._requests.transport.sessions.closed

    async def __aenter__(self) -> Self:
        self._requests.transport.sessions.check()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        account = self._requests.credentials.client_id
        return f"<Client {account} at {self._requests.transport.base_url}{state}>"

    def __reduce__(self) -> Never:
        msg = (
            "a client is not pickled: it holds the API key and connections. "
            "Make one in each process, with Client.from_env()"
        )
        raise TypeError(msg)

    def __del__(self) -> None:
        requests = getattr(self, "_requests", None)  # absent where __init__ raised
        if requests is not None and requests.transport.sessions.open:
            warnings.warn(
                f"{self!r} was not closed: use 'async with', or await its aclose()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )
            requests.transport.sessions.abandon()


_OF_A_PACE = ("gate", "acquire", "confirm", "release", "renew", "learn", "aclose")


def _checked(pace: Pace) -> Pace:
    if not all(hasattr(pace, name) for name in _OF_A_PACE):
        msg = f"pace must be one that is shared with other clients, or None, not {brief(pace)}"
        raise ConfigurationError(msg)
    return pace
