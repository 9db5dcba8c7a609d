"""What all resources do alike: one typed exchange, and pages one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from yarl import URL

from asyncsdk.config import RetryPolicy
from asyncsdk.errors import ConfigurationError, ProtocolError
from asyncsdk.models import Account, CreatedPhone, Group
from asyncsdk.upload.patience import patiently
from asyncsdk.wire.resources import decode_object, decode_page, encode_object

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from asyncsdk.http.exchange import Reply
    from asyncsdk.http.transport import Transport

__all__ = ["Resource", "whole_number"]

T = TypeVar("T", Account, CreatedPhone, Group)

_IDEMPOTENT = {"GET", "PUT", "DELETE"}  # RFC 9110 §9.2.2
_POLICY = RetryPolicy()


class Resource:
    """Operations over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _ask(
        self, method: str, path: str | URL, fields: Mapping[str, object] | None = None
    ) -> Reply:
        """The reply to a request; a refusal is raised.

        Idempotent methods are repeated while they fail for a reason that passes.
        """
        body = None if fields is None else encode_object(fields)

        async def once() -> Reply:
            reply = await self._transport.request(method, path, body=body)
            if not reply.ok:
                raise reply.error()
            return reply

        return await patiently(_POLICY, once) if method in _IDEMPOTENT else await once()

    async def _list(self, path: str, kind: type[T]) -> AsyncIterator[T]:
        """The members of all pages."""
        url: str | URL | None = path
        seen: set[str | URL] = set()
        while url is not None and url not in seen:
            seen.add(url)
            page = decode_page((await self._ask("GET", url)).body)
            for member in page.members:
                yield decode_object(member, kind)
            url = None if page.next is None else self._same_host(page.next)

    def _same_host(self, link: str) -> URL:
        """Where a link leads, if that is this server: the key goes nowhere else.

        Raises:
            ProtocolError: It leads elsewhere.
        """
        base = self._transport.base_url
        url = base.join(URL(link))
        if url.origin() != base.origin():
            msg = f"the next page is said to be at {url.host}, another server; it was not asked"
            raise ProtocolError(msg)
        return url


def whole_number(name: str, value: object) -> int:
    """An id as paths need it.

    Raises:
        ConfigurationError: It is none.
    """
    if type(value) is not int or value < 1:
        msg = f"{name} must be a whole number of at least 1, not {value!r}"
        raise ConfigurationError(msg)
    return value
