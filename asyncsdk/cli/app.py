"""The commands, put together."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from asyncsdk._version import __version__
from asyncsdk.cli.demo import demo
from asyncsdk.cli.fleet import plan, run
from asyncsdk.cli.groups import groups, me
from asyncsdk.cli.job import failed
from asyncsdk.cli.pace import pace
from asyncsdk.cli.reports import report, retry
from asyncsdk.cli.resume import resume
from asyncsdk.cli.sandbox import sandbox
from asyncsdk.cli.shown import stdout
from asyncsdk.cli.upload import check, upload
from asyncsdk.cli.web import web
from asyncsdk.errors import AsyncSDKError

__all__ = ["app"]


class _Commands(TyperGroup):
    """Commands of which none ends in a traceback of what a file or a server said."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AsyncSDKError as error:  # found when a report is looked at, after its totals
            failed(error)


app: typer.Typer = typer.Typer(
    name="asyncsdk",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Example: asyncsdk upload contacts.csv --group 7116 --rejects rejects.csv",
)


def _version(wanted: bool) -> None:
    if wanted:
        stdout().print(f"asyncsdk {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Upload phone lists into groups at the LOX24 SMS gateway, and account for every phone."""


app.command(epilog="Example: asyncsdk upload contacts.xlsx -g Kunden --normalize DE")(upload)
app.command(epilog="Example: asyncsdk check contacts.csv --duplicates skip")(check)
app.command(epilog="Example: asyncsdk resume contacts.journal")(resume)
app.command(epilog="Example: asyncsdk report report.jsonl --html report.html")(report)
app.command(epilog="Example: asyncsdk plan friday lists/*.parquet -g Kunden")(plan)
app.command(epilog="Example: asyncsdk run friday --index-from SLURM_ARRAY_TASK_ID")(run)
app.command(epilog="Example: asyncsdk retry report.jsonl --rejects rejects.csv")(retry)
app.add_typer(groups, name="groups")
app.command(epilog="Example: asyncsdk me")(me)
app.command(epilog="Example: asyncsdk web --sandbox")(web)
app.command(epilog="Example: asyncsdk pace redis://localhost --rate 20/1s")(pace)
app.command(epilog="Example: asyncsdk sandbox --port 8024 --latency 0.05 --fault 503:0.05")(sandbox)
app.command(epilog="Example: asyncsdk demo --phones 100000")(demo)
