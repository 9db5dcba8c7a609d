"""Files on their way in: names, sizes, rows."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.lease import Lease
from asyncsdk.web.errors import FileRefusedError, NoRoomError, TooLargeError
from asyncsdk.web.receiving import Limits, _Rows, file_name, store
from tests.web.inside import pieces

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.text(st.sampled_from('ab1";,\n'), max_size=5)


@given(st.text(max_size=300))
def test_a_name_is_one_line_without_folders(given_name: str) -> None:
    name = file_name(given_name)
    assert 0 < len(name) <= 120
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert name not in {".", ".."}
    assert file_name(name) == name


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=8), st.data())
def test_rows_are_counted_however_the_file_comes(
    rows: list[list[str]], data: st.DataObject
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    whole = text.getvalue().encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=5).map(sorted))
    counted = _Rows()
    for first, last in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        counted.add(whole[first:last])
    assert counted.count == len(rows)


async def test_what_is_beyond_the_limit_is_not_written(tmp_path: Path) -> None:
    limits = Limits(file_bytes=10)
    with pytest.raises(TooLargeError):
        await store(pieces(b"12345", b"67890", b"1"), tmp_path / "list", limits)
    assert (tmp_path / "list").stat().st_size <= 10
    assert await store(pieces(b"12345", b"67890"), tmp_path / "fits", limits) == 10
    assert (tmp_path / "fits").read_bytes() == b"1234567890"
    with pytest.raises(FileRefusedError, match="empty"):
        await store(pieces(b"", b""), tmp_path / "empty", limits)


async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "asyncsdk.web.receiving.alone", lambda *_: os.open("/dev/full", os.O_WRONLY)
    )
    with pytest.raises(NoRoomError, match="No space left"):
        await store(pieces(b"1"), tmp_path / "list", Limits())


def test_a_lease_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "lease"
    first = Lease.take(place)
    assert first is not None
    assert Lease.take(place) is None
    first.release()
    again = Lease.take(place)
    assert again is not None
    again.release()
    assert Lease.take(tmp_path / "gone" / "lease") is None
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"):
        Lease.take(place)
    assert not (tmp_path / "elsewhere").exists()
