"""A data frame given as the source is read as `sources.read` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Phone, SourceError, UploadStopped
from asyncsdk.sources import read
from tests.parts import module
from tests.rig import connected
from tests.unit.test_imports import loaded

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 2500
TABLE = {
    "Name": [f"Name {i}" for i in range(COUNT)],
    "Mobil": [f"+49160{i:07}" for i in range(COUNT)],
    "Kundennummer": [float(i) if i % 5 else None for i in range(COUNT)],
}
COLUMNS = {"a": "Name", "callback_data": "Kundennummer"}
FRAMES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: module("pandas").DataFrame(TABLE),
    "pandas, derived": lambda: type("Own", (module("pandas").DataFrame,), {})(TABLE),
    "polars": lambda: module("polars").DataFrame(TABLE),
    "polars, lazy": lambda: module("polars").LazyFrame(TABLE),
    "pyarrow": lambda: module("pyarrow").table(TABLE),
    "pyarrow, a batch": lambda: module("pyarrow").RecordBatch.from_pydict(TABLE),
    "duckdb": lambda: module("duckdb").from_arrow(module("pyarrow").table(TABLE)),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_frame_is_read_as_a_list_is(name: str) -> None:
    async with connected() as rig:
        report = await rig.upload(FRAMES[name](), columns=COLUMNS, batch_size=1000)
    found = [result.phone for result in report.created]
    assert found == list(read(FRAMES[name](), columns=COLUMNS))
    assert found[7] == Phone("+491600000007", a="Name 7", callback_data="7")
    assert found[5].callback_data is None
    assert len(found) == COUNT


async def test_the_groups_own_names() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_c="Vorname")
        frame = FRAMES["polars"]()
        report = await rig.client.phones.upload(group, frame, columns={"Vorname": "Name"})
    assert report.created[3].phone == Phone("+491600000003", c="Name 3")


@pytest.mark.parametrize("name", FRAMES)
async def test_a_frame_without_phones(name: str) -> None:
    async with connected() as rig:
        frame = FRAMES[name]()
        with pytest.raises(UploadStopped, match="there is no column 'Handy'") as it:
            await rig.upload(frame, columns={"phone": "Handy"})
        assert isinstance(it.value.cause, SourceError)
        assert it.value.report.submitted == 0
        assert not rig.sandbox.requests


async def test_a_column_of_a_frame_is_a_list_of_numbers() -> None:
    async with connected() as rig:
        for name in ("pandas", "polars"):
            report = await rig.upload(FRAMES[name]()["Mobil"])
            assert report.created_count == COUNT


async def test_it_may_be_stopped_in_the_middle() -> None:
    async with connected() as rig:
        upload = rig.upload(FRAMES["polars"](), batch_size=100)
        async for result in upload:
            if result.index == 250:
                break
        await upload.stop()
        assert upload.report.submitted < COUNT


def test_only_a_frame_loads_what_reads_it() -> None:
    code = """
        import asyncsdk
        asyncsdk.Client("1", "key").phones.upload(7, ["+491601"])
    """
    assert "asyncsdk.sources" not in loaded(code)
