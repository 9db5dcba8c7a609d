"""The files that we write: for their owner alone, whole or not there, and never through a link.

They hold phone numbers, and may stand in folders that others write to. So a new file has the mode
0600, one that is replaced keeps the mode it had, what is found in the place of a file of ours is
looked at before it is opened, and the half of a file that a killed process left is removed by
whoever writes in that folder next. The umask belongs to the whole process and is never touched.
Where a system has no modes (Windows), there is nothing to check and nothing to set.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, TYPE_CHECKING

from asyncsdk.locks import try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "PRIVATE",
    "alone",
    "check_alone",
    "check_writable",
    "followed",
    "make",
    "narrow",
    "placing",
    "placing_first",
    "replacing",
    "scratch",
    "working_folder",
]

PRIVATE = 0o600
"""The mode of a new file."""

_PART = ".asyncsdk-{}.part"
_PARTS = _PART.format("*")
"""What files are called until they are whole. The name of the target may be as long as may be."""
_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags: what stands in this very place, without waiting for the other end of a pipe."""


@contextmanager
def replacing(path: str | os.PathLike[str], encoding: str = "utf-8") -> Iterator[IO[str]]:
    """A text file that replaces `path` when the block ends well, and vanishes when not.

    What is there and no plain file (`/dev/null`, a pipe) is not replaced: it is written into.

    Raises:
        OSError: It cannot be written.
    """
    with (
        placing(path) as place,
        place.open("w", encoding=encoding, newline="", errors="replace") as file,
    ):
        yield file


@contextmanager
def placing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The same for who opens the file by itself: where to write it."""
    target = followed(path)
    if target.exists() and not target.is_file():
        yield target
        return
    with _part(target, path) as (file, part):
        yield part
        _keep_mode(file.fileno(), part, target)
        if os.name == "nt":  # where no file that is open can be renamed
            file.close()
        part.replace(target)


@contextmanager
def placing_first(path: str | os.PathLike[str]) -> Iterator[Path]:
    """As `placing`, of a file that is written once: one that another has put there stays.

    Of several processes, on several hosts, too, one alone can make the link that is its name.
    """
    target = followed(path)
    with _part(target, path) as (_, part):
        yield part
        with suppress(FileExistsError):
            os.link(part, target)


@contextmanager
def scratch() -> Iterator[Path]:
    """A private file for as long as the block runs, in the folder for such files.

    Where the process is killed, the next one that makes one removes it.
    """
    with _part(Path(gettempdir(), "asyncsdk"), gettempdir()) as (_, part):
        yield part


def check_writable(path: str | os.PathLike[str]) -> None:
    """Do nothing if `replacing` may well write there.

    Raises:
        OSError: It cannot; what is there stays as it is.
    """
    target = followed(path)
    if not target.exists() or target.is_file():
        with _part(target, path):
            pass
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))


@contextmanager
def working_folder(place: Path) -> Iterator[str]:
    """A folder for what is only needed to write the file that `placing` gave the place of.

    It goes with that file, also where the process is killed.
    """
    if not place.match(_PARTS):  # a device
        with TemporaryDirectory() as name:
            yield name
        return
    folder = _folder_of(place)
    folder.mkdir(mode=0o700)
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def followed(path: str | os.PathLike[str]) -> Path:
    """Where a path that the caller gave leads to: a link stays one, what it names is written.

    Raises:
        PermissionError: It is a link that somebody else has put there.
    """
    given = Path(path)
    if hasattr(os, "geteuid"):
        with suppress(FileNotFoundError):
            found = os.lstat(given)
            if stat.S_ISLNK(found.st_mode) and found.st_uid not in {0, os.geteuid()}:
                why = "it is a link that another user has put there"
                raise PermissionError(errno.EACCES, why, os.fspath(path))
    return given.resolve()


def alone(path: Path, flags: int) -> int:
    """A descriptor of the plain file that has this name and no other.

    Args:
        path: Its name, as we have made it: a link there is nobody's wish.
        flags: As of `os.open`. A new file has the mode 0600.

    Raises:
        OSError: It is a link, no plain file, or has another name, too: then nothing is written.
    """
    if path.is_symlink():  # told apart from other loops, and where there is no such flag
        raise _strange(path)
    try:
        file = os.open(path, flags | _HERE, PRIVATE)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise _strange(path) from error
        raise
    if not _is_alone(os.fstat(file)):
        os.close(file)
        raise _strange(path)
    return file


def check_alone(path: Path) -> None:
    """Do nothing if there is no such file, or one that `alone` would open.

    Raises:
        OSError: There is something else.
    """
    with suppress(FileNotFoundError):
        if not _is_alone(os.lstat(path)):
            raise _strange(path)


def make(path: Path, mode: int) -> None:
    """An empty file with this mode, unless there is one.

    Raises:
        OSError: It cannot be made, or what is there is no plain file.
    """
    check_alone(path)
    with suppress(FileExistsError):
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | _HERE, PRIVATE)
        try:
            if mode != PRIVATE:
                _set_mode(file, path, mode)
        finally:
            os.close(file)


def narrow(path: Path, mode: int) -> None:
    """Take from a file the permissions that are not in `mode`; none is given.

    Raises:
        OSError: It has more, and is another user's.
    """
    if not hasattr(os, "geteuid"):
        return
    with suppress(FileNotFoundError):
        found = stat.S_IMODE(os.lstat(path).st_mode)
        if found & ~mode & 0o777:
            path.chmod(found & mode)


@contextmanager
def _part(target: Path, path: str | os.PathLike[str]) -> Iterator[tuple[IO[bytes], Path]]:
    """A new file in the same folder, locked, and removed unless it is renamed.

    An error names the file that was asked for.
    """
    _sweep(target.parent)
    try:
        file, part = _locked(target)
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    try:
        yield file, part
    finally:
        file.close()
        with suppress(FileNotFoundError):
            part.unlink()


def _locked(target: Path) -> tuple[IO[bytes], Path]:
    while True:
        part = target.with_name(_PART.format(token_hex(8)))
        number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | _HERE, PRIVATE)
        file = os.fdopen(number, "rb+", buffering=0)
        try:
            ours = try_lock(number) and os.fstat(number).st_nlink > 0
        except OSError:  # there are no locks here: what is left stays
            ours = True
        if ours:
            return file, part
        file.close()  # somebody who sweeps came in between, and removes it


def _sweep(folder: Path) -> None:
    """Remove what killed processes left here: files of ours that nobody has locked."""
    with suppress(OSError):
        for part in folder.glob(_PARTS):
            with suppress(OSError):
                _remove_if_left(part)


def _remove_if_left(part: Path) -> None:
    if os.name == "nt":  # where what is open cannot be removed
        part.unlink()
        shutil.rmtree(_folder_of(part), ignore_errors=True)
        return
    file = alone(part, os.O_RDWR)
    try:
        if try_lock(file):
            shutil.rmtree(_folder_of(part), ignore_errors=True)
            part.unlink()
    finally:
        os.close(file)


def _folder_of(part: Path) -> Path:
    return part.with_suffix(".work")


def _keep_mode(file: int, part: Path, target: Path) -> None:
    """Give the new file what the one that it replaces has: owner, group, mode."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if hasattr(os, "fchown"):
        new = os.fstat(file)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(OSError):
                os.fchown(file, old.st_uid, old.st_gid)
            if os.fstat(file).st_gid != old.st_gid:
                mode &= ~0o070  # it was meant for another group
    _set_mode(file, part, mode)


def _set_mode(file: int, path: Path, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(file, mode)
    else:
        path.chmod(mode)


def _is_alone(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_nlink <= 1


def _strange(path: Path) -> OSError:
    why = f"{path.name} is a link, or no plain file. See who put it there, and remove it"
    return OSError(errno.ELOOP, why, os.fspath(path))
