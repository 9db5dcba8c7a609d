"""A server that answers as it is told and remembers what it was asked, header by header."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import define, field, frozen

from asyncsdk import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk.sandbox import Sandbox

__all__ = ["REQUEST_ID", "Asked", "Provider", "connections", "drained", "serving"]

REQUEST_ID = "0123456789abcdef0123456789abcdef"


@frozen
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


@define
class Provider:
    """What it answers next, and what it was asked."""

    status: int = 200
    body: object = field(factory=dict)
    """Bytes as they are; anything else as JSON."""
    headers: dict[str, str] = field(factory=dict)
    asked: list[Asked] = field(factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Take the request down and answer it."""
        body = await request.read()
        self.asked.append(
            Asked(request.method, request.raw_path, dict(request.headers.items()), body)
        )
        told = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"X-LOX24-REQUEST-ID": REQUEST_ID, **self.headers}
        if self.status == 204:
            return web.Response(status=204, headers=headers)
        return web.Response(
            body=told, status=self.status, headers=headers, content_type="application/ld+json"
        )

    def client(self, **options: Any) -> Client:
        """A client of it."""
        return Client(
            **{
                "client_id": 1234567,
                "api_key": "key",
                "base_url": self.url,
                "rate": None,
                **options,
            }
        )


@asynccontextmanager
async def serving(**answer: Any) -> AsyncIterator[Provider]:
    """A provider that gives this answer."""
    provider = Provider(**answer)
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()


def connections(sandbox: Sandbox) -> int:
    """How many are open at the sandbox."""
    assert sandbox._runner is not None
    assert sandbox._runner.server is not None
    return len(sandbox._runner.server.connections)


async def drained(items: AsyncIterator[object]) -> int:
    """How many items there are."""
    return len([item async for item in items])
