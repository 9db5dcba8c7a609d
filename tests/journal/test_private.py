"""A journal, and all beside it, is its owner's alone; what stands in its place is not touched."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING

import pytest

from asyncsdk import UploadReport
from asyncsdk.config import Journal
from asyncsdk.errors import JournalError
from asyncsdk.ledger.journal.lock import holder
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("lock", "wal", "shm", "journal")


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("umask", [0, 0o22])
@pytest.mark.parametrize("there", [None, 0o600, 0o640, 0o644, 0o666])
@pytest.mark.parametrize("wanted", [0o600, 0o640])
async def test_a_journal_and_all_beside_it(
    there: int | None, wanted: int, umask: int, tmp_path: Path
) -> None:
    """While it is written, and once it was; also where an empty file was there before."""
    path = tmp_path / "upload.journal"
    if there is not None:
        path.touch()
        path.chmod(there)
    before = os.umask(umask)
    try:
        async with connected() as rig:
            upload = rig.upload(phones(300), journal=Journal(path, mode=wanted), batch_size=10)
            upload.start()
            while upload.progress.created < 100:
                await asyncio.sleep(0)
            assert len(list(tmp_path.iterdir())) == 4
            assert all(not mode & ~wanted for mode in modes(tmp_path))
            await upload.stop()
            assert modes(tmp_path) == {wanted if there is None else there & wanted}
    finally:
        os.umask(before)


async def test_one_that_was_opened_to_others_is_closed_when_it_is_resumed(journal: Path) -> None:
    async with connected() as rig:
        source = phones(300)
        upload = rig.upload(source, journal=journal, batch_size=10).start()
        while upload.progress.created < 100:
            await asyncio.sleep(0)
        await upload.stop()
        journal.chmod(0o644)
        assert_accounts(await rig.upload(source, journal=journal), rig.sandbox, source)
    assert modes(journal.parent) == {0o600}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("how", ["link", "dangling", "hard link", "folder", "pipe"])
async def test_what_is_not_ours_beside_it_is_not_touched(
    side: str, how: str, journal: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "elsewhere"
    if how != "dangling":
        precious.write_text("mine")
    place = journal.with_name(f"{journal.name}-{side}")
    if how == "hard link":
        os.link(precious, place)
    elif how == "folder":
        place.mkdir()
    elif how == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(precious)
    assert holder(journal) is None or how == "folder"
    async with connected() as rig:
        with pytest.raises(JournalError, match=place.name if how != "folder" else "cannot be"):
            await rig.upload(phones(10), journal=journal)
        assert not rig.batches
    assert precious.exists() == (how != "dangling")
    assert how == "dangling" or precious.read_text() == "mine"


@pytest.mark.parametrize("side", ["wal", "shm"])
async def test_nor_where_it_is_only_read(side: str, journal: Path, tmp_path: Path) -> None:
    async with connected() as rig:
        await rig.upload(phones(10), journal=journal)
    (tmp_path / "elsewhere").write_text("mine")
    journal.with_name(f"{journal.name}-{side}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="is a link"):
        UploadReport.open(journal)
    assert (tmp_path / "elsewhere").read_text() == "mine"


@pytest.mark.parametrize("how", ["hard link", "folder", "pipe", "device"])
async def test_what_is_no_file_is_no_journal(how: str, journal: Path, tmp_path: Path) -> None:
    precious = tmp_path / "elsewhere"
    precious.touch()
    if how == "hard link":
        os.link(precious, journal)
    elif how == "folder":
        journal.mkdir()
    elif how == "pipe":
        os.mkfifo(journal)
    async with connected() as rig:
        with pytest.raises(JournalError):
            await rig.upload(phones(10), journal="/dev/null" if how == "device" else journal)
        assert not rig.batches
    assert precious.read_bytes() == b""
