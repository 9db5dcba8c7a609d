"""Servers that are worse than any real one: raw sockets, byte by byte."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

__all__ = ["answer", "read_request", "serving"]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that hands each connection to `handler`; gives its base URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> list[str]:
    """Read one POST; gives the numbers in its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    assert length is not None
    body = json.loads(await reader.readexactly(int(length[1])))
    return [row["phone"] for row in body]


def answer(numbers: list[str], extra: str = "") -> bytes:
    """A whole reply that every one of these was created."""
    members = [
        {"status": 201, "body": {"id": str(i), "phone": number}}
        for i, number in enumerate(numbers, 1)
    ]
    body = json.dumps({"hydra:member": members}).encode()
    head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body
