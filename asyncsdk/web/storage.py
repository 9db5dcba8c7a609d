"""Where jobs keep their files: a folder for each, which only this user of the system may enter.

No name that a browser sends becomes part of a path: the folder is called by the job's id, which is
made here, and the files in it by what they are.
"""

from __future__ import annotations

import re
import shutil
import time
from secrets import token_hex
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.lease import Lease
from asyncsdk.web.errors import NoSuchJobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["JobFolder", "Storage"]

_ID = re.compile(r"[0-9a-f]{32}")
_NEW = 60.0
"""Seconds within which a folder that belongs to no job may be that of one that is just coming."""


@frozen
class JobFolder:
    """The files of one job."""

    path: Path

    @property
    def list(self) -> Path:
        """What was uploaded, as it came."""
        return self.path / "list"

    @property
    def journal(self) -> Path:
        """Of its upload."""
        return self.path / "journal"

    @property
    def undo(self) -> Path:
        """What was deleted of what it created."""
        return self.path / "undo"

    @property
    def made(self) -> Path:
        """Where files are that were made for downloading, which can be made again."""
        return self.path / "made"

    def without_paths(self, error: BaseException) -> str:
        """An error as its owner may read it: where the server keeps things is nobody's business."""
        return str(error).replace(f"{self.path}/", "")

    def lease(self) -> Lease | None:
        """The right to work on this job, if nobody has it."""
        return Lease.take(self.path / "lease")


@frozen
class Storage:
    """All folders."""

    root: Path

    @property
    def table(self) -> Path:
        """The table of jobs."""
        return self.root / "jobs.sqlite"

    def prepare(self) -> None:
        """Make what is missing."""
        for folder in (self.root, self._jobs, self._groups):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self) -> tuple[str, JobFolder]:
        """A new id, and its folder."""
        name = token_hex(16)
        folder = self.folder(name)
        folder.path.mkdir(mode=0o700)
        return name, folder

    def folder(self, job_id: str) -> JobFolder:
        """The folder of a job.

        Raises:
            NoSuchJobError: That is no id.
        """
        if not _ID.fullmatch(job_id):
            msg = "there is no such job: it may have been deleted"
            raise NoSuchJobError(msg)
        return JobFolder(self._jobs / job_id)

    def group(self, group_id: int) -> Lease | None:
        """The right to send into a group, if nobody has it."""
        return Lease.take(self._groups / f"{group_id}.lease")

    def naming(self) -> Lease | None:
        """The right to make a group by its name, if nobody has it: two would make two."""
        return Lease.take(self._groups / "new.lease")

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        shutil.rmtree(self.folder(job_id).path, ignore_errors=True)

    def strays(self, known: set[str]) -> Iterator[str]:
        """Folders of no job, whose worker died before there was one."""
        for folder in self._jobs.iterdir():
            stray = _ID.fullmatch(folder.name) and folder.name not in known
            if stray and time.time() - folder.stat().st_mtime > _NEW:
                yield folder.name

    @property
    def _jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def _groups(self) -> Path:
        return self.root / "groups"
