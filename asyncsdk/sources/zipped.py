"""A zip archive with one list in it, as programs export them."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import too_large
from asyncsdk.sources.foreign import foreign_faults
from asyncsdk.sources.opening import StreamInput, kept, owned

if TYPE_CHECKING:
    import io

    from asyncsdk.sources.opening import Input

__all__ = ["only_member"]

_ZIP = b"PK\x03\x04"
_WORKBOOKS = ("[Content_Types].xml", "mimetype", "content.xml")
"""Files that say that an archive is a workbook."""
_PIECE = 1 << 16
_NAMED = 5
"""Files that are named where there are several."""
_MOST = 1 << 16
"""Files in an archive: what is known of each is kept in memory."""
_ENTRY = b"PK\x01\x02"
"""Begins what an archive says of each."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of which a few bytes at a time can be unpacked: of others they may become gigabytes."""


def only_member(source: Input) -> Input:
    """The one file in an archive; what is no archive, or is a workbook, as it is.

    Args:
        source: The file.

    Raises:
        SourceError: There are several files in it, or none; it has a password, is damaged, or
            unpacks to more than `max_bytes`.
    """
    with source.peeking() as file:
        if file.read(len(_ZIP)) != _ZIP:
            return source
    source = kept(source)
    faults = foreign_faults(source.name, lambda: 1, "cannot be unpacked")
    with faults, source.reading() as raw, TemporaryFile() as whole:
        _copy(raw, whole, source)
        with zipfile.ZipFile(whole) as archive:
            return _unpacked(archive, source)


def _unpacked(archive: zipfile.ZipFile, source: Input) -> Input:
    if _is_workbook(archive):
        return source
    files = [entry for entry in archive.infolist() if not _is_furniture(entry)]
    if len(files) != 1:
        named = ", ".join(repr(entry.filename) for entry in files[:_NAMED]) or "none"
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        msg = f"has not one file in it, but {named}{more}: unpack it, and name those that are meant"
        raise SourceError(msg, path=source.name)
    if files[0].flag_bits & 1:
        msg = "is protected by a password: unpack it, and give what is in it"
        raise SourceError(msg, path=source.name)
    if files[0].compress_type not in _METHODS:
        msg = "is packed in a way that is not read here: unpack it, and give what is in it"
        raise SourceError(msg, path=source.name)
    name = f"{source.name}/{files[0].filename}" if source.name else files[0].filename
    with ExitStack() as closing, archive.open(files[0]) as member:
        spool = closing.enter_context(TemporaryFile())
        _copy(member, spool, source)
        if _is_archive(spool):
            msg = "has another archive in it: unpack it, and give what is in that"
            raise SourceError(msg, path=source.name)
        spool.seek(0)
        closing.pop_all()
    return owned(StreamInput(spool, source.max_bytes, name), spool)


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    return any(name in names for name in _WORKBOOKS)


def _is_archive(file: IO[bytes]) -> bool:
    """Whether this is an archive, and no workbook."""
    file.seek(0)
    if file.read(len(_ZIP)) != _ZIP:
        return False
    with zipfile.ZipFile(file) as archive:
        return not _is_workbook(archive)


def _is_furniture(entry: zipfile.ZipInfo) -> bool:
    """Whether this is a folder, or what a system puts into every archive."""
    hidden = any(part.startswith(("__MACOSX", ".")) for part in entry.filename.split("/"))
    return entry.is_dir() or hidden or entry.filename.endswith(("Thumbs.db", "desktop.ini"))


def _copy(file: IO[bytes] | io.BufferedIOBase, target: IO[bytes], source: Input) -> None:
    """All of it, within bounds."""
    left = source.max_bytes
    entries = 0
    while piece := file.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise SourceError(too_large(source.max_bytes), path=source.name)
        target.write(piece)
        entries += piece.count(_ENTRY)
        if entries > _MOST:
            msg = f"is an archive of more than {_MOST:,} files: unpack it, and name the one"
            raise SourceError(msg, path=source.name)
