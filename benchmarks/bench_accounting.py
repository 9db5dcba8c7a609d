"""What each uploader accounts for when replies are short, late, or refuse some of the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.accountants import ACCOUNTANTS
from benchmarks.contenders import quiet
from benchmarks.measure import Section, Verdict, Worker, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.accountants import Account
    from benchmarks.sink import Fault, Sink

_COUNT = 4_000
_TIMEOUT = 1.0
_FAULTS: dict[Fault, str] = {
    "short": "30 % of each reply missing",
    "silence": "a request times out",
    "busy": "an item in ten says 429",
}


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    del quick
    rows, wrong = [], 0
    for name, account in ACCOUNTANTS.items():
        cells = [name]
        for fault in _FAULTS:
            say(f"  {name}: {fault}")
            sink.set_up(Behaviour(fault=fault))
            with Worker() as worker:
                worker.call(quiet)
                found: Account = worker.call(account, sink.url, _COUNT, _TIMEOUT)
            stored = sink.log().stored
            cells.append(f"{found}; {stored:,} stored")
            if name == "asyncsdk":
                wrong += abs(_COUNT - found.total) + max(0, stored - _COUNT)
        rows.append(tuple(cells))
    yield Section(
        "What is accounted for",
        ("uploader", *_FAULTS.values()),
        rows,
        (Verdict("items that asyncsdk does not account for, or stores twice", wrong, 0, ""),),
        note=f"Of {_COUNT:,} items, 1,000 in a batch: how many each says were stored (good), were "
        "not (bad) or may have been (unknown), what it raised, and how often the server stored one."
        f" A request times out after {_TIMEOUT:g} s; the first is stored and never answered. "
        "The helpers do not raise on errors.",
    )
