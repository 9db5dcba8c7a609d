"""Adaptive concurrency: it finds the knee of each kind of server, by a clock of its own."""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from typing import TYPE_CHECKING

import pytest
from attrs import define, field, frozen

from asyncsdk import Adaptive
from asyncsdk.pace.knee import Knee
from asyncsdk.pace.slots import Slots
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from collections.abc import Callable

PHONES = 1000
SETTLED = 30.0
END = 60.0
CANDIDATES = (*range(1, 13), 14, 16, 18, 20, 22, 24, 28, 32, 48, 64)


@define
class Server:
    """So many requests are served at once; the others wait in line, or are refused."""

    capacity: Callable[[float], int]
    service: Callable[[float], float]
    """Seconds to serve a request that begins at this time."""
    network: float = 0.02
    refuses: bool = False
    shares: float = 0.0
    """If not 0 none waits, but each slows with the load above capacity, raised to this."""
    _ends: list[float] = field(factory=list, init=False)

    def take(self, now: float) -> tuple[float, bool]:
        """Seconds until the reply to a request that comes now, and whether it is a refusal."""
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        above = len(self._ends) - self.capacity(now) + 1
        if above > 0 and self.refuses:
            return self.network, True
        if self.shares:
            load = max(1.0, (len(self._ends) + 1) / self.capacity(now))
            end = now + self.service(now) * load**self.shares
            heapq.heappush(self._ends, end)
            return end - now + self.network, False
        start = heapq.nsmallest(above, self._ends)[-1] if above > 0 else now
        end = start + self.service(now)
        heapq.heappush(self._ends, end)
        return end - now + self.network, False


@frozen
class Outcome:
    """What a server made of the requests after the first 30 s."""

    throughput: float
    latency: float
    refused: int


def simulate(server: Server, limit: Callable[[], int], knee: Knee | None = None) -> Outcome:
    """Keep so many requests under way, for a minute of virtual time."""
    now, number, refused = 0.0, 0, 0
    latencies: list[float] = []
    under_way: list[tuple[float, int, float, bool]] = []
    while now < END:
        while len(under_way) < limit():
            taken, no = server.take(now)
            number += 1
            heapq.heappush(under_way, (now + taken, number, now, no))
        now, _, began, no = under_way[0]
        if knee is not None:
            knee.finished(phones=PHONES, latency=now - began, in_flight=len(under_way), refused=no)
        heapq.heappop(under_way)
        if now >= SETTLED:
            refused += no
            if not no:
                latencies.append(now - began)
    return Outcome(len(latencies) / (END - SETTLED), math.fsum(latencies) / len(latencies), refused)


def lognormal(mean: float, sigma: float, seed: int) -> Callable[[float], float]:
    chance = random.Random(seed)
    return lambda _: chance.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)


def exponential(mean: float, seed: int) -> Callable[[float], float]:
    chance = random.Random(seed)
    return lambda _: chance.expovariate(1 / mean)


def bimodal(mean: float, seed: int) -> Callable[[float], float]:
    """One in twenty takes five times as long."""
    chance = random.Random(seed)
    return lambda _: mean / 1.2 * (5 if chance.random() < 0.05 else 1)


def slower(service: Callable[[float], float], since: float) -> Callable[[float], float]:
    return lambda now: service(now) * (1 if now < since else 3)


SERVERS: dict[str, Callable[[int], Server]] = {
    "one at a time": lambda _: Server(lambda _: 1, lambda _: 0.1),
    "two at a time": lambda _: Server(lambda _: 2, lambda _: 0.1),
    "five at a time": lambda _: Server(lambda _: 5, lambda _: 0.05),
    "sixteen at a time": lambda _: Server(lambda _: 16, lambda _: 0.1),
    "slow": lambda _: Server(lambda _: 16, lambda _: 1.0),
    "large": lambda _: Server(lambda _: 40, lambda _: 0.1),
    "refuses what is too much": lambda _: Server(lambda _: 16, lambda _: 0.1, 0.005, refuses=True),
    "a queue far away": lambda _: Server(lambda _: 1, lambda _: 0.02, network=0.2),
    "half of it fails": lambda _: Server(lambda now: 16 if now < 20 else 8, lambda _: 0.1),
    "three times slower": lambda _: Server(lambda _: 16, lambda now: 0.1 if now < 20 else 0.3),
    "slow for a while": lambda _: Server(lambda _: 16, lambda now: 0.3 if 10 < now < 20 else 0.1),
    "noisy": lambda seed: Server(lambda _: 8, lognormal(0.1, 0.5, seed)),
    "noisier": lambda seed: Server(lambda _: 16, exponential(0.1, seed)),
    "noisy and large": lambda seed: Server(lambda _: 40, lognormal(0.1, 0.5, seed)),
    "one and no way": lambda _: Server(lambda _: 1, lambda _: 0.1, 0.0),
    "two and no way": lambda _: Server(lambda _: 2, lambda _: 0.1, 0.0),
    "three and no way": lambda _: Server(lambda _: 3, lambda _: 0.3, 0.0),
    "all there is": lambda _: Server(lambda _: 100, lambda _: 0.3),
    "refuses a second": lambda _: Server(lambda _: 1, lambda _: 0.1, 0.005, refuses=True),
    "refuses and is noisy": lambda seed: Server(
        lambda _: 16, lognormal(0.1, 0.5, seed), 0.005, refuses=True
    ),
    "shares": lambda _: Server(lambda _: 8, lambda _: 0.05, 0.005, shares=1),
    "shares and is noisy": lambda seed: Server(
        lambda _: 8, lognormal(0.05, 0.5, seed), 0.005, shares=1
    ),
    "breaks down": lambda _: Server(lambda _: 12, lambda _: 0.05, 0.005, shares=2),
    "twice as many": lambda _: Server(lambda now: 8 if now < 15 else 16, lambda _: 0.1),
    "soon slower": lambda _: Server(lambda _: 16, lambda now: 0.1 if now < 3 else 0.3),
    "slower and noisy": lambda seed: Server(
        lambda _: 16, slower(lognormal(0.05, 0.5, seed), since=10)
    ),
    "very noisy": lambda seed: Server(lambda _: 16, lognormal(0.05, 0.8, seed)),
    "some far slower": lambda seed: Server(lambda _: 16, bimodal(0.05, seed)),
    "some of few far slower": lambda seed: Server(lambda _: 2, bimodal(0.05, seed)),
    "one and noisy": lambda seed: Server(lambda _: 1, lognormal(0.05, 0.2, seed), 0.0),
    "two and noisy": lambda seed: Server(lambda _: 2, lognormal(0.05, 0.8, seed), 0.0),
}


def best_fixed(make: Callable[[int], Server]) -> Outcome:
    """The lowest concurrency that is within 1 % of the highest throughput, nothing refused."""
    found = [simulate(make(1), lambda n=n: n) for n in CANDIDATES]  # type: ignore[misc]
    found = [outcome for outcome in found if not outcome.refused]
    highest = max(outcome.throughput for outcome in found)
    return next(outcome for outcome in found if outcome.throughput >= 0.99 * highest)


@pytest.mark.parametrize("name", SERVERS)
def test_it_finds_the_knee(name: str) -> None:
    best = best_fixed(SERVERS[name])
    for seed in (2, 3, 4):
        knee = Knee(Adaptive(1, 64))
        found = simulate(SERVERS[name](seed), lambda knee=knee: knee.limit, knee)  # type: ignore[misc]
        assert found.throughput >= 0.9 * best.throughput
        assert found.latency <= 1.5 * best.latency
        assert found.refused <= 0.02 * found.throughput * (END - SETTLED)


def finish(knee: Knee, count: int, *, in_flight: int | None = None, latency: float = 0.1) -> None:
    for _ in range(count):
        knee.finished(phones=PHONES, latency=latency, in_flight=in_flight or knee.limit)


def test_it_begins_at_the_lower_bound_and_stays_within_both() -> None:
    knee = Knee(Adaptive(3, 10))
    assert knee.limit == 3
    finish(knee, 1000)
    assert knee.limit == 10
    for _ in range(1000):
        knee.finished(phones=PHONES, latency=0.1, in_flight=knee.limit, refused=True)
    assert knee.limit == 3


def test_it_does_not_grow_unless_the_limit_was_reached() -> None:
    knee = Knee(Adaptive(4, 64))
    finish(knee, 1000, in_flight=3)
    assert knee.limit == 4


def test_a_refusal_lowers_it_once_however_many_were_under_way() -> None:
    knee = Knee(Adaptive(1, 64))
    while knee.limit < 32:
        finish(knee, 1)
    finish(knee, 31)
    for under_way in range(32, 0, -1):
        knee.finished(phones=PHONES, latency=0.1, in_flight=under_way, refused=True)
    assert knee.limit == 25


def test_a_single_refusal_at_the_upper_bound_lowers_it() -> None:
    knee = Knee(Adaptive(1, 16))
    finish(knee, 300)
    assert knee.limit == 16
    knee.finished(phones=PHONES, latency=0.1, in_flight=16, refused=True)
    assert knee.limit == 12


def test_small_requests_are_no_slow_ones() -> None:
    """The last batch of a list takes nearly as long as a whole one, for far fewer phones."""
    knee = Knee(Adaptive(1, 64))
    finish(knee, 200)
    before = knee.limit
    for _ in range(5):
        knee.finished(phones=10, latency=0.1, in_flight=knee.limit)
    finish(knee, 200)
    assert knee.limit >= before


@pytest.mark.parametrize("latencies", [[0.0], [0.0, 0.001], [0.001] + [0.0] * 40])
def test_a_clock_that_stands_still_ends_nothing(latencies: list[float]) -> None:
    """That of uvloop counts milliseconds: a request on this machine takes none."""
    knee = Knee(Adaptive(1, 8))
    for at in range(2000):
        latency = latencies[at % len(latencies)]
        knee.finished(phones=3, latency=latency, in_flight=knee.limit, refused=at % 500 == 499)
    assert 1 <= knee.limit <= 8


async def test_slots_let_in_as_many_as_the_limit_says() -> None:
    slots = Slots(2)
    inside = highest = 0

    async def visit() -> None:
        nonlocal inside, highest
        async with slots:
            inside += 1
            highest = max(highest, inside)
            await asyncio.sleep(1.0)
            inside -= 1

    visitors = [asyncio.create_task(visit()) for _ in range(9)]
    await asyncio.sleep(0.5)
    assert inside == 2
    visitors[3].cancel()  # waits
    visitors[0].cancel()  # is inside
    await asyncio.sleep(0.1)
    slots.limit = 4
    await asyncio.wait(visitors)
    assert highest == 5  # of which one was cancelled before it could count itself out
    await asyncio.wait_for(_enter(slots), 0.1)


async def _enter(slots: Slots) -> None:
    async with slots:
        pass


async def test_a_visitor_cancelled_as_it_is_let_in_leaves_its_place() -> None:
    slots = Slots(1)
    await slots.__aenter__()
    waiting = asyncio.create_task(slots.__aenter__())
    await asyncio.sleep(0)
    await slots.__aexit__()
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.wait_for(_enter(slots), 0.1)


async def test_an_upload_grows_to_the_upper_bound_of_a_server_that_never_slows() -> None:
    seen: list[int] = []
    async with connected(latency=0.1) as rig:
        source = phones(4000)
        report = await rig.upload(
            source,
            batch_size=5,
            concurrency=Adaptive(1, 16),
            on_progress=lambda progress: seen.append(progress.concurrency),
        )
        assert_accounts(report, rig.sandbox, source)
    assert seen[0] == 1
    assert max(seen) == 16
    assert report.elapsed < 1.5 * 800 * 0.1 / 16 + 3


async def test_an_upload_lowers_it_when_the_server_refuses() -> None:
    seen: list[int] = []
    async with connected(
        latency=0.1, faults=Faults.script(["ok"] * 200 + ["429", "503"] * 16)
    ) as rig:
        source = phones(2000)
        report = await rig.upload(
            source,
            batch_size=5,
            concurrency=Adaptive(1, 16),
            on_progress=lambda progress: seen.append(progress.concurrency),
        )
        assert report.ok
        assert_accounts(report, rig.sandbox, source)
    highest = seen.index(16)
    assert min(seen[highest:]) < 16


async def test_no_more_are_under_way_than_the_limit() -> None:
    async with connected(latency=0.1) as rig:
        upload = rig.upload(phones(300), batch_size=5, concurrency=Adaptive(2, 16))
        upload.start()
        await asyncio.sleep(0.15)
        assert upload.progress.concurrency == 2
        assert upload.progress.in_flight <= 10
        await upload.stop()
        assert upload.report.submitted == upload.report.created_count + upload.report.failed_count
