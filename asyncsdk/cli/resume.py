"""`asyncsdk resume`: an upload with a journal goes on where it stopped."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from asyncsdk.cli import parameters as given
from asyncsdk.cli.begun import arguments, read
from asyncsdk.cli.shown import fail
from asyncsdk.cli.upload import upload
from asyncsdk.errors import JournalError

__all__ = ["resume"]

File = Annotated[
    Path, typer.Argument(metavar="JOURNAL", help="What --journal of the upload named.")
]


def resume(
    file: File,
    rejects: given.Rejects = None,
    report: given.Report = None,
    html: given.Html = None,
    lang: given.Lang = "en",
    deadline: given.Deadline = None,
    show: given.Show = 20,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Go on with an upload that was interrupted, however it ended.

    What the server answered is not sent again; what was under way is looked up in the group, or
    whatever --on-unknown of the upload said. The lists must be as they were.

    Exit codes: as for upload.
    """
    upload(
        **_command(file),
        journal=file,
        rejects=rejects,
        report=report,
        html=html,
        lang=lang,
        deadline=deadline,
        show=show,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )


def _command(file: Path) -> dict[str, Any]:
    """The arguments of the upload that this journal is of."""
    try:
        found = read(file)
    except JournalError as error:
        fail(error)
    if not found.command:
        fail(
            f"{file} was not written by 'asyncsdk upload': make the same call of "
            "client.phones.upload with it once more"
        )
    if "-" in found.command["files"]:
        fail(
            f"the list of {file} came from standard input: pipe it once more into "
            f"'{found.typed(upload)} --journal {shlex.quote(os.fspath(file))}'"
        )
    if _is_of_another_user(file):
        fail(
            f"{file} belongs to another user: what it says would be sent in your name. Have a "
            "look at it with 'asyncsdk report', and copy it to make it yours"
        )
    try:
        return arguments(found.command, upload) | {"group": str(found.group)}
    except msgspec.DecodeError as error:
        fail(f"the command that {file} notes cannot be repeated: {error}")


def _is_of_another_user(file: Path) -> bool:
    """Whether somebody else wrote it; root is trusted, as it could do anything."""
    return hasattr(os, "geteuid") and file.stat().st_uid not in {0, os.geteuid()}
