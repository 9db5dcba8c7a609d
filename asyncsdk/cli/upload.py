"""`asyncsdk upload` and `asyncsdk check`: a contact file, to a group or only through the rules."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from attrs import frozen

from asyncsdk.cli.closing import print_check, print_rejected, print_totals
from asyncsdk.cli.live import view_for
from asyncsdk.cli.options import parse_concurrency, parse_map, parse_rate
from asyncsdk.cli.rejected import UNREAD, Rejected, rejected_rows, write_rejects
from asyncsdk.cli.running import Ending, follow
from asyncsdk.cli.shown import Exit, fail, plain, stderr, stdout
from asyncsdk.client import Client
from asyncsdk.config import OnUnknown  # noqa: TC001 - typer reads the annotations at run time
from asyncsdk.errors import AsyncSDKError, ConfigurationError, SourceError
from asyncsdk.results import Outcome
from asyncsdk.sources import CsvSource, read_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check", "upload"]

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A CSV or TSV file; - reads standard input.")
]
Map = Annotated[
    list[str],
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Read phone, a to e or callback_data from this column (its name, or its number from "
        "1). Repeatable. The phone's column is found by itself.",
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        dir_okay=False,
        help="Write the rows that were not created, with the reason, to be mended and uploaded.",
    ),
]
Delimiter = Annotated[
    str | None, typer.Option(metavar="CHAR", help="Character between cells, if not as found.")
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding, if not as found: cp1252, utf-16, …")
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns."),
]
Normalize = Annotated[
    str | None,
    typer.Option(metavar="REGION", help="Bring numbers into normal form: DE, AT, CH, …"),
]
Duplicates = Annotated[
    str, typer.Option(metavar="send|skip", help="What to do with a number that came before.")
]
Show = Annotated[int, typer.Option(min=0, metavar="N", help="Rejected rows to list at the end.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def upload(
    file: File,
    group: Annotated[
        int, typer.Option("--group", "-g", min=1, metavar="ID", help="The group's id.")
    ],
    mapping: Map = [],  # noqa: B006 - typer reads it, nobody changes it
    rejects: Rejects = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    header: Header = None,
    normalize: Normalize = None,
    duplicates: Duplicates = "send",
    batch_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Phones per request at most.")
    ] = 1000,
    concurrency: Annotated[
        str, typer.Option(metavar="N", help="Requests at a time: 8, 1-64 or adaptive.")
    ] = "8",
    rate: Annotated[
        str, typer.Option(metavar="N/TIME", help="Requests at most: 10/1s, 600/min, none.")
    ] = "10/1s",
    on_unknown: Annotated[
        OnUnknown,
        typer.Option(
            metavar="HOW",
            help="Phones without an answer: report, reconcile or resend them.",
        ),
    ] = "report",
    deadline: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Stop after this long.")
    ] = None,
    show: Show = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag
    quiet: Quiet = False,  # noqa: FBT002 - a flag
) -> None:
    """Upload the phones of a contact file into a group.

    The credentials come from the environment variables ASYNCSDK_CLIENT_ID and ASYNCSDK_API_KEY.

    Exit codes: 0 every phone was created, 1 some were rejected or failed, 2 usage,
    3 credentials refused, 4 stopped before the end, 130 interrupted.
    """
    options = {
        "batch_size": batch_size,
        "concurrency": parse_concurrency(concurrency),
        "rate": parse_rate(rate),
        "on_unknown": on_unknown,
        "duplicates": duplicates,
        "normalize": normalize,
        "deadline": deadline,
        "keep_created": False,
    }
    chosen = parse_map(mapping)
    _check_rejects(rejects, file)
    with _opened(file, mapping=chosen, delimiter=delimiter, encoding=encoding, header=header) as it:
        source, name = it
        job = Job(source, name, group, options, rejects, show, as_json, quiet)
        raise typer.Exit(job.run())


def check(
    file: File,
    mapping: Map = [],  # noqa: B006 - typer reads it, nobody changes it
    rejects: Rejects = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    header: Header = None,
    normalize: Normalize = None,
    duplicates: Duplicates = "send",
    show: Show = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag
    quiet: Quiet = False,  # noqa: FBT002 - a flag
) -> None:
    """Check the phones of a contact file by the local rules; nothing is sent.

    Exit codes: 0 every row may be sent, 1 some are invalid, 2 usage.
    """
    options = {"normalize": normalize, "duplicates": duplicates, "dry_run": True}
    chosen = parse_map(mapping)
    _check_rejects(rejects, file)
    with _opened(file, mapping=chosen, delimiter=delimiter, encoding=encoding, header=header) as it:
        source, name = it
        job = Job(source, name, 1, options, rejects, show, as_json, quiet, dry=True)
        raise typer.Exit(job.run())


_NOWHERE = "http://127.0.0.1:9"
"""A dry run sends nothing and needs no credentials; should it ever send, nobody is there."""


@frozen
class Job:
    """One file, what to do with it, and what to say of it."""

    source: CsvSource
    name: str
    group: int
    options: dict[str, Any]
    rejects: Path | None
    show: int
    as_json: bool
    quiet: bool
    dry: bool = False

    def run(self) -> Exit:
        """Do it; returns the exit code."""
        try:
            total = self.source.count()  # a broken file is found before anything is sent
            self._announce(total)
            ending = asyncio.run(self._follow(total))
            self._close(ending, total)
        except KeyboardInterrupt:
            fail("interrupted", Exit.INTERRUPTED)
        except (ConfigurationError, SourceError) as error:
            fail(error)
        except (AsyncSDKError, OSError) as error:
            fail(error, Exit.STOPPED)
        return self._code(ending)

    async def _follow(self, total: int) -> Ending:
        client = Client("1", "dry-run", base_url=_NOWHERE) if self.dry else Client.from_env()
        async with client:
            upload = client.phones.upload(self.group, self.source, **self.options)
            return await follow(upload, view_for(total, quiet=self.quiet))

    def _announce(self, total: int) -> None:
        if self.quiet:
            return
        chosen = ", ".join(
            f"{field} from column {choice.column!r} ({choice.reason})"
            for field, choice in self.source.mapping.items()
        )
        stderr().print(plain(f"{self.name}: {total:,} rows, {chosen}"), soft_wrap=True)

    def _close(self, ending: Ending, total: int) -> None:
        if ending.cause is not None:
            stderr().print(plain(f"Stopped: {ending.cause}", "bold red"), soft_wrap=True)
        if self.as_json:
            self._print_json(ending, total)
        elif not self.quiet:
            self._print(ending, total)
        if self.rejects is not None:
            count = write_rejects(self.rejects, self.source, self._rejected(ending))
            if not self.quiet:
                stderr().print(plain(f"{count:,} rows written to {self.rejects}"), soft_wrap=True)

    def _print(self, ending: Ending, total: int) -> None:
        report, console = ending.report, stdout()
        listed = report.submitted - report.created_count
        if self.dry:
            listed = report.invalid_count
            print_check(console, report)
        else:
            print_totals(console, report)
        print_rejected(console, self._settled(ending), listed, self.show)
        if unread := total - report.submitted:
            console.print(f"{unread:,} rows were not read before the upload ended.")

    def _print_json(self, ending: Ending, total: int) -> None:
        """Line by line: a report may be long."""
        head = {
            "file": self.name,
            "group": None if self.dry else self.group,
            "exit_code": int(self._code(ending)),
            "unread": total - ending.report.submitted,
        }
        text = json.dumps(head | ending.report.summary(), indent=1, ensure_ascii=False)
        write = sys.stdout.write
        write(text.removesuffix("\n}") + ',\n "rejected": [')
        for count, row in enumerate(self._settled(ending)):
            comma = "," if count else ""
            write(f"{comma}\n  {json.dumps(row.to_dict(), ensure_ascii=False)}")
        write("\n ]\n}\n")

    def _rejected(self, ending: Ending) -> Iterator[Rejected]:
        rows = rejected_rows(self.source, ending.report)
        if self.dry:  # what was not sent because nothing is sent is not rejected
            return (row for row in rows if row.outcome == Outcome.INVALID)
        return rows

    def _settled(self, ending: Ending) -> Iterator[Rejected]:
        return (row for row in self._rejected(ending) if row.outcome != UNREAD)

    def _code(self, ending: Ending) -> Exit:
        if self.dry and not ending.interrupted:
            invalid = ending.report.invalid_count
            return Exit.SOME_NOT_CREATED if invalid else Exit.ALL_CREATED
        return ending.code


def _check_rejects(rejects: Path | None, file: str) -> None:
    """Find out before the upload, not after it, that its rejects have nowhere to go."""
    if rejects is None:
        return
    if rejects.exists() and Path(file).exists() and rejects.samefile(file):
        fail(f"--rejects {rejects} would overwrite the list itself: give it another name")
    if not os.access(rejects if rejects.exists() else rejects.parent, os.W_OK):
        fail(f"--rejects {rejects} cannot be written")


@contextmanager
def _opened(file: str, **options: Any) -> Iterator[tuple[CsvSource, str]]:
    """The source and what to call it. Standard input is kept: the rejects need a second reading."""
    with ExitStack() as closing:
        kept: str | IO[bytes] = file
        if file == "-":
            kept = closing.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(sys.stdin.buffer, kept)
            kept.seek(0)
        try:
            source = read_csv(kept, **options)
        except (ConfigurationError, SourceError) as error:
            fail(error)
        yield source, "standard input" if file == "-" else file
