"""An archive that is damaged, or asks for more than there is, is one error of ours."""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.errors import SourceError
from asyncsdk.sources import read

from .books import workbook, zipped

if TYPE_CHECKING:
    from pathlib import Path

LIST = b"Name;Mobil\n" + b"".join(b"A;0160%07d\n" % (at * 7919) for at in range(300))
WHOLE = zipped({"list.csv": LIST})


def phones(raw: bytes) -> int:
    return read(io.BytesIO(raw)).count()


def packed(method: int) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        archive.writestr("list.csv", LIST)
    return raw.getvalue()


@given(st.sampled_from([WHOLE, packed(zipfile.ZIP_STORED)]), st.data())
def test_whatever_is_changed_in_it(whole: bytes, data: st.DataObject) -> None:
    raw = bytearray(whole)
    for at in data.draw(st.lists(st.integers(4, len(raw) - 1), min_size=1, max_size=5)):
        raw[at] = data.draw(st.integers(0, 255))
    with suppress(SourceError):
        phones(bytes(raw))


@pytest.mark.parametrize("cut", [30, 200, len(WHOLE) - 1])
def test_one_that_is_cut_short(cut: int) -> None:
    with pytest.raises(SourceError, match="cannot be unpacked"):
        phones(WHOLE[:cut])


def test_one_whose_bytes_are_not_packed() -> None:
    raw = WHOLE[:60] + bytes(20) + WHOLE[80:]
    with pytest.raises(SourceError, match=r"line 1: cannot be unpacked: Error -3"):
        phones(raw)


def test_one_that_is_packed_in_a_damaged_one() -> None:
    raw = bytearray(gzip.compress(WHOLE))
    raw[-6] ^= 1
    with pytest.raises(SourceError, match="the archive is damaged"):
        phones(bytes(raw))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_cannot_be_unpacked_piece_by_piece(method: int) -> None:
    with pytest.raises(SourceError, match="packed in a way that is not read here: unpack it"):
        phones(packed(method))


def test_very_many_files() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    end = b"PK\x05\x06" + bytes(18)
    with pytest.raises(SourceError, match="archive of more than 65,536 files"):
        phones(b"PK\x03\x04" + entry * 70_000 + end)


def test_an_archive_within_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="another archive in it: unpack it"):
        phones(zipped({"list.zip": WHOLE}))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        phones(zipped({"list.zip": WHOLE[:-5]}))
    book = workbook(tmp_path / "list.xlsx", {"S": [["Mobil"], ["0160111111"]]})
    assert phones(zipped({"list.xlsx": book.read_bytes()})) == 1
    assert phones(gzip.compress(WHOLE)) == 300
