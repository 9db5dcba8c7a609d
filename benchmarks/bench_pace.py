"""The pace that processes share: what a permit costs, and how many one Redis hands out."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asyncsdk import Rate
from asyncsdk.http.exchange import Attempt
from asyncsdk.integrations.redis import SharedPace
from asyncsdk.secret import Secret
from benchmarks.measure import Section, Verdict, quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

_RATE = Rate(100_000, per=1.0)
"""More than any client asks for: what is measured is the asking, not the waiting."""


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    """One section; the sink is not asked."""
    del sink
    count = 3_000 if quick else 20_000
    with _redis() as server:
        took, cpu = asyncio.run(_one_after_the_other(server, count))
        many = asyncio.run(_many(server, count, 64))
        each = _microseconds_of_a_call(server)
    middle, high = (quantile(took, q) * 1e3 for q in (0.5, 0.99))
    yield Section(
        "A pace that is shared through Redis",
        ("permit, p50", "p99", "CPU of the client", "one process", "one Redis"),
        [
            (
                f"{middle:.2f} ms",
                f"{high:.2f} ms",
                f"{cpu * 1e6:.0f} µs",
                f"{many:,.0f}/s",
                f"{1e6 / each:,.0f}/s ({each:.0f} µs)",
            )
        ],
        (Verdict("p99 of a permit of the shared pace", high, 1, "ms"),),
        note=f"{count:,} permits without a wait over a Unix socket, one after the other, then 64 "
        "tasks at once. Of the last column Redis itself says how long its script took: a request "
        "that waits for its slot is two calls.",
    )


async def _one_after_the_other(server: Path, count: int) -> tuple[list[float], float]:
    """Seconds of each permit, and of CPU time for one."""
    pace = SharedPace(f"unix://{server}", rate=_RATE)
    await _prove(pace)
    took, began = [], time.process_time()
    for _ in range(count):
        start = time.perf_counter()
        await _permit(pace)
        took.append(time.perf_counter() - start)
    cpu = (time.process_time() - began) / count
    await pace.aclose()
    return took, cpu


async def _many(server: Path, count: int, tasks: int) -> float:
    """Permits per second of so many tasks."""
    pace = SharedPace(f"unix://{server}", rate=_RATE)
    await _prove(pace)

    async def some() -> None:
        for _ in range(count // tasks):
            await _permit(pace)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(tasks)))
    took = time.perf_counter() - began
    await pace.aclose()
    return count / took


_TOKEN = Secret("1234567:key")


async def _prove(pace: SharedPace) -> None:
    """The key is known to be good, as it is after the first reply."""
    attempt = Attempt(token=_TOKEN)
    await pace.acquire(attempt)
    await pace.renew(attempt, wait=True)
    attempt.left, attempt.left_at = True, asyncio.get_running_loop().time()
    await pace.learn(attempt, 200)
    pace.release(attempt)
    await asyncio.sleep(2.5)  # after a start slots are spaced out


async def _permit(pace: SharedPace) -> None:
    attempt = Attempt(token=_TOKEN)
    await pace.acquire(attempt)
    await pace.renew(attempt)
    assert pace.confirm(attempt)
    attempt.left, attempt.left_at = True, asyncio.get_running_loop().time()
    pace.release(attempt)


@contextmanager
def _redis() -> Iterator[Path]:
    """A redis-server of its own."""
    command = shutil.which("redis-server") or "redis-server"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", ""]
        with subprocess.Popen([command, *options], stdout=subprocess.DEVNULL) as process:
            try:
                while not path.exists():
                    time.sleep(0.01)
                yield path
            finally:
                process.kill()


def _microseconds_of_a_call(server: Path) -> float:
    client = shutil.which("redis-cli") or "redis-cli"
    told = subprocess.run(
        [client, "-s", str(server), "info", "commandstats"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"cmdstat_evalsha:.*usec_per_call=([\d.]+)", told)
    assert found is not None, "nobody asked"
    return float(found[1])
