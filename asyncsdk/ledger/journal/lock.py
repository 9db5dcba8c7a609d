"""One process at a time: a lock file beside the journal that names its holder.

The system drops the lock with the process that holds it, however that ends. It tells nothing of
the processes of other hosts, which a network drive may give the same journal: their lock is only
what they wrote into the file.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from asyncsdk.errors import JournalError, JournalInUseError
from asyncsdk.files import alone
from asyncsdk.locks import try_lock

__all__ = ["Lock", "holder", "is_locked"]

_REASONS = {
    errno.ENOSPC: "the disk is full. Make room, and resume it",
    errno.ENOENT: "there is no such folder. Make it, or give another path",
    errno.EROFS: "its folder is read-only. Give another path",
    errno.EACCES: "its folder may not be written. Give another path",
}
_IN_USE = "{name}: wait for that upload to end, or give another journal"
_ELSEWHERE = (
    "{name}, which is another host: whether that upload still runs cannot be seen from here. Once "
    "it has certainly ended, remove {lock} and resume it"
)
_TRIES = 4
_PAUSE = 0.01
"""Seconds between two tries: `holder` has the lock for an instant while it looks."""
_LINE = re.compile(r"process \d+ on (.*) since .*")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Lock:
    """The right to write to a journal.

    Args:
        journal: The journal's path.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = _lock_of(journal)
        self._file: int | None = None

    def __del__(self) -> None:
        # The event loop of its holder is gone. The file stays: it may be another's by now.
        self.forsake()

    def acquire(self) -> None:
        """Take it.

        Raises:
            JournalError: Another upload has it, or its file cannot be made.
        """
        try:
            file = self._take()
            try:
                os.ftruncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)
                os.write(file, _signature().encode())
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            why = _REASONS.get(error.errno or 0, str(error.strerror))
            msg = f"the journal {self._journal} cannot be written: {why}"
            raise JournalError(msg) from error
        self._file = file

    def held(self) -> bool:
        """Whether it is still what others find: its file was not removed."""
        return self._file is not None and self._is_current(self._file)

    def release(self) -> None:
        """Give it back."""
        if self._file is None:
            return
        with suppress(OSError):
            if self._is_current(self._file):
                os.ftruncate(self._file, 0)  # an open file cannot be removed everywhere
                self._path.unlink()
        self.forsake()

    def forsake(self) -> None:
        """Let go of the file, which is another's: after a fork the lock stays with the parent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self) -> int:
        while True:
            file = alone(self._path, os.O_RDWR | os.O_CREAT)
            if not _lock_patiently(file):
                raise self._refused(file, _IN_USE, JournalInUseError)
            if not self._is_current(file):
                os.close(file)  # its holder removed it in the meantime
                continue
            if not _is_dead(_read(file)):
                raise self._refused(file, _ELSEWHERE)
            return file

    def _refused(
        self, file: int, why: str, kind: type[JournalError] = JournalError
    ) -> JournalError:
        name = _named(_read(file))
        os.close(file)
        rest = why.format(name=name, lock=self._path.name)
        return kind(f"the journal {self._journal} is in use by {rest}")

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except OSError:
            return False


def holder(journal: Path) -> str | None:
    """Who writes to a journal just now, as its lock file names them; None if nobody does."""
    try:
        file = alone(_lock_of(journal), os.O_RDONLY)
    except OSError as error:  # a link there is no lock of ours
        return None if error.errno in {errno.ENOENT, errno.ELOOP} else _named("")
    try:
        text = _read(file)
        return None if _is_dead(text) and try_lock(file, shared=True) else _named(text)
    finally:
        os.close(file)


def is_locked(journal: Path) -> bool:
    """Whether a process has the lock of a journal at this moment, as far as can be seen here."""
    try:
        file = alone(_lock_of(journal), os.O_RDONLY)
    except OSError:  # whoever wants to write to it will tell what is wrong
        return False
    try:
        return not try_lock(file, shared=True)
    finally:
        os.close(file)


def _lock_of(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}-lock")


def _lock_patiently(file: int) -> bool:
    for _ in range(_TRIES - 1):
        if try_lock(file):
            return True
        time.sleep(_PAUSE)
    return try_lock(file)


def _read(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, 1000).decode(errors="replace")


def _named(text: str) -> str:
    """Whom a lock file names."""
    return text.partition("\n")[0] or "another process"


def _is_dead(text: str) -> bool:
    """Whether the process that a lock file names would have the lock if it still ran."""
    line, _, boot = text.partition("\n")
    found = _LINE.fullmatch(line)
    return found is None or found[1] == socket.gethostname() or (boot != "" and boot == _boot())


def _signature() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {socket.gethostname()} since {now}\n{_boot()}"


def _boot() -> str:
    """What containers of one host have in common, whatever they are called; empty if unknown."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
