"""Credentials that are proved by one request, and never used again once refused.

The provider locks out an IP address after more than three requests with wrong credentials within
a minute, for ten minutes. So until a first reply has proved the key, one request alone is under
way, and a 401 shuts the client.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from asyncsdk.errors import AuthenticationError

__all__ = ["Credentials"]

_PROVING = frozenset({400, 402, 403, 404, 409, 422})
"""Refusals that only a request with a valid key meets. 413, 429 and 5xx may come from a proxy."""

_AT_ONCE = nullcontext()


class Credentials:
    """The auth header's value, and what is known of it."""

    def __init__(self, client_id: str, api_key: str) -> None:
        self.token = f"{client_id}:{api_key}"
        self.proven = False
        self._refusal: AuthenticationError | None = None
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        state = "proven" if self.proven else "refused" if self._refusal else "unproven"
        return f"<Credentials {state}>"

    def check(self) -> None:
        """Do nothing unless these credentials were refused.

        Raises:
            AuthenticationError: They were; no request is made with them any more.
        """
        if self._refusal is not None:
            first = self._refusal
            raise type(first)(first.status, first.problem, first.request_id)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait until a request may use them: at once when proven, else one request at a time."""
        self.check()
        return _AT_ONCE if self.proven else self._prove()

    @asynccontextmanager
    async def _prove(self) -> AsyncIterator[None]:
        async with self._turn:
            self.check()
            if not self.proven:
                yield
                return
        self.check()
        yield

    def answered(self, status: int) -> None:
        """Learn from the status of a reply that is not a 401."""
        if 200 <= status < 300 or status in _PROVING:  # noqa: PLR2004 - the class 2xx
            self.proven = True

    def refused(self, error: AuthenticationError) -> None:
        """Learn from a 401."""
        self.proven = False
        self._refusal = error
