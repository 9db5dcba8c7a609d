"""One HTTP exchange: what is asked, when it leaves, what comes back."""

from __future__ import annotations

import asyncio
import codecs
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from asyncsdk.charsets import charset_of
from asyncsdk.errors import AsyncSDKError, OutcomeUnknownError, ProtocolError, api_error
from asyncsdk.status import is_success
from asyncsdk.value import Value
from asyncsdk.wire.headers import moment_of, retry_after
from asyncsdk.wire.problems import problem_of
from asyncsdk.words import visible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from aiohttp.abc import AbstractStreamWriter
    from yarl import URL

    from asyncsdk.errors import ApiError
    from asyncsdk.secret import Secret

__all__ = [
    "JSON_LD",
    "PLAIN_JSON",
    "Attempt",
    "Body",
    "Reply",
    "Request",
    "is_kept",
    "is_open_ended",
    "pieces_of",
    "read_reply",
]

JSON_LD = "application/ld+json"
PLAIN_JSON = "application/json, application/ld+json;q=0.5"
"""For replies that are large and of which the links of JSON-LD would be a quarter."""

_REQUEST_ID_HEADER = "X-LOX24-REQUEST-ID"
_LONGEST_ID = 200
"""Characters of it that are kept: it stands in each result, log and report."""

_LEAST_ROOM = 8 << 20
_ROOM_FOR_EACH = 32
"""Bytes of a reply at most: so many, and so many more for each byte that was sent."""

_LARGEST_STREAM = 1 << 30
"""Bytes of a reply that is read piece by piece, unpacked: five million phones with texts."""
_SLOW_START = 600.0
_SLOWEST = 1000
"""Seconds that may be waited for the pieces of such a reply in all; and bytes for which there is
one more: with less in each of them, a large one would not end within days."""
_LONGEST_STREAM = 6 * 3600.0
"""Seconds that may be waited for them whatever comes."""

_FIRST_PIECE = 0x10000
"""Bytes that are handed to the socket without waiting for it: an error in that means that the
connection was closed before anything left."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # it begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, which some servers put before JSON: a reader may ignore them (RFC 8259)."""

_MARKED = frozenset(mark[:1] for mark, _ in _MARKS)
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class Request(Value, frozen=True):
    """What is asked of the server."""

    method: str
    path: str | URL
    """Path below the base URL, beginning with a slash; or a whole URL of the server."""
    body: bytes | None = None
    """JSON to send."""
    accept: str = JSON_LD
    """The formats in which the reply may come."""
    rows: int = 0
    """How many there are in the body, where it is a batch."""

    @property
    def most(self) -> int:
        """Bytes of its reply at most, unpacked; a usual one has three to ten for each that left."""
        return _LEAST_ROOM + _ROOM_FOR_EACH * len(self.body or b"")

    def carrying(self, body: bytes, rows: int) -> Request:
        """The same, with this body of so many rows."""
        return Request(self.method, self.path, body, self.accept, rows)


class Reply(Value, frozen=True):
    """An HTTP reply that was read to its end."""

    status: int
    body: bytes
    request_id: str | None = None
    retry_after: float | None = None
    """Seconds that a server which refused asked to wait, or None where it did not say."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return is_success(self.status)

    def error(self) -> ApiError:
        """The typed error of a refusal (status 400 and above)."""
        problem = problem_of(self.body, self.status)
        return api_error(self.status, problem, self.request_id, self.retry_after)


class Attempt(msgspec.Struct, eq=False):
    """What is known of one request, from its permit to its end."""

    permitted: bool = False
    """Whether pause and rate were waited for before it was known what it carries."""
    begun: bool = False
    """Whether it has its permit: from now on it may leave."""
    left: bool = False
    """Whether any of it was handed to an open connection."""
    withdrawn: bool = False
    """Whether it must not leave any more."""
    left_at: float = 0.0
    """When that was, by the event loop's clock."""
    epoch: int = 0
    """The pauses of its client before it had its permit; see `Gate`."""
    resends: int = 0
    """How many requests before it carried the same."""
    streak: int = 0
    """Once it was refused for now: how many pauses in a row that makes."""
    token: Secret | None = None
    """The credentials that its permit is for."""
    renew: Callable[[], Awaitable[None]] | None = None
    """Returns when its permit holds, also if it took long to connect."""
    failure: AsyncSDKError | None = None
    """Why its permit was not renewed."""
    open_ended: bool = False
    """Whether its reply ends with the connection: one that is cut off looks like a whole one."""


class Body(aiohttp.Payload):
    """A request body that says when it leaves, and does not leave once it is withdrawn.

    Args:
        body: The bytes.
        attempt: Kept up to date.
        leaving: Called with the local port, if there is one, right before the first byte.
    """

    def __init__(
        self, body: bytes, attempt: Attempt, leaving: Callable[[int | None], None]
    ) -> None:
        super().__init__(body, content_type="application/json")
        self._size = len(body)
        self._attempt = attempt
        self._leaving = leaving

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text: every `aiohttp.Payload` has to offer that."""
        text: str = self._value.decode(encoding, errors)
        return text

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand the body to a connection."""
        attempt = self._attempt
        if attempt.renew is not None:
            await self._renew(attempt.renew)
        self._check()
        body = memoryview(self._value)
        first = body[:_FIRST_PIECE]
        self._leaving(_local_port(writer))
        if attempt.renew is not None:  # it holds, unless this process has stood still since
            await self._renew(attempt.renew)
            attempt.renew = None
        self._check()  # the last look
        # Without draining nothing else runs before it is noted that the first bytes have left.
        await writer.write(first, drain=False)  # type: ignore[call-arg]
        # A busy machine may have held this process up on the way: now it has left for certain.
        attempt.left, attempt.left_at = True, asyncio.get_running_loop().time()
        if len(body) > _FIRST_PIECE:
            await writer.write(body[_FIRST_PIECE:])

    async def _renew(self, renew: Callable[[], Awaitable[None]]) -> None:
        try:
            await renew()
        except AsyncSDKError as error:  # of whatever is raised here aiohttp makes its own
            self._attempt.failure, self._attempt.withdrawn = error, True

    def _check(self) -> None:
        if self._attempt.withdrawn:
            msg = "the request was withdrawn"
            raise aiohttp.ClientConnectionResetError(msg)


def is_kept(response: aiohttp.ClientResponse) -> bool:
    """Whether the connection of a reply that was read goes back to the pool."""
    says = response.headers.get("Connection", "").lower()
    return says != "close" and response.version == aiohttp.HttpVersion11


def is_open_ended(response: aiohttp.ClientResponse) -> bool:
    """Whether nothing but the end of the connection says where a reply ends."""
    return not {"Content-Length", "Transfer-Encoding"}.intersection(response.headers)


def _local_port(writer: AbstractStreamWriter) -> int | None:
    """The local port of the connection that is written to, where it has one."""
    transport = getattr(writer, "transport", None)
    name = None if transport is None else transport.get_extra_info("sockname")
    return name[1] if isinstance(name, tuple) else None


async def read_reply(response: aiohttp.ClientResponse, request: Request) -> Reply:
    """The whole reply. Of a refusal the status is enough: a broken body is as good as none.

    Raises:
        OutcomeUnknownError: It has more bytes than such a reply may have.
        ProtocolError: Likewise, where nothing was to be changed.
    """
    try:
        body = await _read(response, request)
    except (aiohttp.ClientError, OSError, OutcomeUnknownError, ProtocolError):
        if is_success(response.status):
            raise
        body = b""
    return Reply(
        status=response.status,
        body=_as_utf_8(body, response),
        request_id=_printable(response.headers.get(_REQUEST_ID_HEADER)),
        retry_after=None if is_success(response.status) else _retry_after(response.headers),
    )


async def _read(response: aiohttp.ClientResponse, request: Request) -> bytes:
    content, pieces, size, most = response.content, [], 0, request.most
    while not content.at_eof():
        piece = await content.readany()
        pieces.append(piece)
        size += len(piece)
        if size > most:
            response.close()  # what is left of it is not wanted
            msg = f"the reply has more than {request.most:,} bytes, far above what was asked for"
            raise ProtocolError(msg) if request.method == "GET" else OutcomeUnknownError(msg)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def pieces_of(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The body of a reply, piece by piece. What the reader does meanwhile takes none of its time.

    Raises:
        ProtocolError: It has no end: too many bytes, or too few in too long a time.
    """
    clock = asyncio.get_running_loop().time
    size, waited = 0, 0.0
    while True:
        began = clock()
        piece = await response.content.readany()
        if not piece:
            return
        size += len(piece)
        waited += clock() - began
        if size > _LARGEST_STREAM:
            why = f"more than {_LARGEST_STREAM:,} bytes came"
        elif waited > min(_SLOW_START + size / _SLOWEST, _LONGEST_STREAM):
            why = f"only {size:,} bytes came in {waited:,.0f} s"
        else:
            yield piece
            continue
        response.close()
        msg = f"the reply has no end: {why}, and it was not read on"
        raise ProtocolError(msg)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    asked = headers.get("Retry-After")
    if asked is None:
        return None
    now = moment_of(headers.get("Date")) or time.time()  # our clock may be wrong, not theirs
    return retry_after(asked, now)


def _as_utf_8(body: bytes, response: aiohttp.ClientResponse) -> bytes:
    """A body as JSON has to be: in UTF-8, without a byte order mark."""
    if body[:1] in _MARKED:
        for mark, encoding in _MARKS:
            if body.startswith(mark):
                return _encoded_anew(body[len(mark) :], encoding)
    if "charset" not in response.headers.get("Content-Type", "").lower():
        return body
    charset = response.charset
    named = None if charset is None or charset.lower() in _UTF_8 else charset_of(charset)
    return body if named is None else _encoded_anew(body, named)


def _encoded_anew(body: bytes, encoding: str) -> bytes:
    try:
        return body if encoding == "utf-8" else body.decode(encoding).encode()
    except UnicodeError:
        return body  # whoever reads it says what is wrong


def _printable(text: str | None) -> str | None:
    """A header as text that can be written anywhere; bytes that are none come as surrogates."""
    if text is None or (text.isprintable() and len(text) <= _LONGEST_ID):
        return text
    return visible(text.encode(errors="replace").decode()[:_LONGEST_ID])
