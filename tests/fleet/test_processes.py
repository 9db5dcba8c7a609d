"""Real processes: killed, stopped and continued, several at once; judged by what was stored."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import UploadReport, fleet
from asyncsdk.sandbox.thread import SandboxThread
from tests.effort import effort
from tests.fleet.crew import Crew
from tests.fleet.judging import assert_judged
from tests.rig import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.fleet import Manifest
    from tests.fleet.crew import Hand
    from tests.integrations.redis_server import RedisServer

ROWS = 2_000
KILLS = effort(3, 60)


def planned(sandbox: SandboxThread, state: Path, partitions: int = 1, **options: Any) -> Manifest:
    """A plan of phones that are each known by their index."""
    path = state.with_name("list.csv")
    lines = [f"{number};{index}" for index, number in enumerate(numbers(ROWS * partitions))]
    path.write_text("phone;callback_data\n" + "\n".join(lines) + "\n")
    wanted = {
        "partition_rows": ROWS,
        "batch_size": 100,
        "concurrency": 4,
        "quiet_period": 0.05,
        "columns": {"callback_data": "callback_data"},
        **options,
    }
    return asyncio.run(fleet.plan(path, sandbox.add_group("people"), state, **wanted))


def assert_whole(sandbox: SandboxThread, manifest: Manifest) -> None:
    """All is created, once, and the report has it so."""
    report = UploadReport.open_all(manifest.state)
    assert report.ok, str(report)
    assert report.created_count == manifest.rows
    stored = [int(commit.callback_data or -1) for commit in sandbox.commits]
    assert sorted(stored) == list(range(manifest.rows))
    by_row = {commit.callback_data: commit.phone_id for commit in sandbox.commits}
    assert {r.phone.callback_data: r.created and r.created.id for r in report.created} == by_row


def until(sandbox: SandboxThread, requests: int, hand: Hand) -> None:
    """Wait until so many requests came, or the process has ended."""
    while len(sandbox.requests) < requests and not hand.ended:
        time.sleep(0.001)


def last_word(crew: Crew, index: int) -> str:
    """What the last one says that runs a partition; one that began before may come after it."""
    while (said := crew.start(index).wait()).startswith("FencedError"):
        pass
    return said


@pytest.mark.parametrize("pace", ["its own", "shared"])
def test_killed_again_and_again_nothing_is_lost_or_stored_twice(
    pace: str, redis: RedisServer, tmp_path: Path
) -> None:
    chance = random.Random(5)
    uploads = kills = 0
    while kills < KILLS:
        state = tmp_path / str(uploads) / "state"
        state.parent.mkdir()
        with (
            SandboxThread(latency=lambda _: chance.choice((0.0, 0.002, 0.02))) as sandbox,
            Crew(sandbox, state, redis.url if pace == "shared" else None, timeout=0.5) as crew,
        ):
            manifest = planned(sandbox, state)
            while True:
                hand = crew.start(0)
                until(sandbox, len(sandbox.requests) + chance.randrange(1, 20), hand)
                hand.kill()
                if said := hand.wait():
                    break
                kills += 1
            assert said.startswith("2,000 phones: 2,000 created"), said
            assert_whole(sandbox, manifest)
        uploads += 1


def test_without_a_pace_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    with SandboxThread(latency=0.01) as sandbox:
        manifest = planned(sandbox, tmp_path / "state")
        with Crew(sandbox, manifest.state) as crew:
            hands = [crew.start(0) for _ in range(3)]
            assert {hand.wait()[:30] for hand in hands} == {"2,000 phones: 2,000 created, 0"}
        assert_whole(sandbox, manifest)


def test_without_a_pace_one_that_is_stopped_keeps_the_others_waiting(tmp_path: Path) -> None:
    with SandboxThread(latency=0.01) as sandbox:
        manifest = planned(sandbox, tmp_path / "state")
        with Crew(sandbox, manifest.state) as crew:
            first = crew.start(0)
            until(sandbox, 5, first)
            first.stop()
            second = crew.start(0)
            time.sleep(0.5)
            assert not second.ended
            first.go_on()
            assert first.wait().startswith("2,000 phones: 2,000 created")
            assert second.wait().startswith("2,000 phones: 2,000 created")
        assert_whole(sandbox, manifest)


@pytest.mark.parametrize("flushed", [False, True])
def test_with_a_pace_one_that_is_stopped_has_lost_its_right(
    redis: RedisServer, tmp_path: Path, *, flushed: bool
) -> None:
    """Though Redis lost its data meanwhile.

    It is stopped while it waits for replies: amid the sending of a request nobody can hold it back.
    """
    with SandboxThread(latency=lambda no: 0.3 if no <= 8 else 0.02) as sandbox:
        manifest = planned(sandbox, tmp_path / "state")
        with Crew(sandbox, manifest.state, redis.url, timeout=0.5) as crew:
            first = crew.start(0)
            until(sandbox, 8, first)
            first.stop()
            second = crew.start(0)
            assert second.wait().startswith("2,000 phones: 2,000 created")
            if flushed:
                redis.ask("FLUSHALL")
            first.go_on()
            assert first.wait().startswith("FencedError: partition")
        assert_whole(sandbox, manifest)


def test_with_a_pace_the_last_of_many_has_it(redis: RedisServer, tmp_path: Path) -> None:
    """Processes that come while another is at it, some of them stopped for a while."""
    chance = random.Random(7)
    with SandboxThread(latency=0.01) as sandbox:
        manifest = planned(sandbox, tmp_path / "state", partitions=2)
        with Crew(sandbox, manifest.state, redis.url, timeout=0.5) as crew:
            hands = []
            for turn in range(effort(5, 30)):
                hand = crew.start(turn % 2)
                until(sandbox, len(sandbox.requests) + chance.randrange(1, 8), hand)
                if chance.random() < 0.7:
                    hand.stop()
                hands.append(hand)
            for index in range(2):
                assert last_word(crew, index).startswith("2,000 phones: 2,000 created")
            for hand in hands:
                hand.go_on()
            told = {hand.wait()[:12] for hand in hands}
            assert told <= {"FencedError:", "2,000 phones"}
        assert_whole(sandbox, manifest)


@pytest.mark.parametrize("seed", range(effort(1, 20)))
def test_with_the_same_numbers_in_all_partitions_while_processes_die(
    seed: int, redis: RedisServer, tmp_path: Path
) -> None:
    """A number that two have in doubt stays unknown; what is called created is, under its id."""
    chance = random.Random(seed)
    lists = [tmp_path / f"{index}.csv" for index in range(3)]
    for path in lists:
        path.write_text("phone\n" + "\n".join(numbers(600)) + "\n")
    latency = (0.0, 0.01, 0.05)
    with SandboxThread(latency=lambda _: chance.choice(latency)) as sandbox:
        group = sandbox.add_group("people")
        options: dict[str, Any] = {"batch_size": 20, "concurrency": 4, "quiet_period": 0.2}
        state = tmp_path / "state"
        manifest = asyncio.run(fleet.plan(lists, group, state, **options))
        with Crew(sandbox, state, redis.url, timeout=1.0) as crew:
            hands = []
            for turn in range(9):
                hand = crew.start(turn % 3)
                until(sandbox, len(sandbox.requests) + chance.randrange(1, 12), hand)
                chance.choice((hand.kill, hand.stop, hand.go_on))()
                hands.append(hand)
            for index in range(3):
                assert last_word(crew, index).startswith("600 phones: ")
            for hand in hands:
                hand.go_on()
            for hand in hands:
                hand.wait()
        report = UploadReport.open_all(state)
        assert report.complete
        assert report.submitted == manifest.rows
        assert_judged(report, sandbox)
        assert report.created_count > report.submitted / 2
