"""Numbers that came before, in whatever partition, and those that the group holds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, Normalize, Outcome, UploadReport, fleet
from asyncsdk.sources import read
from tests.effort import effort
from tests.rig import connected

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk import PhoneResult
    from asyncsdk.fleet import Manifest
    from tests.rig import Rig


def written(state: Path, lists: list[list[str]]) -> list[Path]:
    """Lists as files."""
    paths = [state.with_name(f"{index}.csv") for index in range(len(lists))]
    for path, rows in zip(paths, lists, strict=True):
        path.write_text("phone;name\n" + "".join(f"{row};x\n" for row in rows))
    return paths


async def run_all(rig: Rig, manifest: Manifest) -> UploadReport:
    """Run every partition, the last one first."""
    for index in reversed(range(len(manifest.partitions))):
        await fleet.run(manifest, index, client=rig.client)
    return UploadReport.open_all(manifest.state)


def kind(result: PhoneResult) -> tuple[object, ...]:
    """What is said of a row, but for where the first one with its number is."""
    error = result.error
    codes = sorted(str(one.code) for one in error.violations) if error else []
    return result.phone.phone, result.number, result.outcome, codes


def in_order(report: UploadReport, manifest: Manifest | None = None) -> list[PhoneResult]:
    """The results in the order of the rows."""
    if manifest is None:
        return sorted(report.results(), key=lambda result: result.index)
    found: list[PhoneResult] = []
    for part in manifest.partitions:
        journal = manifest.state / f"{part.index:05d}.journal"
        found += in_order(UploadReport.open(journal))
    return found


def spelled(chance: random.Random) -> str:
    """One of few numbers, in one of many spellings; or something else."""
    number = f"160{chance.randrange(12):07}"
    ways = [
        f"+49{number}",
        f"0049 {number}",
        f"0{number}",
        f"+49 (0){number}",
        f"49{number}",
        "",
        "x",
    ]
    return chance.choice(ways)


@pytest.mark.parametrize("normalize", [None, "DE"])
@pytest.mark.parametrize("existing", ["send", "skip"])
@pytest.mark.parametrize("seed", range(effort(2, 40)))
async def test_partitions_skip_what_one_upload_would_skip(
    seed: int, existing: Any, normalize: str | None, state: Path
) -> None:
    chance = random.Random(seed)
    lists = [[spelled(chance) for _ in range(chance.randrange(1, 12))] for _ in range(3)]
    paths = written(state, lists)
    held = [spelled(chance) for _ in range(3)]
    options: dict[str, Any] = {"duplicates": "skip", "existing": existing, "normalize": normalize}
    reading: dict[str, Any] = {"columns": {"phone": "phone"}}
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, filter(None, held))
        whole = rig.sandbox.add_group("whole")
        rig.sandbox.hold(whole, filter(None, held))
        one = await rig.client.phones.upload(whole, read(paths, **reading), **options)
        manifest = await fleet.plan(
            paths, rig.group_id, state, partition_rows=3, client=rig.client, **options, **reading
        )
        many = await run_all(rig, manifest)
        assert list(map(kind, in_order(many, manifest))) == list(map(kind, in_order(one)))
        assert many.skipped_count == one.skipped_count
        assert many.ok == one.ok


async def test_it_says_which_row_was_first(state: Path) -> None:
    same = "+491600000001"
    paths = written(state, [[same, same], ["+491600000002", same]])
    async with connected() as rig:
        manifest = await fleet.plan(paths, rig.group_id, state, duplicates="skip")
        report = await run_all(rig, manifest)
        first, other = report.skipped
        assert (first.index, first.error and first.error.duplicate_of) == (1, 0)
        assert (other.index, other.error and other.error.duplicate_of) == (3, None)
        assert "of another partition (1)" in str(other.error)
        assert report.ok
        assert rig.stored.count(same) == 1


async def test_planned_again_the_group_may_hold_more(state: Path) -> None:
    paths = written(state, [["+491600000001", "+491600000002"]])
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, ["+491600000001"])
        options: dict[str, Any] = {"existing": "skip", "client": rig.client}
        manifest = await fleet.plan(paths, rig.group_id, state, **options)
        assert manifest.partitions[0].skips == 1
        report = await run_all(rig, manifest)
        assert report.created_count == 1
        assert await fleet.plan(paths, rig.group_id, state, **options) == manifest
        assert UploadReport.open_all(state).skipped_count == 1


async def test_what_the_group_held_when_it_was_planned_is_no_own_phone(state: Path) -> None:
    paths = written(state, [["+491600000001"]])
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, ["+491600000009"])
        await fleet.plan(paths, rig.group_id, state, existing="skip", client=rig.client)
        reads = len(rig.sandbox.requests)
        await fleet.run(state, 0, client=rig.client)
        assert len(rig.sandbox.requests) == reads + 1  # the batch; nothing is read once more


@pytest.mark.parametrize("damage", [b"", b"12345678", None])
async def test_without_its_marks_nothing_of_a_partition_is_sent(
    damage: bytes | None, state: Path
) -> None:
    paths = written(state, [["+491600000001", "+491600000001"]])
    async with connected() as rig:
        await fleet.plan(paths, rig.group_id, state, duplicates="skip")
        marks = state / "00000.skips"
        assert marks.stat().st_mode & 0o777 == 0o600
        assert marks.stat().st_size == 8
        marks.unlink()
        if damage is not None:
            marks.write_bytes(damage)
        with pytest.raises(ConfigurationError, match="bring it back"):
            await fleet.run(state, 0, client=rig.client)
        assert not rig.stored


async def test_a_group_that_cannot_be_read_is_not_planned_for(state: Path) -> None:
    paths = written(state, [["+491600000001"]])
    async with connected() as rig:
        with pytest.raises(Exception, match="404"):
            await fleet.plan(paths, 999, state, existing="skip", client=rig.client)
    assert not state.exists()


async def test_a_rejects_file_brings_the_options_that_it_notes(state: Path) -> None:
    paths = written(state, [["0160 0000001", "2", "0049 160 0000001"]])
    how: dict[str, Any] = {"normalize": Normalize("DE"), "duplicates": "skip"}
    async with connected() as rig:
        source = read(paths)
        report = await rig.client.phones.upload(rig.group_id, source, **how)
        rejects = state.with_name("rejects.csv")
        assert report.to_rejects(rejects, source, options=how) == 1
        manifest = await fleet.plan(rejects, rig.group_id, state)
        assert manifest.options["duplicates"] == "skip"
        assert manifest.options["normalize"]["region"] == "DE"
        found = await run_all(rig, manifest)
        assert [result.outcome for result in found.results()] == [Outcome.INVALID]
