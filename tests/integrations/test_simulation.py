"""A large fleet in virtual time: the real script on a real Redis, and the real door of each client.

Only the network behind that door is a stand-in. It notes when a request comes, and answers later.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import frozen
from redis.asyncio import Redis

from asyncsdk import Client, Rate
from asyncsdk.http.exchange import Attempt, Reply, Request
from asyncsdk.pace.lane import Lane
from tests.effort import effort
from tests.integrations.rig import shared
from tests.leaping import run_leaping
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integrations.redis_server import RedisServer

PROCESSES = effort(25, 500)
REQUESTS = effort(1_500, 100_000)
"""Of a thousand phones each."""
RATE = Rate(100, per=1.0)
TASKS = 8
"""Requests that a process has under way at once at most."""


@frozen
class Seen:
    """What was seen of a fleet."""

    arrivals: list[tuple[float, int]]
    """When each request came, and whose it was."""
    calls: int
    """Of the script."""

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.arrivals]

    @property
    def took(self) -> float:
        return self.times[-1] - self.times[0]

    def shares(self) -> list[int]:
        """How many requests each process had until the first had none left to send."""
        counts = [0] * PROCESSES
        for _, process in self.arrivals:
            counts[process] += 1
            if counts[process] == REQUESTS // PROCESSES:
                break
        return counts


class OneOf:
    """A request of one upload, of which nothing is recorded."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    async def record(self) -> None: ...

    def withdraw(self) -> None: ...

    def depart(self) -> None: ...


def test_a_large_fleet_uses_the_rate_and_no_more_and_all_get_as_much(redis: RedisServer) -> None:
    seen = run_leaping(_fleet(redis), sockets=False)
    assert len(seen.arrivals) == REQUESTS
    assert busiest(seen.times, RATE.per) <= RATE.requests
    theory = REQUESTS / RATE.requests * RATE.per
    # The first request proves the key, and nothing else leaves before its reply.
    assert seen.took <= theory / 0.97 + 2.5
    shares = seen.shares()
    assert max(shares) <= 1.5 * min(shares)
    assert seen.calls <= 4 * REQUESTS


async def _fleet(redis: RedisServer) -> Seen:
    arrivals: list[tuple[float, int]] = []
    random = Random(7)
    async with Redis.from_url(redis.url, protocol=2) as server, AsyncExitStack() as stack:
        running = []
        for number in range(PROCESSES):
            client = Client("1", "key", pace=shared(server, rate=RATE))
            await stack.enter_async_context(client)
            _answer_later(client, number, arrivals, random)
            running.append(_upload(client, REQUESTS // PROCESSES))
        await asyncio.gather(*running)
    return Seen(sorted(arrivals), _calls(redis))


def _answer_later(
    client: Client, number: int, arrivals: list[tuple[float, int]], random: Random
) -> None:
    """Let a client reach a provider that needs between a fifth of a second and two for a batch."""
    loop = asyncio.get_running_loop()

    async def send(_request: Request, _headers: Any, attempt: Attempt) -> Reply:
        await asyncio.sleep(random.uniform(0, 0.01))  # on its way
        attempt.left, attempt.left_at, attempt.renew = True, loop.time(), None
        arrivals.append((loop.time(), number))
        await asyncio.sleep(random.uniform(0.2, 2.0))
        return Reply(201, b"")

    client._requests.transport.send = send  # type: ignore[method-assign,assignment]


async def _upload(client: Client, count: int) -> None:
    """Send so many requests, some at a time, as an upload does."""
    departure = OneOf(Lane(None))

    async def work(left: Iterator[int]) -> None:
        for _ in left:
            request = Request("POST", "/groups/1/phones/batch", b"[]")
            await client._requests.send(request, attempt=Attempt(), departure=departure)

    left = iter(range(count))
    await asyncio.gather(*(work(left) for _ in range(TASKS)))


def _calls(redis: RedisServer) -> int:
    """How often the script was asked."""
    told = redis.ask_all("INFO everything")
    found = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    calls = dict(part.split("=") for part in found["cmdstat_evalsha"].split(","))
    return int(calls["calls"])
