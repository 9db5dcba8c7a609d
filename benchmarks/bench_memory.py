"""Memory: the peak while ever longer lists stream through, and what a kept phone takes."""

from __future__ import annotations

import gc
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.contenders import quiet, sdk
from benchmarks.measure import Section, Verdict, Worker, peak, resident, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

_MIB = 2**20


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    sizes = (10_000, 100_000, 1_000_000) if quick else (100_000, 1_000_000, 10_000_000)
    rounds = 3 if quick else 5
    found: dict[tuple[int, bool], tuple[float, float]] = {}
    for count in sizes:
        for keep in (False, True):
            turns = rounds if count < sizes[-1] and not quick else 1
            if count == sizes[-1] and keep and not quick:
                turns = 1
            taken = []
            for turn in range(turns):
                say(f"  {count:,} phones, keep_created={keep}: round {turn + 1} of {turns}")
                with Worker() as worker:
                    taken.append(worker.call(_grown, sink.url, count, keep))
            found[count, keep] = tuple(map(median, zip(*taken, strict=True)))
    first, last = sizes[0], sizes[-1]
    growth = (found[last, False][0] - found[first, False][0]) / _MIB
    per_phone = (found[last, True][0] - found[last, False][0]) / last
    yield Section(
        "Memory",
        ("phones", "peak, counts only", "peak, created kept", "bytes per kept phone"),
        [
            (
                f"{count:,}",
                f"{found[count, False][0] / _MIB:.1f} MiB",
                f"{found[count, True][0] / _MIB:.1f} MiB",
                f"{(found[count, True][0] - found[count, False][0]) / count:.0f}",
            )
            for count in sizes
        ],
        (
            Verdict(f"memory of {last:,} phones above {first:,}", growth, 15, "MiB"),
            Verdict("bytes per kept created phone", per_phone, 400, "B"),
        ),
        note="What the process grew by, at its peak, above an idle one that has imported the SDK "
        "and uploaded 1,000 phones. Each from a generator, in a fresh process.",
    )


def _grown(url: str, count: int, keep: bool) -> tuple[float, float]:  # noqa: FBT001
    """Bytes by which the peak grew, and what is left after the report is gone."""
    quiet()
    sdk(url, 1_000)
    gc.collect()
    before = resident()
    sdk(url, count, keep_created=keep)
    highest = peak() - before
    gc.collect()
    return float(highest), float(resident() - before)
