"""Rows a second from a CSV file on one core: read alone, checked, and uploaded.

The process that reads is bound to one core; the server has another.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from asyncsdk import Client
from asyncsdk.sources import read
from benchmarks.contenders import KEY, quiet
from benchmarks.measure import Section, Verdict, Worker, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.sink import Sink

_TARGET = 60_000
_ROUNDS = 5
_HEADER = "Anrede;Vorname;Nachname;Mobil;Notiz;Kundennr.\r\n"
_ROW = 'Frau;Jördis;Müller {0};+49160{0:08};"Kommt, falls es passt";KD-{0:06}\r\n'
_MAPPING = {"a": "Anrede", "b": "Nachname", "callback_data": "Kundennr."}


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    count = 50_000 if quick else 300_000
    with tempfile.TemporaryDirectory() as folder, Worker() as worker:
        path = str(Path(folder) / "list.csv")
        _write(path, count)
        worker.call(quiet)
        worker.call(_bind)
        jobs: dict[str, Callable[..., int]] = {
            "read": _read,
            "checked": _check,
            "uploaded": _upload,
        }
        found = {}
        for name, job in jobs.items():
            rates = []
            for turn in range(_ROUNDS):
                say(f"  {name}: round {turn + 1} of {_ROUNDS}")
                sink.set_up(Behaviour())
                rates.append(worker.call(_rate, job, path, sink.url))
            found[name] = median(rates)
    yield Section(
        "Rows a second from a CSV file, one core",
        ("", "rows per second"),
        [(name, f"{rate:,.0f}") for name, rate in found.items()],
        (Verdict("uploaded from a CSV file", found["uploaded"], _TARGET, "rows/s", at_least=True),),
        note=f"{count:,} rows of six columns, four of them mapped; not normalised.",
    )


def _write(path: str, count: int) -> None:
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        file.write(_HEADER)
        file.writelines(map(_ROW.format, range(count)))


def _bind() -> None:
    with suppress(AttributeError, OSError):  # only Linux can, and not every container may
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _rate(job: Callable[..., int], path: str, url: str) -> float:
    source = read(path, columns=_MAPPING)
    began = time.perf_counter()
    return job(source, url) / (time.perf_counter() - began)


def _read(source: Any, url: str) -> int:
    del url
    return sum(1 for _ in source)


def _check(source: Any, url: str) -> int:
    return _uploaded(source, url, dry_run=True)


def _upload(source: Any, url: str) -> int:
    return _uploaded(source, url, dry_run=False)


def _uploaded(source: Any, url: str, *, dry_run: bool) -> int:
    async def upload() -> int:
        async with Client(*KEY, base_url=url, rate=None) as client:
            report = await client.phones.upload(1, source, rate=None, dry_run=dry_run)
        assert dry_run or report.ok
        return report.submitted

    return asyncio.run(upload())
