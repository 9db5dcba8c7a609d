"""Clients of one account that share a pace, as if each were a process of its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk.integrations.redis import SharedPace
from asyncsdk.sandbox import Sandbox
from tests.integrations.redis_server import RedisServer
from tests.leaping import LeapingLoop
from tests.rig import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis, RedisCluster

    from asyncsdk import Client
    from asyncsdk.integrations.redis.state import Answer
__all__ = ["Fleet", "fleet", "shared"]


@frozen
class Fleet:
    """A sandbox with one group, and clients with good credentials."""

    redis: RedisServer | Redis | RedisCluster
    sandbox: Sandbox
    clients: list[Client]
    paces: list[SharedPace]
    group: int

    @property
    def arrivals(self) -> list[float]:
        """When each request arrived."""
        return [request.at for request in self.sandbox.requests]


@asynccontextmanager
async def fleet(
    redis: RedisServer | Redis | RedisCluster,
    count: int,
    *,
    pace: dict[str, Any] | None = None,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Fleet]:
    """So many clients; `options` are those of the sandbox."""
    sandbox = Sandbox(**options)
    group = sandbox.add_group("people")
    paces = [shared(redis, **(pace or {})) for _ in range(count)]
    async with sandbox, AsyncExitStack() as stack:
        opened = [client_of(sandbox, pace=each, **(client or {})) for each in paces]
        clients = [await stack.enter_async_context(each) for each in opened]
        yield Fleet(redis, sandbox, clients, paces, group)


def shared(redis: RedisServer | Redis | RedisCluster, **options: Any) -> SharedPace:
    """A pace of which the Redis goes by the clock of a leaping loop, where there is one.

    That clock does not leap while Redis has been asked: it answers at once.
    """
    pace = SharedPace(redis.url if isinstance(redis, RedisServer) else redis, **options)
    ask = pace._server.ask

    async def timed(question: str, **about: Any) -> Answer:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, LeapingLoop):
            return await ask(question, **about)
        loop._leaping.threads += 1
        try:
            return await ask(question, now=round(loop.time() * 1e6), **about)
        finally:
            loop._leaping.threads -= 1

    pace._server.ask = timed  # type: ignore[method-assign]
    return pace
