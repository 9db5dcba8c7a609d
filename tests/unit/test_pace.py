"""When a request may leave: no window holds more than the rate, and one gate for everybody."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Rate
from asyncsdk.http.exchange import Attempt, Reply
from asyncsdk.pace.credentials import Credentials
from asyncsdk.pace.gate import Gate
from asyncsdk.pace.rate import Limiter
from tests.leaping import run_leaping


def departures(
    rate: Rate,
    count: int,
    pauses: dict[int, float] | None = None,
    connecting: dict[int, float] | None = None,
    failing: frozenset[int] = frozenset(),
) -> list[float]:
    """When `count` requests leave that all want to at once, but for some that come late.

    Args:
        rate: The rate.
        count: How many.
        pauses: Which of them come so many seconds after the one before.
        connecting: Which of them leave so many seconds after their turn.
        failing: Which of them do not leave then, but end.
    """

    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        limiter, attempts = Limiter(rate), [Attempt() for _ in range(count)]

        async def leave(number: int, attempt: Attempt) -> None:
            if connecting and number in connecting:
                await asyncio.sleep(connecting[number])
            if number in failing:
                limiter.release(attempt)
            else:
                attempt.left, attempt.left_at = True, loop.time()

        async with asyncio.TaskGroup() as group:
            for number, attempt in enumerate(attempts):
                await asyncio.sleep((pauses or {}).get(number, 0.0))
                await limiter.acquire(attempt)
                group.create_task(leave(number, attempt))
        return sorted(attempt.left_at for attempt in attempts if attempt.left)

    return run_leaping(scenario(), sockets=False)


def busiest(times: list[float], per: float) -> int:
    """The most departures within any window of this length, its end excluded."""
    return max(sum(start <= at < start + per for at in times) for start in times)


RATES = [
    Rate(1),
    Rate(10),
    Rate(20),
    Rate(3, per=0.5),
    Rate(7, per=10.0),
    Rate(500),
    Rate(250, 0.1),
]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_no_window_holds_more_than_the_rate(rate: Rate) -> None:
    times = departures(rate, 4 * rate.requests + 3)
    assert busiest(times, rate.per) <= rate.requests
    allowed = (len(times) - rate.requests) / rate.requests * rate.per
    assert times[-1] - times[0] <= allowed * 1.03 + rate.per


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_nor_after_a_rest(rate: Rate) -> None:
    count = 3 * rate.requests
    for at in (1, rate.requests, rate.requests + 1):
        for rest in (rate.per / 2, rate.per, 10 * rate.per):
            times = departures(rate, count, {at: rest})
            assert busiest(times, rate.per) <= rate.requests


@given(
    st.integers(1, 20),
    st.dictionaries(st.integers(0, 60), st.floats(0, 3), max_size=20),
    st.dictionaries(st.integers(0, 60), st.floats(0, 3), max_size=3),
    st.frozensets(st.integers(0, 60), max_size=20),
)
def test_what_counts_is_when_they_leave(
    requests: int, connecting: dict[int, float], pauses: dict[int, float], failing: frozenset[int]
) -> None:
    times = departures(Rate(requests), 61, pauses, connecting, failing)
    assert len(times) == 61 - len(failing)
    assert not times or busiest(times, 1.0) <= requests


def test_requests_are_spaced_evenly() -> None:
    times = departures(Rate(10), 10)
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert min(gaps) > 0.09
    assert max(gaps) < 0.11


def test_a_gate_holds_everybody_until_it_opens() -> None:
    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        gate, began = Gate(), loop.time()
        gate.close(5.0, began, "HTTP 503")
        through: list[float] = []

        async def pass_through() -> None:
            await gate.wait()
            through.append(loop.time() - began)

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(pass_through())
            await asyncio.sleep(1)
            gate.close(9.0, loop.time(), "HTTP 503")
            gate.close(1.0, loop.time(), "HTTP 503")
        assert gate.throttled(loop.time()) == pytest.approx(10.0)
        return through

    assert run_leaping(scenario(), sockets=False) == pytest.approx([10.0] * 3)


def test_an_open_gate_costs_nothing() -> None:
    async def scenario() -> None:
        gate = Gate()
        await gate.wait()
        assert gate.enter(Attempt(), asyncio.get_running_loop().time())
        assert gate.throttled(asyncio.get_running_loop().time()) == 0

    run_leaping(scenario(), sockets=False)


def entered(gate: Gate, now: float = 0.0) -> Attempt:
    """A request that passed the gate."""
    attempt = Attempt()
    assert gate.enter(attempt, now)
    return attempt


def refused(gate: Gate, attempt: Attempt) -> int:
    """How many pauses in a row its refusal makes."""
    gate.refused(attempt)
    return attempt.streak


def test_many_refusals_of_one_epoch_are_one_pause() -> None:
    gate = Gate()
    first = [entered(gate) for _ in range(6)]
    assert [refused(gate, attempt) for attempt in first[:5]] == [1] * 5
    second = [entered(gate), entered(gate)]
    assert refused(gate, second[0]) == 2
    gate.passed(first[5])
    third = entered(gate)
    assert refused(gate, third) == 3
    last = entered(gate)
    gate.passed(last)
    assert refused(gate, last) == 1


def test_after_an_outage_one_request_alone_passes() -> None:
    gate = Gate()
    lost = [entered(gate) for _ in range(3)]
    for attempt in lost:
        gate.unreachable(attempt, 0.0)
        gate.leave(attempt)
    assert {attempt.streak for attempt in lost} == {1}
    gate.close(2.0, 0.0, "no connection")
    assert not gate.enter(Attempt(), 1.0)
    probe = entered(gate, 2.0)
    assert not gate.enter(Attempt(), 2.0)
    assert gate.waited(7.0, began=0.0) == 7.0
    assert gate.waited(7.0, began=5.0) == 2.0
    gate.leave(probe)
    again = entered(gate, 2.0)
    gate.passed(again)
    assert gate.waited(7.0, began=0.0) == 0.0
    assert all(gate.enter(Attempt(), 2.0) for _ in range(3))


def test_who_waits_for_a_probe_goes_on_with_its_end() -> None:
    async def scenario() -> None:
        gate = Gate()
        first = entered(gate, asyncio.get_running_loop().time())
        gate.unreachable(first, asyncio.get_running_loop().time())
        gate.leave(first)
        probe = entered(gate, asyncio.get_running_loop().time())
        waiting = [asyncio.create_task(gate.wait()) for _ in range(3)]
        await asyncio.sleep(5)
        assert not any(task.done() for task in waiting)
        gate.leave(probe)
        await asyncio.wait(waiting, timeout=1)
        assert all(task.done() for task in waiting)

    run_leaping(scenario(), sockets=False)


@pytest.mark.parametrize("status", [200, 201, 400, 402, 403, 404, 409, 422])
def test_what_only_a_good_key_is_answered_with_proves_it(status: int) -> None:
    assert permits_after(status) == [True, True]


@pytest.mark.parametrize("status", [301, 408, 413, 421, 425, 429, 500, 502, 503, 504])
def test_what_a_proxy_may_say_proves_no_key(status: int) -> None:
    """As before, one request at a time has its permit."""
    assert permits_after(status) == [True, False]


def permits_after(status: int) -> list[bool]:
    """Whether two requests at once may leave after a first one had this reply."""
    credentials, first = Credentials("1", "key"), Attempt()
    assert credentials.acquire(first)
    credentials.learn(Reply(status, b""))
    credentials.release(first)
    return [credentials.acquire(Attempt()), credentials.acquire(Attempt())]
