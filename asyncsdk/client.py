"""The session manager: credentials, one pool of connections, and the resources."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Self

from asyncsdk.config import DEFAULT_BASE_URL, ClientConfig
from asyncsdk.credentials import Credentials
from asyncsdk.http.transport import Transport
from asyncsdk.resources.account import AccountResource
from asyncsdk.resources.groups import GroupsResource
from asyncsdk.resources.phones import PhonesResource

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import aiohttp

    from asyncsdk.models import Account
    from asyncsdk.upload.handle import Upload

__all__ = ["Client"]


class Client:
    """A client of the LOX24 SMS gateway, to be shared by any number of tasks of one event loop.

    Opens no socket before the first call. Use it with `async with`, or call `aclose` at the end;
    one that is left open warns.

    Args:
        client_id: The account's number.
        api_key: Its API key.
        base_url: Where the API is.
        session: A session to borrow: its pool is used, and it is not closed.
        timeout: Seconds per attempt, from the first byte sent to the last one received; waiting
            for the rate limit or a connection does not count.
        connect_timeout: Seconds to open a connection.
        ssl: How to verify the server, for a CA of your own. A borrowed session has its own.
        trust_env: Whether to honour the proxy variables of the environment. Likewise.

    Raises:
        ConfigurationError: An argument is empty or cannot work.
    """

    def __init__(
        self,
        client_id: str | int,
        api_key: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
    ) -> None:
        config = ClientConfig(client_id, api_key, base_url, timeout, connect_timeout)
        self._config = config
        self._transport = Transport(config, session=session, ssl=ssl, trust_env=trust_env)
        self._running: set[Upload] = set()
        self.groups = GroupsResource(self._transport)
        """The account's groups."""
        self.phones = PhonesResource(self._transport, self.groups, self._running)
        """The phones of a group: `upload`, `create_batch`, and single ones."""
        self._account = AccountResource(self._transport)

    @classmethod
    def from_env(
        cls,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        ssl: ssl.SSLContext | None = None,
        trust_env: bool = False,
    ) -> Self:
        """A client from `ASYNCSDK_CLIENT_ID`, `ASYNCSDK_API_KEY` and, if set, `ASYNCSDK_BASE_URL`.

        Raises:
            ConfigurationError: A variable is missing or makes no sense.
        """
        found = ClientConfig.from_env()
        return cls(
            found.client_id,
            found.api_key,
            base_url=str(found.base_url),
            session=session,
            timeout=timeout,
            connect_timeout=connect_timeout,
            ssl=ssl,
            trust_env=trust_env,
        )

    def set_credentials(self, client_id: str | int, api_key: str) -> None:
        """Use other credentials from the next request on, as after a 401.

        Raises:
            ConfigurationError: They are empty or impossible.
        """
        config = ClientConfig(client_id, api_key)
        self._transport.credentials = Credentials(config.client_id, config.api_key)

    async def me(self) -> Account:
        """The account that the credentials belong to: one request says whether the key is good.

        Raises:
            AuthenticationError: It is not.
            ApiError: The server refused the request for another reason.
            TransportError: No reply came.
        """
        return await self._account.get()

    async def aclose(self) -> None:
        """End the uploads that still run and close what was opened; a second call does nothing."""
        running = list(self._running)
        for upload in running:
            upload.cancel()
        await asyncio.gather(*(upload.wait_closed() for upload in running))
        await self._transport.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._transport.closed

    async def __aenter__(self) -> Self:
        self._transport.open()
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
        return f"<Client {self._config.client_id} at {self._config.base_url}{state}>"

    def __del__(self) -> None:
        transport = getattr(self, "_transport", None)  # absent where __init__ raised
        if transport is not None and transport.holds_connections:
            warnings.warn(
                f"{self!r} was not closed: use 'async with', or await its aclose()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )
            transport.abandon()
