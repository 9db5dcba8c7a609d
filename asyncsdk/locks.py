"""Locks on open files, which the system drops with the process that holds them."""

from __future__ import annotations

import os

__all__ = ["try_lock"]

try:
    import fcntl

    def try_lock(file: int, *, shared: bool = False) -> bool:
        """Whether the lock on this open file could be had at once."""
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

except ImportError:  # Windows
    import msvcrt

    _FAR = 1 << 20

    def try_lock(file: int, *, shared: bool = False) -> bool:
        """Whether the lock on this open file could be had at once."""
        del shared  # there is no such kind
        os.lseek(file, _FAR, os.SEEK_SET)  # what is locked there nobody else can read
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True
