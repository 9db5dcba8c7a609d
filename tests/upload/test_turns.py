"""So much work between two rounds of the event loop, in the order of coming."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from operator import itemgetter

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.upload.sharing import LoopShare

ROOM = 10


@define
class Rounds:
    """Counts the rounds of the event loop, and what was done in each."""

    now: int = 0
    done: defaultdict[int, list[int]] = field(factory=lambda: defaultdict(list))

    def begin(self) -> None:
        self.now += 1
        asyncio.get_running_loop().call_soon(self.begin)


async def work_off(jobs: list[tuple[int, int]]) -> Rounds:
    """Each of these jobs comes so many rounds later."""
    rounds, turns = Rounds(), LoopShare(ROOM)
    rounds.begin()

    async def work(job: int, later: int) -> None:
        for _ in range(later):
            await asyncio.sleep(0)
        await turns.acquire(job)
        rounds.done[rounds.now].append(job)

    await asyncio.gather(*(work(*job) for job in jobs))
    return rounds


@given(st.lists(st.tuples(st.integers(1, 2 * ROOM), st.integers(0, 9)), max_size=30))
def test_no_round_has_more_than_it_has_room_for(jobs: list[tuple[int, int]]) -> None:
    rounds = asyncio.run(work_off(jobs))
    in_order = [job for number in sorted(rounds.done) for job in rounds.done[number]]
    assert in_order == [job for job, _ in sorted(jobs, key=itemgetter(1))]
    for done in rounds.done.values():
        assert sum(done) <= ROOM or len(done) == 1


def test_small_jobs_share_a_round_in_which_they_come() -> None:
    rounds = asyncio.run(work_off([(1, 0)] * (1 + ROOM)))
    assert [len(done) for done in rounds.done.values()] == [ROOM, 1]


def test_where_there_was_no_room_each_round_after_that_is_full() -> None:
    rounds = asyncio.run(work_off([(1, 0)] * (1 + 3 * ROOM)))
    assert [len(done) for done in rounds.done.values()] == [ROOM, ROOM, ROOM, 1]


@pytest.mark.parametrize("leaving", [1, 2, 3])
def test_who_leaves_the_queue_holds_nobody_up(leaving: int) -> None:
    async def scenario() -> list[int]:
        turns, came = LoopShare(ROOM), list[int]()

        async def work(number: int) -> None:
            await turns.acquire(ROOM)
            came.append(number)

        tasks = [asyncio.create_task(work(number)) for number in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the second was let in and has not come yet, the others wait
        tasks[leaving].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return came

    came = asyncio.run(scenario())
    assert came == [number for number in range(5) if number != leaving]
