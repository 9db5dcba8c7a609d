"""CPU time per phone of a whole upload, against the limit, the script and the rivals."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.contenders import (
    RIVALS,
    SCRIPTS,
    bare_posts,
    draw,
    have_bodies,
    have_rows,
    limit,
    limit_accounting,
    limit_encoding,
    quiet,
    sdk,
    sender,
    small_uploads,
)
from benchmarks.measure import Section, Verdict, Worker, cpu_seconds, in_turns
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.sink import Sink

    Contender = Callable[[str, int], int]

_WARM_UP = 5_000
_ENCODING = "limit, rows drawn and encoded"
_ACCOUNTING = "limit, rows drawn, checked, matched and kept"


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    rounds = 5 if quick else 7
    sink.set_up(Behaviour())
    yield _against_scripts(sink, 200_000, 50_000 if quick else 200_000, rounds)
    yield _one_by_one(sink, 500 if quick else 2_000, rounds)
    for delay in (0.0,) if quick else (0.0, 0.05):
        sink.set_up(Behaviour(delay=delay))
        yield _against_rivals(sink, 10_000 if quick else 50_000, 5, delay)


def _against_scripts(sink: Sink, count: int, by_scripts: int, rounds: int) -> Section:
    counts = dict.fromkeys(SCRIPTS, by_scripts)
    contenders: dict[str, Contender] = {
        "asyncsdk": sdk,
        "drawing the rows": draw,
        "limit": limit,
        _ENCODING: limit_encoding,
        _ACCOUNTING: limit_accounting,
        **SCRIPTS,
    }
    found, _ = _measure(contenders, sink, count, rounds, counts)
    ours, drawing = found["asyncsdk"], found["drawing the rows"]
    return Section(
        "CPU time per phone",
        ("uploader", "µs", "of the limit", "of asyncsdk"),
        [
            (name, f"{spent:.2f}", f"{spent / found['limit']:.2f}", f"{spent / ours:.2f}")
            for name, spent in found.items()
        ],
        (
            Verdict(
                "CPU per phone without drawing it, of the limit",
                (ours - drawing) / found["limit"],
                1.7,
            ),
            Verdict(
                "The same of a script that keeps accounts and knows no failure",
                (found[_ACCOUNTING] - drawing) / found["limit"],
                1.7,
            ),
            Verdict(
                "The same of what draws and encodes, and does nothing else",
                (found[_ENCODING] - drawing) / found["limit"],
                1.7,
            ),
            Verdict(
                "CPU per phone of the aiohttp script, of ours",
                found["script: aiohttp"] / ours,
                3.6,
                at_least=True,
            ),
        ),
        note=f"{count:,} rows of four fields ({by_scripts:,} by the scripts) from a generator of "
        "mappings, 1,000 in a batch, 8 requests at once, no delay. The limit posts ready-made "
        "bodies and decodes the statuses; below it are what draws and encodes the rows as well, "
        "and what also keeps an account of them, as long as nothing ever goes wrong. The scripts "
        "send the same four fields with `json=`.",
    )


def _one_by_one(sink: Sink, count: int, rounds: int) -> Section:
    contenders = {"a bare POST": bare_posts, "an upload": small_uploads, "a sender": sender}
    # asyncio reads into a new block of 256 KiB each time. Until one as large has been freed, as by
    # the imports of any web framework, glibc may map and unmap each: by luck, for one of these and
    # not for another.
    bytes(1 << 19)
    counts = {"a sender": count * 10}
    found, _ = _measure(contenders, sink, count, rounds, counts)
    bare = found["a bare POST"]
    return Section(
        "CPU time of one phone at a time",
        ("by", "µs", "of a bare POST"),
        [(name, f"{spent:.1f}", f"{spent / bare:.2f}") for name, spent in found.items()],
        (
            Verdict("CPU of an upload of one phone, of a bare POST", found["an upload"] / bare, 2),
            Verdict("CPU of a phone through a sender, likewise", found["a sender"] / bare, 0.1),
        ),
        note=f"{count:,} phones, one after the other; {count * 10:,} of 200 callers by the sender.",
    )


def _against_rivals(sink: Sink, count: int, rounds: int, delay: float) -> Section:
    found, walls = _measure({"asyncsdk": sdk, **RIVALS}, sink, count, rounds)
    ours = found["asyncsdk"]
    cheapest = min(spent for name, spent in found.items() if name != "asyncsdk")
    told = f"{delay * 1000:.0f} ms"
    return Section(
        f"The rivals, at {told} of server delay",
        ("uploader", "µs of CPU per item", "of asyncsdk", "items per second"),
        [
            (name, f"{spent:.2f}", f"{spent / ours:.1f}", f"{1 / walls[name]:,.0f}")
            for name, spent in found.items()
        ],
        (
            Verdict(
                f"CPU per item of the cheapest rival at {told}, of ours",
                cheapest / ours,
                1.0,
                at_least=True,
            ),
        ),
        note=f"{count:,} phones, 1,000 in a batch, 8 requests at once (`async_streaming_bulk` "
        "knows one). Each rival has its server's minimal reply; asyncsdk reads every phone back.",
    )


def _measure(
    contenders: Mapping[str, Contender],
    sink: Sink,
    count: int,
    rounds: int,
    others: Mapping[str, int] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Microseconds of CPU per phone, and seconds on the wall per phone (median of the turns).

    Each uploads so many phones, but for the `others`.
    """
    counts = dict.fromkeys(contenders, count) | dict(others or {})
    walls: dict[str, list[float]] = {name: [] for name in contenders}

    def turn(name: str) -> float:
        phones = counts[name]
        spent, wall = workers[name].call(_once, contenders[name], sink.url, phones)
        walls[name].append(wall / phones)
        return float(spent) / phones * 1e6

    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker()) for name in contenders}
        for name, worker in workers.items():
            worker.call(quiet)
            for size in (min(counts[name], _WARM_UP), counts[name]):
                worker.call(have_rows, size)
                if contenders[name] is limit:
                    worker.call(have_bodies, size)
            worker.call(contenders[name], sink.url, min(counts[name], _WARM_UP))
        found = in_turns({name: partial(turn, name) for name in contenders}, rounds)
    return found, {name: sorted(taken)[len(taken) // 2] for name, taken in walls.items()}


def _once(contender: Contender, url: str, count: int) -> tuple[float, float]:
    began = time.perf_counter()
    stored = 0

    def run() -> None:
        nonlocal stored
        stored = contender(url, count)

    spent = cpu_seconds(run)
    if stored != count:
        msg = f"{stored} of {count} were stored"
        raise RuntimeError(msg)
    return spent, time.perf_counter() - began
