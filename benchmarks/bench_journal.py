"""The journal: what it costs in CPU time, memory and bytes, and how soon it tells its summary."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from asyncsdk import UploadReport
from benchmarks.contenders import quiet, sdk
from benchmarks.measure import Section, Verdict, Worker, cpu_seconds, in_turns, peak, resident, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

_MIB = 2**20


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    with TemporaryDirectory() as folder:
        yield _cost(sink, Path(folder), 100_000 if quick else 200_000, 5 if quick else 7)
        sizes = (10_000, 100_000) if quick else (100_000, 1_000_000, 10_000_000)
        yield _length(sink, Path(folder), sizes)


def _cost(sink: Sink, folder: Path, count: int, rounds: int) -> Section:
    ways = {
        "no journal": False,
        "journal": True,
        "no journal, counts only": False,
        "journal, counts only": True,
    }
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker()) for name in ways}

        def cost(name: str) -> float:
            keep = "counts only" not in name
            return float(workers[name].call(_spent, sink.url, count, folder, ways[name], keep))

        for worker in workers.values():
            worker.call(quiet)
            worker.call(_spent, sink.url, 5_000, folder, True, True)
        found = in_turns({name: partial(cost, name) for name in ways}, rounds)
    each = {name: spent / count * 1e6 for name, spent in found.items()}
    ratio = each["journal"] / each["no journal"]
    return Section(
        "What a journal costs",
        ("upload", "µs of CPU per phone", "of that without"),
        [
            (name, f"{spent:.2f}", f"{spent / each[name.replace('journal', 'no journal')]:.2f}")
            if ways[name]
            else (name, f"{spent:.2f}", "1.00")
            for name, spent in each.items()
        ],
        (Verdict("CPU per phone with a journal, of that without", ratio, 1.25),),
        note=f"{count:,} phones from a generator, 1,000 in a batch, 8 requests at once, no delay. "
        "The writing thread's time is in it.",
    )


def _spent(url: str, count: int, folder: Path, journal: bool, keep: bool) -> float:  # noqa: FBT001
    def upload() -> None:
        sdk(url, count, journal=path, keep_created=keep)

    path = folder / f"{time.monotonic_ns()}.journal" if journal else None
    spent = cpu_seconds(upload)
    if path is not None:
        path.unlink()
    return spent


def _length(sink: Sink, folder: Path, sizes: tuple[int, ...]) -> Section:
    rows = []
    grown: dict[int, float] = {}
    told = 0.0
    for count in sizes:
        for keep in (True, False):
            path = folder / "long.journal"
            say(f"  {count:,} phones with a journal, keep_created={keep}")
            with Worker() as worker:
                highest = worker.call(_grown, sink.url, count, path, keep)
            if keep:
                with Worker() as worker:
                    told = worker.call(_summary, path)
                grown[count] = highest / _MIB
            rows.append(
                (
                    f"{count:,}{'' if keep else ', counts only'}",
                    f"{highest / _MIB:.1f} MiB",
                    f"{path.stat().st_size / count:.1f}",
                    f"{told * 1000:.0f} ms" if keep else "",
                )
            )
            path.unlink()
    last = f"{sizes[-1]:,}"
    return Section(
        "How a journal grows",
        ("phones", "memory at the peak", "bytes of the file per phone", "summary after"),
        rows,
        (
            Verdict(
                f"memory of {last} phones with a journal, above {sizes[0]:,}",
                grown[sizes[-1]] - grown[sizes[0]],
                40,
                "MiB",
            ),
            Verdict(f"summary of a report of {last} rows", told, 1, "s"),
        ),
        note="What the process grew by, at its peak, above an idle one that has imported the SDK "
        "and uploaded 1,000 phones. Each from a generator, in a fresh process.",
    )


def _grown(url: str, count: int, path: Path, keep: bool) -> float:  # noqa: FBT001
    quiet()
    sdk(url, 1_000)
    gc.collect()
    before = resident()
    sdk(url, count, journal=path, keep_created=keep)
    return float(peak() - before)


def _summary(path: Path) -> float:
    began = time.perf_counter()
    str(UploadReport.open(path))
    return time.perf_counter() - began
