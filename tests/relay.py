"""A server between a client and a sandbox, which passes on all but what a test takes over."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.rig import Rig, client_at, connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from asyncsdk.sandbox import Sandbox

    Taken = Callable[[web.Request, web.Response], Awaitable[web.StreamResponse]]

__all__ = ["connected_by_relay", "relayed"]

_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding"}


@asynccontextmanager
async def relayed(sandbox: Sandbox, taken: Taken) -> AsyncIterator[str]:
    """A server that asks the sandbox, and has each reply passed through `taken`; gives its URL.

    A connection that the sandbox resets is reset towards the client as well.
    """
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def passed(request: web.Request) -> web.StreamResponse:
            try:
                return await taken(request, await _asked(session, sandbox.url, request))
            except aiohttp.ClientError:
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionResetError from None

        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", passed)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            for connection in runner.server.connections if runner.server else ():
                if connection.transport is not None:
                    connection.transport.abort()
            await runner.cleanup()


async def _asked(session: aiohttp.ClientSession, url: str, request: web.Request) -> web.Response:
    headers = {name: text for name, text in request.headers.items() if name.lower() not in _HOP}
    async with session.request(
        request.method,
        url + request.raw_path,
        headers=headers,
        data=await request.read() or None,
        allow_redirects=False,
    ) as reply:
        kept = {name: text for name, text in reply.headers.items() if name.lower() not in _HOP}
        return web.Response(status=reply.status, headers=kept, body=await reply.read())


@asynccontextmanager
async def connected_by_relay(
    taken: Taken, *, client: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Rig]:
    """A sandbox with these options, and a client that reaches it through a relay."""
    async with connected(**options) as direct, relayed(direct.sandbox, taken) as url:
        good = {"client_id": direct.sandbox.client_id, "api_key": direct.sandbox.api_key}
        async with client_at(url, **{**good, **(client or {})}) as opened:
            yield Rig(direct.sandbox, opened, direct.group_id)
