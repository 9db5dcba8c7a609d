"""Lists that are elsewhere, by fsspec."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from asyncsdk import ConfigurationError, SourceError, UploadReport, fleet
from tests.rig import connected, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator


READ: list[tuple[int, int]] = []
"""What was read; each thread has a file system of its own."""


class Elsewhere(MemoryFileSystem):  # type: ignore[misc, unused-ignore]
    """A file system that notes what is read of it."""

    def cat_file(self, path: str, start: Any = None, end: Any = None, **options: Any) -> bytes:
        READ.append((start, end))
        found: bytes = super().cat_file(path, start, end, **options)
        return found


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """It is called `memory://`."""
    fsspec.register_implementation("memory", Elsewhere, clobber=True)
    system = Elsewhere()
    system.store.clear()
    READ.clear()
    yield system
    fsspec.register_implementation("memory", MemoryFileSystem, clobber=True)
    assert not list(Path(tempfile.gettempdir()).glob(".asyncsdk-*"))


def text(first: int, count: int) -> bytes:
    """A list."""
    rows = "".join(f"{number};x\n" for number in numbers(first + count)[first:])
    return f"phone;name\n{rows}".encode()


async def test_no_more_is_read_than_a_partition_has(elsewhere: Elsewhere, state: Path) -> None:
    elsewhere.pipe_file("/lists/a.csv", text(0, 30))
    elsewhere.pipe_file("/lists/b.csv", text(30, 15))
    async with connected() as rig:
        manifest = await fleet.plan("memory://lists/*.csv", rig.group_id, state, partition_rows=10)
        assert [part.rows for part in manifest.partitions] == [10, 10, 10, 10, 5]
        assert [file.path[-12:] for file in manifest.files] == ["/lists/a.csv", "/lists/b.csv"]
        for part in manifest.partitions:
            READ.clear()
            await fleet.run(manifest, part.index, client=rig.client)
            assert [(part.start, part.end)] == READ
        assert UploadReport.open_all(state).ok
        assert sorted(rig.stored) == numbers(45)


async def test_its_rejects_have_the_lines_of_their_lists(elsewhere: Elsewhere, state: Path) -> None:
    elsewhere.pipe_file("/lists/a.csv", text(0, 30))
    elsewhere.pipe_file("/lists/b.csv", text(30, 15).replace(numbers(45)[40].encode(), b"?"))
    rejects = state.with_name("rejects.csv")
    async with connected() as rig:
        manifest = await fleet.plan("memory://lists/*.csv", rig.group_id, state, partition_rows=10)
        await fleet.run_all(manifest, client=rig.client)
        assert await asyncio.to_thread(fleet.to_rejects, state, rejects) == 1
        _, row = rejects.read_text(encoding="utf-8-sig").splitlines()
        assert row.startswith('"memory:///lists/b.csv";"12";"invalid"')
        elsewhere.pipe_file("/lists/a.csv", text(1, 30))
        with pytest.raises(SourceError, match="was changed"):
            fleet.to_rejects(state, rejects)


async def test_of_row_groups_those_that_are_wanted_and_the_footer(
    elsewhere: Elsewhere, state: Path
) -> None:
    path = state.with_name("list.parquet")
    frame = pl.DataFrame({"phone": numbers(30), "name": ["x" * 500] * 30})
    frame.write_parquet(path, row_group_size=10, compression="uncompressed")
    elsewhere.pipe_file("/list.parquet", path.read_bytes())
    async with connected() as rig:
        manifest = await fleet.plan("memory://list.parquet", rig.group_id, state, partition_rows=10)
        footer = manifest.files[0].footer
        part = manifest.partitions[1]
        READ.clear()
        report = await fleet.run(manifest, 1, client=rig.client)
        assert [(part.start, part.end), (footer, path.stat().st_size)] == READ
        assert [r.phone.phone for r in report.created] == numbers(20)[10:]


async def test_what_cannot_be_cut_is_copied(elsewhere: Elsewhere, state: Path) -> None:
    elsewhere.pipe_file("/list.json", b'["+491600000001", "+491600000002"]')
    async with connected() as rig:
        manifest = await fleet.plan("memory://list.json", rig.group_id, state)
        assert (await fleet.run(manifest, 0, client=rig.client)).created_count == 2


@pytest.mark.parametrize("change", [b"phone;name\n+491609999999;x\n", b""])
async def test_one_that_was_changed_is_refused(
    change: bytes, elsewhere: Elsewhere, state: Path
) -> None:
    elsewhere.pipe_file("/a.csv", text(0, 1))
    async with connected() as rig:
        manifest = await fleet.plan("memory://a.csv", rig.group_id, state)
        elsewhere.pipe_file("/a.csv", change)
        with pytest.raises(SourceError, match="was changed since"):
            await fleet.run(manifest, 0, client=rig.client)
        elsewhere.rm_file("/a.csv")
        with pytest.raises(SourceError, match="cannot be opened"):
            await fleet.run(manifest, 0, client=rig.client)
        assert not rig.stored


@pytest.mark.parametrize(
    "url",
    [
        "memory://user:the-secret@host/a.csv",
        "https://host/a.csv?X-Amz-Signature=the-secret",
        "https://host/a.csv#the-secret",
        "simplecache::memory://user:the-secret@host/a.csv",
        "https://the-secret@host/a.csv",
    ],
)
async def test_what_may_be_a_secret_is_in_no_plan(url: str, state: Path) -> None:
    with pytest.raises(ConfigurationError, match="plain URL") as caught:
        await fleet.plan(url, 7116, state)
    assert "the-secret" not in repr(caught.value)
    assert not state.exists()


@pytest.mark.parametrize("url", ["memory://none.csv", "memory://*.csv"])
async def test_what_is_not_there(url: str, elsewhere: Elsewhere, state: Path) -> None:
    assert not elsewhere.store
    with pytest.raises(SourceError, match=r"cannot be opened|no file has such a name"):
        await fleet.plan(url, 7116, state)


async def test_what_nothing_opens(state: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing that opens"):
        await fleet.plan("nonsense://a.csv", 7116, state)


async def test_a_url_of_this_host_is_a_path(state: Path) -> None:
    path = state.with_name("list.csv")
    path.write_bytes(text(0, 3))
    manifest = await fleet.plan(f"file://{path}", 7116, state)
    assert manifest.files[0].path == str(path)
