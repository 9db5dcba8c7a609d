"""What all resources do alike: one typed exchange, and pages one after the other."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

from yarl import URL

from asyncsdk.config import RetryPolicy
from asyncsdk.errors import AsyncSDKError, NotFoundError, ProtocolError
from asyncsdk.http.certainty import Verdict, verdict_of_error
from asyncsdk.http.exchange import Request
from asyncsdk.models import Account, CreatedPhone, Group
from asyncsdk.pace.retrying import Retrying
from asyncsdk.wire.resources import decode_object, decode_page, encode_object

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from asyncsdk.http.exchange import Attempt, Reply
    from asyncsdk.pace.requests import Requests

__all__ = ["Resource"]

T = TypeVar("T", Account, CreatedPhone, Group)

_IDEMPOTENT = {"GET", "PUT"}  # RFC 9110 §9.2.2
_PAGES = 100_000
_IDLE_PAGES = 3
"""Pages of a list at most, and those in a row that may bring nothing new."""
_LONGEST_LINK = 1 << 13
"""Characters of a link: servers take no longer ones themselves (RFC 9110 §4.1 asks for 8,000)."""
_POLICY = RetryPolicy()
_ONCE = RetryPolicy(attempts=1)


class Resource:
    """Operations of one client."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._retrying = Retrying(_POLICY, requests.pace.gate, Random())
        self._single = Retrying(_ONCE, requests.pace.gate, Random())
        """Makes one request, whose refusal for now pauses all the same."""

    async def _ask(
        self, method: str, path: str | URL, fields: Mapping[str, object] | None = None
    ) -> Reply:
        """The reply to a request; a refusal is raised.

        It is made again while it fails for a reason that passes: where it was certainly not
        processed, and with an idempotent method also where it may have been.
        """
        request = Request(method, path, None if fields is None else encode_object(fields))
        return await self._retrying.call(
            lambda attempt: self._once(request, attempt), idempotent=method in _IDEMPOTENT
        )

    async def _delete(self, path: str) -> None:
        """Delete what is there; a refusal is raised, and it is made again as in `_ask`.

        Where one request was not answered and the next one finds nothing, the first has deleted it.
        """
        request, unanswered = Request("DELETE", path), False

        async def once(attempt: Attempt) -> None:
            nonlocal unanswered
            try:
                await self._once(request, attempt)
            except NotFoundError:
                if not unanswered:
                    raise
            except AsyncSDKError as error:
                unanswered = unanswered or verdict_of_error(error) is Verdict.DOUBT
                raise

        await self._retrying.call(once, idempotent=True)

    async def _once(self, request: Request, attempt: Attempt) -> Reply:
        """The reply to one request; a refusal is raised."""
        reply = await self._requests.send(request, attempt=attempt)
        if not reply.ok:
            raise reply.error()
        return reply

    async def _list(self, path: str, kind: type[T]) -> AsyncIterator[T]:
        """The members of all pages.

        Raises:
            ProtocolError: They have no end, or lead elsewhere.
        """
        url: URL | None = self._requests.transport.url(path)
        progress = _Progress()
        while url is not None and progress.begins(str(url)):
            page = decode_page((await self._ask("GET", url)).body)
            progress.brings(page.members)
            for member in page.members:
                yield decode_object(member, kind)
            url = None if page.next is None else self._same_host(page.next)

    def _same_host(self, link: str) -> URL:
        """Where a link leads, if that is this server: the key goes nowhere else.

        Raises:
            ProtocolError: It leads elsewhere.
        """
        base = self._requests.transport.base_url
        where = "where no page can be"
        try:
            url = base.join(URL(link[:_LONGEST_LINK])).with_fragment(None)
            own = url.origin() == base.origin() and url.user is None and url.password is None
            if own and len(link) <= _LONGEST_LINK:
                return url
            if url.host and url.origin() != base.origin():
                where = f"at {url.host[:100]}, another server"
        except ValueError:  # what yarl says of a host or a port that is none
            pass
        msg = f"the next page is said to be {where}; it was not asked"
        raise ProtocolError(msg)


class _Progress:
    """What the pages of a list have brought: a server may link to another one for ever."""

    def __init__(self) -> None:
        self._urls: set[str] = set()
        self._contents: set[int] = set()
        self._idle = 0
        """Pages in a row without members that no page before had."""

    def begins(self, url: str) -> bool:
        """Whether this page was not read before."""
        new = url not in self._urls
        self._urls.add(url)
        return new

    def brings(self, members: list[bytes]) -> None:
        """A page was read.

        Raises:
            ProtocolError: That is enough.
        """
        content = hash(tuple(members))
        self._idle = 0 if members and content not in self._contents else self._idle + 1
        self._contents.add(content)
        if self._idle > _IDLE_PAGES or len(self._urls) > _PAGES:
            told = f"{len(self._urls):,} pages, of which the last {self._idle:,} bring nothing new"
            msg = f"the list has no end: {told}"
            raise ProtocolError(msg)
