"""A plain caller of the sandbox."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from attrs import frozen

from asyncsdk.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence


@frozen
class Answer:
    """A reply as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Calls the sandbox as the provider's page says."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def __call__(
        self, method: str, path: str, data: object = None, *, key: str | None = None, **kwargs: Any
    ) -> Answer:
        token = f"{self.sandbox.client_id}:{key or self.sandbox.api_key}"
        headers = {"X-LOX24-AUTH-TOKEN": token, **kwargs.pop("headers", {})}
        if data is not None:
            raw = isinstance(data, (bytes, io.BytesIO, AsyncIterator))
            kwargs["data"] = data if raw else json.dumps(data).encode()
        url = self.sandbox.url + path
        async with self.session.request(
            method, url, headers=headers, allow_redirects=False, **kwargs
        ) as reply:
            return Answer(reply.status, dict(reply.headers), await reply.read())

    async def batch(self, group_id: int, rows: Sequence[object], **kwargs: Any) -> Answer:
        return await self("POST", f"/groups/{group_id}/phones/batch", list(rows), **kwargs)


@asynccontextmanager
async def calling(sandbox: Sandbox) -> AsyncIterator[Caller]:
    async with sandbox, aiohttp.ClientSession() as session:
        yield Caller(sandbox, session)


@asynccontextmanager
async def box(**options: Any) -> AsyncIterator[tuple[Sandbox, Caller, int]]:
    """A sandbox with one group, somebody to call it, and the group's id."""
    sandbox = Sandbox(**options)
    group_id = sandbox.add_group("people")
    async with calling(sandbox) as call:
        yield sandbox, call, group_id
