"""The merged report: how much work it is, and that it is right whatever is there."""

from __future__ import annotations

import asyncio
import os
import pickle
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from asyncsdk import UploadReport, fleet
from asyncsdk.ledger.journal.partitions import note_totals
from asyncsdk.progress import Phase
from tests.rig import connected, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.fleet import Manifest

PARTITIONS = 60


@pytest.fixture
def manifest(state: Path) -> Manifest:
    """Many partitions that are complete, each a copy of the first."""

    async def first() -> Manifest:
        path = state.with_name("list.csv")
        path.write_text("phone\n" + "\n".join([*numbers(20), "", "x"]) + "\n,\n")
        async with connected() as rig:
            made = await fleet.plan(path, rig.group_id, state, normalize="DE", header=True)
            await fleet.run(made, 0, client=rig.client)
            return made

    made = asyncio.run(first())
    part = made.partitions[0]
    parts = [evolve(part, index=i, first=i * part.rows) for i in range(PARTITIONS)]
    made = evolve(made, partitions=parts)
    made.write()
    for index in range(1, PARTITIONS):
        journal = state / f"{index:05d}.journal"
        journal.write_bytes((state / "00000.journal").read_bytes())
        note_totals(made.folder, index, journal)
    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many journals were opened since it was asked last."""
    count = [0]
    connect = sqlite3.connect

    def counted(*args: Any, **options: Any) -> Any:
        count[0] += 1
        return connect(*args, **options)

    def since() -> int:
        found, count[0] = count[0], 0
        return found

    monkeypatch.setattr(sqlite3, "connect", counted)
    return since


def descriptors() -> int:
    """Files that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_journal_is_opened_for_the_totals(manifest: Manifest, opened: Callable[[], int]) -> None:
    report = UploadReport.open_all(manifest.state)
    assert str(report).startswith("1,320 phones: 1,200 created, 120 invalid, 0 failed")
    assert report.complete
    assert not report.ok
    assert report.summary()["submitted"] == manifest.rows
    assert opened() == 0
    assert report.created[41].index == 45
    assert opened() > 0


def test_few_files_are_open_at_once(manifest: Manifest, state: Path) -> None:
    before = descriptors()
    report = UploadReport.open_all(state)
    indices = []
    for result in report.results():
        indices.append(result.index)
        assert descriptors() <= before + 20
    assert sorted(indices) == list(range(manifest.rows))
    for totals in state.glob("*.totals"):
        totals.unlink()
    again = UploadReport.open_all(state)
    assert descriptors() <= before + 40
    assert again == report


@pytest.mark.parametrize("change", ["gone", "damaged", "older", "another"])
def test_totals_that_do_not_hold_are_not_believed(
    change: str, manifest: Manifest, opened: Callable[[], int]
) -> None:
    place = manifest.state / "00003.totals"
    raw = place.read_bytes()
    expected = UploadReport.open_all(manifest.state).summary()
    opened()
    if change == "gone":
        place.unlink()
    elif change == "damaged":
        place.write_bytes(raw[:-5])
    elif change == "older":
        os.utime(manifest.state / "00003.journal", (1, 1))
    else:
        place.write_bytes(raw.replace(b'"created":20', b'"created":21').replace(b"00003", b"00004"))
    assert UploadReport.open_all(manifest.state).summary() == expected
    assert opened() == 1


def test_the_last_journal_of_a_partition_is_its_account(manifest: Manifest) -> None:
    folder = manifest.state
    (folder / "00003-5.journal").touch()  # claimed, and nothing was begun
    assert UploadReport.open_all(folder).complete
    assert UploadReport.open_all(folder).created_count == 1200
    (folder / "00003.journal").unlink()
    assert not UploadReport.open_all(folder).complete
    assert UploadReport.open_all(folder).created_count == 1180


def test_how_far_it_is(manifest: Manifest) -> None:
    assert fleet.progress(manifest.state).phase is Phase.ENDED
    (manifest.state / "00007.journal").unlink()
    found = fleet.progress(str(manifest.state))
    assert (found.settled, found.total, found.phase) == (1298, 1320, Phase.UPLOADING)


def test_a_merged_report_travels(manifest: Manifest) -> None:
    report = UploadReport.open_all(manifest.state)
    again = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own
    assert again == report
    assert [r.index for r in again.invalid[:3]] == [20, 21, 42]
    table = manifest.state.with_name("all.csv")
    assert report.to_csv(table, only="invalid") == 120
    assert Path(table).read_text(encoding="utf-8-sig").count("\n") == 121
