"""The rows of all partitions that were not created, in a file to be mended and uploaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError
from asyncsdk.fleet.manifest import manifest_at
from asyncsdk.fleet.opening import opened_lists
from asyncsdk.fleet.remote import is_remote
from asyncsdk.fleet.settings import as_options
from asyncsdk.rejects import rejected_rows, twins
from asyncsdk.rejects_file import write_rejects
from asyncsdk.report import UploadReport
from asyncsdk.upload.intake.normalize import compared, normalizer

if TYPE_CHECKING:
    from os import PathLike

    from asyncsdk.fleet.manifest import Manifest

__all__ = ["to_rejects"]


def to_rejects(state: Manifest | str | PathLike[str], path: str | PathLike[str]) -> int:
    """Write the invalid and failed rows of all partitions, with their reasons, to be mended.

    It is one file, with the columns of the lists, which are read once more: see
    `UploadReport.to_rejects`. Uploaded, or planned, it is read with what the plan says of numbers.
    A partition that is run again sends what failed and is certainly not in the group: do that
    first, and not once the file was sent.

    Args:
        state: What `plan` gave, or the folder that it is in.
        path: The file to write; a name that ends in `.xlsx` makes it a workbook.

    Returns:
        The number of rows written.

    Raises:
        ConfigurationError: There is no such plan, or not all of it is uploaded: a partition that
            goes on sends what would be in the file. Or the file would take the place of a list, or
            be in the folder.
        SourceError: A list is not what was planned, or cannot be read.
        ImportError: Something of an extra is needed and not installed.
        JournalError: What is there of a partition cannot be read.
        OSError: The file cannot be written.
    """
    plan = manifest_at(state)
    report = UploadReport.open_all(plan.state)
    if not report.complete:
        msg = f"{plan.state} is not uploaded to its end: 'asyncsdk run {plan.state} --all' goes on"
        raise ConfigurationError(msg)
    _check_place(plan, Path(path).absolute())
    options = as_options(plan.options)
    with opened_lists(plan) as lists:
        again = {}
        if options["duplicates"] == "skip":
            again = twins(lists, report, partial(compared, normalizer(options["normalize"])))
        return write_rejects(path, lists, rejected_rows(lists, report, again), options)


def _check_place(plan: Manifest, path: Path) -> None:
    """Do nothing if a file may be written there."""
    lists = (Path(one.path) for one in plan.files if not is_remote(one.path))
    taken = any(path.exists() and one.exists() and path.samefile(one) for one in lists)
    if taken or path.parent.resolve() == plan.state.resolve():
        msg = f"{path} is a list of the plan, or in its folder: give the file another place"
        raise ConfigurationError(msg)
