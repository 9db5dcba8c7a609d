"""Faults of the connection and of whole replies, each as a response that misbehaves.

aiohttp takes a `ConnectionError` out of `prepare` for a client that left, and cleans up without a
word: that is the way out for everything that is no HTTP.
"""

from __future__ import annotations

import socket
import struct
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web

from asyncsdk.sandbox.problems import Refusal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from aiohttp.abc import AbstractStreamWriter

    from asyncsdk.sandbox.replies import Replies

__all__ = ["HangUp", "Reset", "refused", "wrecked"]

_HTML = b"<html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body></html>"
_ELSEWHERE = "https://elsewhere.invalid/groups"
_NOW = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset, not an end


class HangUp(web.Response):
    """No reply: the connection ends."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """End the connection where a reply would begin."""
        if request.transport is not None:
            self._end(request.transport)
        msg = "the sandbox hung up on purpose"
        raise ConnectionResetError(msg)

    def _end(self, transport: asyncio.Transport) -> None:
        transport.close()


class Reset(HangUp):
    """The connection is reset."""

    def _end(self, transport: asyncio.Transport) -> None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
        transport.abort()


class Raw(HangUp):
    """These bytes, and the end of the connection."""

    def __init__(self, data: bytes, *, status: int) -> None:
        super().__init__(status=status)
        self._data = data

    def _end(self, transport: asyncio.Transport) -> None:
        transport.write(self._data)
        transport.close()


class Closing(web.Response):
    """A good reply after which the connection is closed, though the reply promised to keep it."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Begin the reply."""
        self._transport = request.transport
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """End the reply, and the connection with it."""
        await super().write_eof(data)
        if self._transport is not None:
            self._transport.close()


def refused(fault: str, replies: Replies, *, retry_after: float, wall: float) -> web.Response:
    """The answer to a request that this fault keeps from being processed.

    Args:
        fault: Its name.
        replies: Words the refusals.
        retry_after: Seconds that the client is asked to wait, where it is.
        wall: Now, in unix seconds.
    """
    if fault.startswith("reset"):
        return Reset()
    if fault == "301":
        return web.Response(status=301, headers={"Location": _ELSEWHERE})
    number, _, kind = fault.partition("-")
    status = int(number)
    if status in (413, 502, 504):
        return _page(status)
    headers = {}
    if kind == "after":
        headers["Retry-After"] = f"{retry_after:.0f}"
    elif kind == "date":
        headers["Retry-After"] = formatdate(wall + retry_after, usegmt=True)
    return replies.refusal(Refusal(status), headers)


def wrecked(fault: str | None, reply: web.StreamResponse, replies: Replies) -> web.StreamResponse:
    """What becomes of the reply to a request that was processed."""
    if fault in ("500-after", "502-after", "504-after"):
        return refused(fault.removesuffix("-after"), replies, retry_after=0, wall=0)
    wreck = _WRECKS.get(fault or "")
    return wreck(reply) if wreck and isinstance(reply, web.Response) else reply


def _page(status: int) -> web.Response:
    return web.Response(body=_HTML, status=status, content_type="text/html")


def _body(reply: web.Response) -> bytes:
    return bytes(reply.body) if isinstance(reply.body, (bytes, bytearray)) else b""


def _head(reply: web.Response, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def _truncated(reply: web.Response) -> web.Response:
    body = _body(reply)
    data = _head(reply, f"Content-Length: {len(body)}") + body[: len(body) // 2]
    return Raw(data, status=reply.status)


def _truncated_without_length(reply: web.Response) -> web.Response:
    body = _body(reply)
    return Raw(_head(reply, "Connection: close") + body[: len(body) // 2], status=reply.status)


def _garbage(reply: web.Response) -> web.Response:
    return Raw(b"WAP/0.9 all is well\x00\r\n\r\n" + _body(reply), status=reply.status)


def _closing(reply: web.Response) -> web.Response:
    return Closing(body=_body(reply), status=reply.status, headers=reply.headers)


def _bad_gzip(reply: web.Response) -> web.Response:
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return web.Response(body=_body(reply), status=reply.status, headers=headers)


def _empty(reply: web.Response) -> web.Response:
    return web.Response(status=reply.status, content_type=reply.content_type)


_WRECKS: dict[str, Callable[[web.Response], web.Response]] = {
    "reset-after": lambda _reply: Reset(),
    "truncate": _truncated,
    "truncate-nolength": _truncated_without_length,
    "garbage": _garbage,
    "close": _closing,
    "bad-gzip": _bad_gzip,
    "empty": _empty,
    "not-json": lambda reply: _page(reply.status),
}
