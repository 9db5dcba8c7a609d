"""One process at a time: a lock file beside the journal that names its holder.

The system drops the lock with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asyncsdk.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Lock"]

try:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

except ImportError:  # Windows
    import msvcrt

    _FAR = 1 << 20

    def _try_lock(file: int) -> bool:
        os.lseek(file, _FAR, os.SEEK_SET)  # what is locked there nobody else can read
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True


_REASONS = {
    errno.ENOSPC: "the disk is full. Make room, and resume it",
    errno.ENOENT: "there is no such folder. Make it, or give another path",
    errno.EROFS: "its folder is read-only. Give another path",
    errno.EACCES: "its folder may not be written. Give another path",
}


class Lock:
    """The right to write to a journal.

    Args:
        journal: The journal's path.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = journal.with_name(f"{journal.name}-lock")
        self._file: int | None = None

    def __del__(self) -> None:
        # The event loop of its holder is gone. The file stays: after a fork it is another's, too.
        if self._file is not None:
            os.close(self._file)

    def acquire(self) -> None:
        """Take it.

        Raises:
            JournalError: Another upload has it, or its file cannot be made.
        """
        try:
            file = self._take()
            try:
                os.ftruncate(file, 0)
                os.pwrite(file, _holder().encode(), 0)
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            why = _REASONS.get(error.errno or 0, str(error.strerror))
            msg = f"the journal {self._journal} cannot be written: {why}"
            raise JournalError(msg) from error
        self._file = file

    def release(self) -> None:
        """Give it back."""
        if self._file is None:
            return
        with suppress(OSError):  # an open file cannot be removed everywhere: it harms nobody
            self._path.unlink()
        os.close(self._file)
        self._file = None

    def _take(self) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _try_lock(file):
                holder = os.pread(file, 1000, 0).decode(errors="replace") or "another process"
                os.close(file)
                msg = (
                    f"the journal {self._journal} is in use by {holder}: "
                    "wait for that upload to end, or give another journal"
                )
                raise JournalError(msg)
            if self._is_current(file):
                return file
            os.close(file)  # its holder removed it in the meantime

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False


def _holder() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {socket.gethostname()} since {now}"
