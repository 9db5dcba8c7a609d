"""Sources that are no lists of phones: found out before anything is sent."""

from __future__ import annotations

import asyncio
import gzip
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, Phone, SourceError, UploadReport, UploadStopped
from asyncsdk.upload.intake.check import Checker
from tests.parts import module
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.rig import Rig

ALIENS: dict[str, tuple[Any, str]] = {
    "tuples": (("+491", "Ann"), r"not tuple; give names to its values: dict\(zip"),
    "lists": (["+491", "Ann"], "not list; give names"),
    "ints": (491601, "not int; a number is given as text"),
    "bytes": (b"+491\n", "not bytes; decode it"),
    "None": (None, "not NoneType"),
    "objects": (object(), "not object"),
    "dates": (Path("x"), "not PosixPath"),
    "other keys": (
        {"Mobil": "+491", "Ort": "x"},
        r"'Mobil', 'Ort': .*columns=\{'phone': 'Mobil'\}",
    ),
}


async def asynchronously(row: object, count: int) -> AsyncIterator[object]:
    for _ in range(count):
        yield row


def lazily(row: object, count: int) -> Iterator[object]:
    for _ in range(count):
        yield row


@pytest.mark.parametrize("alien", ALIENS)
@pytest.mark.parametrize("kind", [lazily, asynchronously])
@pytest.mark.parametrize("batch_size", [1, 7, 100, 1000])
async def test_a_hundred_rows_that_are_none_are_no_list(
    alien: str, kind: Any, batch_size: int, rig: Rig, tmp_path: Path
) -> None:
    row, reason = ALIENS[alien]
    journal = tmp_path / "journal"
    with pytest.raises(UploadStopped, match=reason) as it:
        await rig.upload(kind(row, 1000), batch_size=batch_size, journal=journal)
    assert isinstance(it.value.cause, SourceError)
    assert it.value.report.submitted == 0
    assert not it.value.report.complete
    assert not rig.sandbox.requests
    assert UploadReport.open(journal).submitted == 0

    other = rig.sandbox.add_group("other")
    report = await rig.client.phones.upload(other, numbers(5), journal=journal)
    assert report.created_count == 5, "the journal is not bound to the first group or source"


@pytest.mark.parametrize("alien", ALIENS)
@pytest.mark.parametrize("batch_size", [7, 1000])
async def test_fewer_are_single_rows(alien: str, batch_size: int, rig: Rig) -> None:
    row, _ = ALIENS[alien]
    report = await rig.upload([row] * 99, batch_size=batch_size)
    assert (report.submitted, report.invalid_count, report.complete) == (99, 99, True)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
@pytest.mark.parametrize("before", [0, 1, 63, 64, 99])
async def test_one_phone_among_the_first_makes_it_a_list(
    before: int, batch_size: int, rig: Rig
) -> None:
    source = [*[("+49",)] * before, "+491", *[("+49",)] * 300]
    report = await rig.upload(source, batch_size=batch_size)
    assert (report.submitted, report.invalid_count) == (before + 301, before + 300)
    assert report.created[0].index == before


async def test_a_list_that_is_awaited_row_by_row_is_not_held_back(rig: Rig) -> None:
    """A first row that is one is sent before the next is there."""

    landed = asyncio.Event()

    async def source() -> AsyncIterator[str]:
        for number in numbers(3):
            yield number
            await landed.wait()
            landed.clear()

    async for result in rig.upload(source(), batch_size=1):
        assert rig.stored[-1] == result.phone.phone
        landed.set()
    assert len(rig.stored) == 3


async def test_what_was_not_decided_is_accounted_for_when_the_source_fails(rig: Rig) -> None:
    def source() -> Iterator[object]:
        yield from [("+49",)] * 80
        raise RuntimeError

    with pytest.raises(UploadStopped) as it:
        await rig.upload(source(), batch_size=10)
    assert isinstance(it.value.cause, RuntimeError)
    assert (it.value.report.submitted, it.value.report.invalid_count) == (80, 80)


async def test_a_dry_run_finds_it_too(rig: Rig) -> None:
    with pytest.raises(UploadStopped, match="none of the first 100 rows is a phone"):
        await rig.upload([("+49",)] * 1000, dry_run=True)


async def test_columns_that_no_row_has(rig: Rig) -> None:
    rows = [{"Handy": "+491", "Ort": "x"}] * 200
    with pytest.raises(UploadStopped, match="'Handy', 'Ort'"):
        await rig.upload(rows, columns={"phone": "Mobil"})


async def test_a_batch_says_it_as_well(rig: Rig) -> None:
    with pytest.raises(SourceError, match="decode it"):
        await rig.client.phones.create_batch(rig.group_id, [b"+491"] * 100)  # type: ignore[list-item]


async def test_a_batch_takes_whatever_an_upload_takes(rig: Rig) -> None:
    polars = module("polars")
    frame = polars.DataFrame({"Name": ["Ann"], "Mobil": ["+4916012345678"]})
    sources: list[Any] = [frame, asynchronously("+491", 2), "+491", lazily({"phone": "+491"}, 1)]
    for source in sources:
        await rig.client.phones.create_batch(rig.group_id, source)
    assert rig.stored == ["+4916012345678", *["+491"] * 4]
    with pytest.raises(ConfigurationError, match="not a single dict"):
        await rig.client.phones.create_batch(rig.group_id, {"phone": "+491"})


def test_a_checker_counts_over_its_chunks() -> None:
    checker = Checker()
    for first in range(0, 96, 8):
        checker.check(first, [()] * 8)
    with pytest.raises(SourceError):
        checker.check(96, [()] * 4)
    assert checker.undecided


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("normalize", [None, "DE"])
async def test_lines_of_a_file(
    ending: str, normalize: str | None, rig: Rig, tmp_path: Path
) -> None:
    path = tmp_path / "numbers.txt"
    wanted = [f"+49160{i:08}" for i in range(300)] if ending else ["+4916000000001"]
    path.write_text(ending.join(wanted) + ending, newline="")
    for newline in (None, ""):
        with path.open(newline=newline) as file:
            report = await rig.upload(file, normalize=normalize, batch_size=100)
            assert not file.closed, "it is not ours"
        assert [result.phone.phone for result in report.created] == wanted
    assert rig.stored == wanted * 2


async def test_lines_that_somebody_else_read(rig: Rig) -> None:
    source = [*("+491\n", Phone("+492"), "+493\r\n", {"phone": "+494"}), "\n", "+495", "+49\\6"]
    report = await rig.upload(line for line in source)
    assert rig.stored == ["+491", "+492", "+493", "+494", "+495", "+49\\6"]
    assert [result.index for result in report.invalid] == [4]


def temporary(_: Path) -> Any:
    return tempfile.NamedTemporaryFile()


BINARY: dict[str, Callable[[Path], Any]] = {
    "buffered": lambda path: path.open("rb"),
    "raw": lambda path: path.open("rb", buffering=0),
    "in memory": lambda path: io.BytesIO(path.read_bytes()),
    "temporary": temporary,
    "packed": gzip.open,
}


@pytest.mark.parametrize("kind", BINARY)
async def test_a_binary_file_is_refused_at_once(kind: str, rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("+491\n")
    with BINARY[kind](path) as file, pytest.raises(ConfigurationError, match=r"bytes.* as text"):
        rig.upload(file)


@pytest.mark.parametrize("source", ["list.csv", b"+491", bytearray(b"x"), Path("list.csv"), 5])
async def test_what_is_no_source_at_all(source: Any, rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match=r"asyncsdk\.sources\.read reads files"):
        rig.upload(source)
