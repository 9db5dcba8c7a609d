"""An upload in partitions: what planning and running cost, and how soon a thousand are added up."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attrs import evolve

from asyncsdk import Client, UploadReport, fleet
from asyncsdk.ledger.journal.partitions import note_totals
from asyncsdk.sources import read
from benchmarks.contenders import quiet
from benchmarks.measure import Section, Verdict, Worker, cpu_seconds, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.fleet import Manifest
    from benchmarks.sink import Sink

PLANS: dict[str, dict[str, Any]] = {
    "counted and cut": {},
    'duplicates="skip"': {"duplicates": "skip"},
    'duplicates="skip", normalize="DE"': {"duplicates": "skip", "normalize": "DE"},
}


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = _list(folder, 200_000 if quick else 1_000_000)
        yield _planning(folder, path)
        yield _running(sink, folder, _list(folder, 100_000 if quick else 300_000))
        yield _adding(sink, folder, 200 if quick else 1_000)


def _list(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}.csv"
    lines = (f"+49160{i:07};Name {i};{i}\n" for i in range(rows))
    path.write_text("phone;name;callback_data\n" + "".join(lines))
    return path


def _planning(folder: Path, path: Path) -> Section:
    rows = []
    for what, options in PLANS.items():
        say(f"  planning, {what}")
        with Worker() as worker:
            count, spent = worker.call(_planned, path, folder / "planned", options)
        rows.append((what, f"{count / spent:,.0f}", f"{spent / count * 1e6:.1f}"))
    return Section(
        "What planning costs",
        ("a list of CSV is", "rows per second of CPU", "µs per row"),
        rows,
        (),
        note="One core. Without `skip` each row is read, and no number is looked at.",
    )


def _planned(path: Path, state: Path, options: dict[str, Any]) -> tuple[int, float]:
    shutil.rmtree(state, ignore_errors=True)
    made: list[Manifest] = []
    spent = cpu_seconds(lambda: made.append(asyncio.run(fleet.plan(path, 7116, state, **options))))
    return made[0].rows, spent


def _running(sink: Sink, folder: Path, path: Path) -> Section:
    with Worker() as worker:
        worker.call(quiet)
        each = dict(worker.call(_spent, sink.url, path, folder))
    ratio = each["in partitions"] / each["with a journal"]
    return Section(
        "What an upload in partitions costs",
        ("upload", "µs of CPU per phone"),
        [(name, f"{spent:.2f}") for name, spent in each.items()],
        (Verdict("CPU per phone in partitions, of that with one journal", ratio, 1.15),),
        note="The same list of CSV, by one process.",
    )


def _spent(url: str, path: Path, folder: Path) -> list[tuple[str, float]]:
    count = len(path.read_bytes().splitlines()) - 1
    manifest = asyncio.run(fleet.plan(path, 7116, folder / "run", on_unknown="report"))

    async def whole() -> None:
        async with Client("1234567", "key", base_url=url, rate=None) as client:
            await client.phones.upload(7116, read(path), journal=folder / "one.journal")

    async def parts() -> None:
        async with Client("1234567", "key", base_url=url, rate=None) as client:
            await fleet.run_all(manifest, client=client, at_once=1)

    ways = {"with a journal": whole, "in partitions": parts}
    return [
        (name, cpu_seconds(lambda way=way: asyncio.run(way())) / count * 1e6)
        for name, way in ways.items()
    ]


def _adding(sink: Sink, folder: Path, partitions: int) -> Section:
    say(f"  adding up {partitions:,} partitions")
    state = folder / "many"
    _many(sink.url, folder, state, partitions)
    with Worker() as worker:
        seconds, total = worker.call(_added, state)
    return Section(
        "How soon a report is merged",
        ("partitions", "rows", "totals after"),
        [(f"{partitions:,}", f"{total:,}", f"{seconds * 1000:.0f} ms")],
        (Verdict("totals of all partitions", seconds, 1, "s"),),
        note="10,000 rows in each, which are complete. The folder has been read before.",
    )


def _many(url: str, folder: Path, state: Path, partitions: int) -> None:
    """So many partitions, each a copy of the first."""
    manifest = asyncio.run(fleet.plan(_list(folder, 10_000), 7116, state, on_unknown="report"))

    async def first() -> None:
        async with Client("1234567", "key", base_url=url, rate=None) as client:
            await fleet.run(manifest, 0, client=client)

    asyncio.run(first())
    part = manifest.partitions[0]
    parts = [evolve(part, index=at, first=at * part.rows) for at in range(partitions)]
    evolve(manifest, partitions=parts).write()
    for at in range(1, partitions):
        journal = state / f"{at:05d}.journal"
        shutil.copyfile(state / "00000.journal", journal)
        note_totals(manifest.folder, at, journal)


def _added(state: Path) -> tuple[float, int]:
    UploadReport.open_all(state)
    began = time.perf_counter()
    report = UploadReport.open_all(state)
    total = report.submitted
    str(report)
    return time.perf_counter() - began, total
