"""Growth: what a phone costs in longer and longer lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import quiet, sdk
from benchmarks.measure import Section, Verdict, Worker, cpu_seconds, in_turns
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    sizes = (10_000, 100_000, 500_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000)
    with Worker() as worker:
        worker.call(quiet)
        worker.call(sdk, sink.url, 5_000)

        def cost(count: int) -> float:
            """Short lists are uploaded several times over: their time is too short to be told."""
            times = max(1, 100_000 // count)
            return float(worker.call(_spent, sink.url, count, times)) / count / times * 1e6

        names = {f"{count:,}": (lambda count=count: cost(count)) for count in sizes}
        found = in_turns(names, 3 if quick else 5)
    usual = found["100,000"]
    last = f"{sizes[-1]:,}"
    yield Section(
        "Growth",
        ("phones", "µs of CPU per phone", "of that at 100,000"),
        [(name, f"{spent:.2f}", f"{spent / usual:.2f}") for name, spent in found.items()],
        (Verdict(f"cost per phone at {last}, of that at 100,000", found[last] / usual, 1.15),),
        note="From a generator, with the default report, which keeps the created phones.",
    )


def _spent(url: str, count: int, times: int) -> float:
    return sum(cpu_seconds(sdk, url, count) for _ in range(times))
