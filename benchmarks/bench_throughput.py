"""Throughput against theory: under a server delay, and under a rate limit never exceeded."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from asyncsdk import Client, Rate
from benchmarks.contenders import KEY, phones, quiet, sdk
from benchmarks.measure import Section, Verdict, Worker, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

_DELAY = 0.05
_BATCH = 500
_CONCURRENCY = 8


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    rounds = 5
    with Worker() as worker:
        worker.call(quiet)
        worker.call(sdk, sink.url, 5_000)
        yield _delayed(sink, worker, 200_000 if quick else 400_000, rounds)
        yield _limited(sink, worker, 1.5 if quick else 10.0, rounds)


def _delayed(sink: Sink, worker: Worker, count: int, rounds: int) -> Section:
    sink.set_up(Behaviour(delay=_DELAY))
    theory = _CONCURRENCY * _BATCH / _DELAY
    found = []
    for turn in range(rounds):
        say(f"  delay: round {turn + 1} of {rounds}")
        taken = worker.call(_seconds, sink.url, count, None, 2 * _BATCH * _CONCURRENCY)
        found.append(count / taken)
    reached = median(found)
    return Section(
        "Throughput at 50 ms of server delay",
        ("", "phones per second"),
        [("concurrency x batch / delay", f"{theory:,.0f}"), ("asyncsdk", f"{reached:,.0f}")],
        (Verdict("throughput at 50 ms, of theory", reached / theory, 0.97, at_least=True),),
        note=f"{count:,} phones, {_BATCH} in a batch, {_CONCURRENCY} requests at once, "
        "by a client that was used before.",
    )


def _seconds(url: str, count: int, rate: Rate | None, before: int) -> float:
    """How long it takes a client that uploaded some before: a new one sends a request alone."""

    async def upload() -> float:
        async with Client(*KEY, base_url=url, rate=None) as client:
            send = partial(client.phones.upload, 1, batch_size=_BATCH, concurrency=_CONCURRENCY)
            await send(phones(before), rate=None)
            began = time.perf_counter()
            await send(phones(count), rate=rate)
            return time.perf_counter() - began

    return asyncio.run(upload())


def _limited(sink: Sink, worker: Worker, seconds: float, rounds: int) -> Section:
    sink.set_up(Behaviour())
    rows, verdicts = [], []
    for rate in (Rate(20, per=1.0), Rate(10, per=0.25)):
        shares, worst = [], 0
        for turn in range(rounds):
            say(f"  {rate.requests} in {rate.per:g} s: round {turn + 1} of {rounds}")
            sink.set_up(Behaviour())
            requests = round(seconds * rate.requests / rate.per)
            worker.call(_seconds, sink.url, requests * _BATCH, rate, _BATCH)
            arrivals = sink.log().arrivals[-requests:]
            taken = arrivals[-1] - arrivals[0]
            shares.append((len(arrivals) - 1) / taken / (rate.requests / rate.per))
            worst = max(worst, busiest(arrivals, rate.per))
        name = f"{rate.requests} requests in {rate.per:g} s"
        reached = median(shares)
        rows.append((name, f"{reached:.1%}", f"{worst} of {rate.requests}"))
        verdicts += [
            Verdict(f"throughput at {name}, of theory", reached, 0.98, at_least=True),
            Verdict(f"most arrivals in any window at {name}", worst, rate.requests, ""),
        ]
    return Section(
        "Throughput under a rate limit",
        ("limit", "of rate x batch", "arrivals in the busiest window"),
        rows,
        verdicts,
        note="Judged by the times at which the requests reached the server, by a client that was "
        "used before.",
    )


def busiest(arrivals: list[float], per: float) -> int:
    """The most arrivals in any window of this many seconds, wherever it begins."""
    return max(bisect_left(arrivals, start + per) - i for i, start in enumerate(arrivals))
