"""The pace that processes share: what a permit costs, and how many one Redis hands out."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from asyncsdk import Client, Rate
from asyncsdk.http.exchange import Attempt
from asyncsdk.integrations.redis import SharedPace
from asyncsdk.integrations.redis.spares import Spares
from asyncsdk.secret import Secret
from benchmarks.contenders import KEY, mappings, quiet
from benchmarks.measure import Section, Verdict, Worker, cpu_seconds, in_turns, quantile
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

_RATE = Rate(100_000, per=1.0)
"""More than any client asks for: what is measured is the asking, not the waiting."""


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    with _redis() as port:
        yield _permits(port, 3_000 if quick else 20_000)
        yield _uploads(sink.url, port, 200_000, 5 if quick else 9)


def _permits(port: int, count: int) -> Section:
    took, cpu = asyncio.run(_one_after_the_other(port, count))
    many = asyncio.run(_many(port, count, 64))
    each = _microseconds_of_a_call(port)
    middle, high = (quantile(took, q) * 1e3 for q in (0.5, 0.99))
    return Section(
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
        note=f"{count:,} permits over the loopback, each asked for, one after the other, then 64 "
        "tasks at once, as many at a time as they like. Of the last column Redis itself says how "
        "long its script took: a request that waits for its slot is two or three calls.",
    )


def _uploads(url: str, port: int, count: int, rounds: int) -> Section:
    ways = {"of the client alone": None, "shared through Redis": port}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker()) for name in ways}
        for name, worker in workers.items():
            worker.call(quiet)
            worker.call(_spent, url, ways[name], 5_000)

        def cost(name: str) -> float:
            return float(workers[name].call(_spent, url, ways[name], count)) / count * 1e6

        found = in_turns({name: partial(cost, name) for name in ways}, rounds)
    alone, shared = found.values()
    return Section(
        "What it adds to an upload",
        ("pace", "µs of CPU per phone"),
        [(name, f"{spent:.3f}") for name, spent in found.items()],
        (Verdict("CPU per phone that the shared pace adds", (shared / alone - 1) * 100, 2, "%"),),
        note=f"{count:,} phones from a generator of mappings, 1,000 in a batch, 8 requests at "
        f"once, no delay, at a rate that is never reached; medians of {rounds}.",
    )


def _spent(url: str, port: int | None, count: int) -> float:
    """Seconds of CPU time of an upload."""

    async def upload() -> None:
        pace = None if port is None else SharedPace(f"redis://127.0.0.1:{port}", rate=_RATE)
        async with Client(*KEY, base_url=url, rate=_RATE, pace=pace) as client:
            await client.phones.upload(1, mappings(count), rate=None)

    return cpu_seconds(asyncio.run, upload())


async def _one_after_the_other(port: int, count: int) -> tuple[list[float], float]:
    """Seconds of each permit, and of CPU time for one."""
    pace = SharedPace(f"redis://127.0.0.1:{port}", rate=_RATE)
    pace._spares = Spares(1e-9)  # noqa: SLF001 - each is asked for
    await _prove(pace)
    took, began = [], time.process_time()
    for _ in range(count):
        start = time.perf_counter()
        await _permit(pace)
        took.append(time.perf_counter() - start)
    cpu = (time.process_time() - began) / count
    await pace.aclose()
    return took, cpu


async def _many(port: int, count: int, tasks: int) -> float:
    """Permits per second of so many tasks."""
    pace = SharedPace(f"redis://127.0.0.1:{port}", rate=_RATE)
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
    while not pace.confirm(attempt):  # a busy machine may hold this up until it has run out
        await pace.renew(attempt, wait=True)
    attempt.left, attempt.left_at = True, asyncio.get_running_loop().time()
    pace.release(attempt)


@contextmanager
def _redis() -> Iterator[int]:
    """The port of a redis-server of its own."""
    command = shutil.which("redis-server") or "redis-server"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--dir", folder, "--save", ""]
        with subprocess.Popen([command, *options], stdout=subprocess.DEVNULL) as process:
            try:
                while not _answers(port):
                    time.sleep(0.01)
                yield port
            finally:
                process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _microseconds_of_a_call(port: int) -> float:
    client = shutil.which("redis-cli") or "redis-cli"
    told = subprocess.run(
        [client, "-p", str(port), "info", "commandstats"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"cmdstat_evalsha:.*usec_per_call=([\d.]+)", told)
    assert found is not None, "nobody asked"
    return float(found[1])
