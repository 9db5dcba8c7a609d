"""A name whose server can be taken away, in each of the ways in which a network fails."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

from asyncsdk.sandbox import Sandbox
from tests.failures.raw import serving
from tests.rig import Rig, client_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk import Client

__all__ = ["HOST", "OUTAGES", "Network", "networked"]

HOST = "gateway.test"

OUTAGES = ("refused", "dns", "connect timeout", "reset in the handshake", "closed in the handshake")


class Network(AbstractResolver):
    """Where the name leads to, and who tries to connect there."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wrong: dict[str, int] = {}
        self._fault: str | None = None
        self.attempts = list[float]()
        """When a connection was begun while the server was away."""
        self.at_once = 0
        """The most that were begun and had not come to their end."""
        self._open = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Where the server is, or what stands in its place."""
        assert host == HOST
        assert port
        if self._fault == "dns":
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        there = self._port if self._fault is None else self._wrong[self._fault]
        found = ResolveResult(
            hostname=host, host="127.0.0.1", port=there, family=family, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Nothing is held."""

    def lead_to(self, name: str, port: int) -> None:
        """Let the name lead there while this is what is wrong."""
        self._wrong[name] = port

    async def take_away(self, sandbox: Sandbox, fault: str) -> None:
        """End the connections that there are, and let no other come about."""
        self._fault = fault
        self.attempts.clear()
        self.at_once = 0
        await sandbox.drop_connections()
        await asyncio.sleep(0.1)  # the client has noticed: what leaves now has to connect

    def give_back(self) -> None:
        """Let connections come about again."""
        self._fault = None

    def watching(self) -> aiohttp.TraceConfig:
        """Notes for a session what it tries while the server is away."""
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_start.append(self._begun)
        trace.on_connection_create_end.append(self._ended)
        trace.on_request_exception.append(self._ended)
        return trace

    async def _begun(self, _session: object, context: Any, _params: object) -> None:
        context.connecting = True
        self._open += 1
        if self._fault is not None:
            self.attempts.append(asyncio.get_running_loop().time())
            self.at_once = max(self.at_once, self._open)

    async def _ended(self, _session: object, context: Any, _params: object) -> None:
        if getattr(context, "connecting", False):
            context.connecting = False
            self._open -= 1


@asynccontextmanager
async def networked(*, tls: bool = False, **client: Any) -> AsyncIterator[tuple[Rig, Network]]:
    """A sandbox behind a name, a client of it, and the network between them."""
    authority = trustme.CA()
    async with AsyncExitStack() as stack:
        served = _serving_as(HOST, authority) if tls else None
        sandbox = await stack.enter_async_context(Sandbox(ssl=served, latency=0.05, hosts=[HOST]))
        group = sandbox.add_group("people")
        network = Network(sandbox.port)
        network.lead_to("refused", _closed_port())
        network.lead_to("connect timeout", _black_hole(stack))
        for name, handler in (("reset", _resets), ("closed", _closes)):
            url = await stack.enter_async_context(serving(handler))
            network.lead_to(f"{name} in the handshake", int(url.rpartition(":")[2]))
        alien = await stack.enter_async_context(
            Sandbox(ssl=_serving_as(HOST, trustme.CA()), hosts=[HOST])
        )
        network.lead_to("wrong certificate", alien.port)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=network, use_dns_cache=False, ssl=trusting if tls else True
                ),
                trace_configs=[network.watching()],
            )
        )
        opened = await stack.enter_async_context(_client(sandbox, session, tls=tls, **client))
        yield Rig(sandbox, opened, group), network


def _client(
    sandbox: Sandbox, session: aiohttp.ClientSession, *, tls: bool, **options: Any
) -> Client:
    url = f"{'https' if tls else 'http'}://{HOST}:{sandbox.port}"
    good = {"client_id": sandbox.client_id, "api_key": sandbox.api_key, "session": session}
    return client_at(url, **{**good, **options})


def _serving_as(host: str, authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _black_hole(stack: AsyncExitStack) -> int:
    """A port that answers no request for a connection: its queue is full."""
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
    return int(listener.getsockname()[1])
