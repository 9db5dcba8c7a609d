"""A fleet of real processes, with clocks that differ, on one real Redis."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.sandbox.thread import SandboxThread
from tests.effort import effort
from tests.integrations.arrivals import Arrivals
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from tests.integrations.redis_server import RedisServer

PROCESSES = effort(3, 16)
SECONDS = effort(3, 30)
WHOLE = effort(0, 1) == 1


def run_fleet(
    redis: RedisServer, sandbox: SandboxThread, url: str, **order: Any
) -> list[dict[str, Any]]:
    """What the processes tell, once they are through."""
    group = sandbox.add_group("people")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integrations.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    shared = {
        "redis": redis.url,
        "url": url,
        "client_id": sandbox.client_id,
        "api_key": sandbox.api_key,
        "group": group,
        # By default each has so much to do, however long that takes on a busy machine.
        "most": 100_000 if WHOLE else max(1, order["rate"] * SECONDS // PROCESSES),
        "until": time.monotonic() + (SECONDS if WHOLE else 300),
    }
    for number, process in enumerate(processes):
        own = {"number": number, "off": 2.0 * number / max(1, PROCESSES - 1) - 1.0}
        assert process.stdin is not None
        process.stdin.write(json.dumps(shared | own | order) + "\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0]) for process in processes]


@pytest.mark.parametrize(
    ("rate", "late"),
    [
        (200, 0.0),
        (20, 0.1),
        pytest.param(20, 0.0, marks=pytest.mark.slow),
        pytest.param(200, 0.1, marks=pytest.mark.slow),
    ],
)
def test_together_they_keep_the_rate_whatever_their_clocks_show(
    redis: RedisServer, rate: int, late: float
) -> None:
    with SandboxThread(latency=0.005) as sandbox:
        arrivals = Arrivals(sandbox)
        told = run_fleet(redis, sandbox, arrivals.url, rate=rate, late=late)
        read = sorted(request.at for request in sandbox.requests)
    times = sorted(arrivals.times)
    assert [each["error"] for each in told] == [None] * PROCESSES
    assert len(times) == len(read) == sum(each["created"] for each in told)
    assert busiest(times, 1.0) <= rate
    if WHOLE and kept_up(times, read):
        begun, ended = times[0] + 5, times[-1] - 2
        used = sum(begun <= at <= ended for at in times) / (ended - begun) / rate
        counts = [len([at for at in each["left"] if begun <= at <= ended]) for each in told]
        assert used >= 0.95
        assert max(counts) <= 1.5 * min(counts)


def kept_up(times: list[float], read: list[float]) -> bool:
    """Whether the machine was fast enough: no request lay unread for long."""
    return max(at - came for at, came in zip(read, times, strict=True)) < 0.1


def test_a_wrong_key_costs_all_of_them_one_request(redis: RedisServer) -> None:
    with SandboxThread(latency=0.2) as sandbox:
        told = run_fleet(redis, sandbox, sandbox.url, rate=200, late=0.0, api_key="no")
        assert len(sandbox.requests) == 1
    assert all("401" in each["error"] for each in told)
