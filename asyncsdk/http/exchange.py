"""One HTTP exchange: when its body leaves, what comes back, and what a failure makes certain."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp
from attrs import define, frozen

from asyncsdk.errors import NotSentError, OutcomeUnknownError, api_error
from asyncsdk.wire.headers import retry_after
from asyncsdk.wire.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.abc import AbstractStreamWriter

    from asyncsdk.errors import ApiError

__all__ = [
    "Attempt",
    "Body",
    "CertificateError",
    "Reply",
    "StaleConnectionError",
    "failure_of",
    "is_kept",
    "read_reply",
]

REQUEST_ID_HEADER = "X-LOX24-REQUEST-ID"

_FIRST_PIECE = 0x10000
"""Bytes that are handed to the socket without waiting for it: an error in that means that the
connection was closed before anything left."""


class CertificateError(NotSentError):
    """The server's TLS certificate is not to be trusted: trying again cannot help."""


class StaleConnectionError(NotSentError):
    """A kept-alive connection was closed by the server before the request could be written."""


@frozen
class Reply:
    """An HTTP reply that was read to its end."""

    status: int
    body: bytes
    request_id: str | None = None
    retry_after: float | None = None
    """Seconds that the server asked to wait, or None where it did not say."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class 2xx

    def error(self) -> ApiError:
        """The typed error of a refusal (status 400 and above)."""
        problem = problem_of(self.body, self.status)
        return api_error(self.status, problem, self.request_id, self.retry_after)


@define(eq=False)
class Attempt:
    """What is known of a request while it is under way, and after it failed."""

    begun: bool = False
    """Whether its turn has come: from now on it may leave."""
    left: bool = False
    """Whether any of it was handed to an open connection."""
    left_at: float = 0.0
    """When that was, by the event loop's clock."""


class Body(aiohttp.Payload):
    """A request body that tells when it leaves."""

    def __init__(
        self, body: bytes, leaves: Callable[[int | None], None], left: Callable[[], None]
    ) -> None:
        super().__init__(body, content_type="application/json")
        self._size = len(body)
        self._leaves = leaves
        self._left = left

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text; see `aiohttp.Payload`."""
        text: str = self._value.decode(encoding, errors)
        return text

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand the body to a connection."""
        body = memoryview(self._value)
        self._leaves(_local_port(writer))
        await writer.write(body[:_FIRST_PIECE], drain=False)  # type: ignore[call-arg]
        self._left()
        if len(body) > _FIRST_PIECE:
            await writer.write(body[_FIRST_PIECE:])


def is_kept(response: aiohttp.ClientResponse) -> bool:
    """Whether the connection of a reply that was read goes back to the pool."""
    says = response.headers.get("Connection", "").lower()
    return says != "close" and response.version == aiohttp.HttpVersion11


def _local_port(writer: AbstractStreamWriter) -> int | None:
    """The local port of the connection that is written to, where it has one."""
    transport = getattr(writer, "transport", None)
    name = None if transport is None else transport.get_extra_info("sockname")
    return name[1] if isinstance(name, tuple) else None


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    """The whole reply. Of a refusal the status is enough: a broken body is as good as none."""
    try:
        body = await response.read()
    except (aiohttp.ClientError, OSError):
        if 200 <= response.status < 300:  # noqa: PLR2004 - the class 2xx
            raise
        body = b""
    headers = response.headers
    return Reply(
        status=response.status,
        body=body,
        request_id=_carried(headers.get(REQUEST_ID_HEADER)),
        retry_after=retry_after(headers.get("Retry-After"), time.time()),
    )


def _carried(text: str | None) -> str | None:
    """A header as text that can be written anywhere: bytes that are none come as surrogates."""
    return None if text is None else text.encode(errors="replace").decode()


def failure_of(error: Exception, attempt: Attempt) -> NotSentError | OutcomeUnknownError:
    """The error of an exchange that failed, other than by running out of time.

    Texts name the kind of failure, never headers or bodies.
    """
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        # aiohttp's parser, on a reply that is no HTTP
        return OutcomeUnknownError(f"the reply was not HTTP: {type(error).__name__}")
    kind = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(
        error, (aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch)
    ):
        return CertificateError(f"the server's certificate is not trusted ({kind})")
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotSentError(f"no connection ({kind})")
    if not attempt.left:
        return StaleConnectionError(f"the connection was closed before the request left ({kind})")
    return OutcomeUnknownError(f"the connection was lost before a whole reply came ({kind})")
