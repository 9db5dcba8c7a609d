"""A plain caller of the sandbox, and a loop in which waiting costs no time."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from attrs import frozen

from asyncsdk.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

T = TypeVar("T")


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
        headers = {"X-LOX24-AUTH-TOKEN": token}
        if data is not None:
            raw = isinstance(data, (bytes, AsyncIterator))
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


def numbers(count: int) -> list[str]:
    return [f"+49160{i:07}" for i in range(count)]


def rows(count: int) -> list[dict[str, str]]:
    return [{"phone": number} for number in numbers(count)]


def run_leaping(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in a loop whose clock leaps to the next timer instead of waiting for it."""
    with asyncio.Runner(loop_factory=_LeapingLoop) as runner:
        return runner.run(scenario)


class _LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector_here = _LeapingSelector()
        super().__init__(self._selector_here)

    def time(self) -> float:
        return super().time() + self._selector_here.leapt


class _LeapingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    leapt = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0.002)  # what is on its way over the loopback arrives first
        if not ready:
            self.leapt += timeout
        return ready
