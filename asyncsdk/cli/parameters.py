"""The arguments and options that several commands have, each said once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AllSheets",
    "Bare",
    "BatchSize",
    "Concurrency",
    "Country",
    "CreateGroup",
    "Deadline",
    "Delimiter",
    "Duplicates",
    "Encoding",
    "Existing",
    "Files",
    "Format",
    "Group",
    "GroupForNames",
    "GroupIfAny",
    "Header",
    "Hidden",
    "Html",
    "Journal",
    "Json",
    "Lang",
    "Listing",
    "Map",
    "MaxBytes",
    "MobileOnly",
    "Normalize",
    "OnUnknown",
    "PlannedFiles",
    "Quiet",
    "QuietPeriod",
    "Quotechar",
    "Rate",
    "Rejects",
    "Report",
    "SendUnknown",
    "Sheet",
    "Show",
    "SkipLines",
    "Verbose",
]

_LISTS = (
    "CSV, Excel, OpenDocument, JSON, vCards, HTML tables, Parquet, Arrow, packed or not, patterns"
)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES",
        help=f"{_LISTS}; - reads standard input.",
    ),
]
PlannedFiles = Annotated[
    list[str],
    typer.Argument(metavar="FILES", help=f"{_LISTS}; paths, or what fsspec opens (s3://…)."),
]
Group = Annotated[
    str, typer.Option("--group", "-g", metavar="ID|NAME", help="The group: its id or its name.")
]
GroupIfAny = Annotated[
    str | None,
    typer.Option("--group", "-g", metavar="ID|NAME", help="The group; else as in the report."),
]
GroupForNames = Annotated[
    str | None,
    typer.Option(
        "--group", "-g", metavar="ID|NAME", help="The group, if --map uses its column names."
    ),
]
CreateGroup = Annotated[
    bool, typer.Option("--create-group", help="Create the group if no other has its name.")
]
Map = Annotated[
    list[str],
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Read phone, a to e (or what the group calls them) or callback_data from this column: "
        "its name, or its number from 1. Repeatable. The phone's is found by itself. "
        "phone=Mobil,Tel is the first that is filled, phone=Code+Number joins two.",
    ),
]
Country = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column that says in which country each phone is, for --normalize: codes (AT, "
        "+43) or names.",
    ),
]
SkipLines = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Lines above the table; a title is found by itself."),
]
Quotechar = Annotated[
    str,
    typer.Option(metavar="CHAR", help="Character around cells of CSV, or none."),
]
MaxBytes = Annotated[
    int | None,
    typer.Option(
        "--max-bytes",
        min=1,
        metavar="N",
        help="Bytes that a packed file may unpack to, and of memory for a spreadsheet; else 2 GiB.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="csv, json, excel, parquet, arrow, vcard, html or spreadsheetml.",
    ),
]
Sheet = Annotated[
    list[str],
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Of a spreadsheet, the sheet; else the one that has phones. Repeatable.",
    ),
]
AllSheets = Annotated[
    bool, typer.Option("--all-sheets", help="All sheets that are visible and have phones.")
]
Hidden = Annotated[
    str,
    typer.Option(metavar="skip|send", help="What to do with hidden and filtered rows of a sheet."),
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
Bare = Annotated[
    str | None,
    typer.Option(
        metavar="national|international",
        help="With --normalize: what numbers without + and without a leading 0 are in this list; "
        "else those that can be either are invalid.",
    ),
]
MobileOnly = Annotated[
    bool, typer.Option("--mobile-only", help="With --normalize: landlines are invalid.")
]
Duplicates = Annotated[
    str, typer.Option(metavar="send|skip", help="What to do with a number that came before.")
]
Existing = Annotated[
    str,
    typer.Option(
        metavar="send|skip",
        help="What to do with a number that the group holds already; its export is read once.",
    ),
]
SendUnknown = Annotated[
    bool,
    typer.Option(
        "--send-unknown",
        help="Of a rejects file, send also what may be in the group (delivery unknown).",
    ),
]
BatchSize = Annotated[int, typer.Option(min=1, metavar="N", help="Phones per request at most.")]
Concurrency = Annotated[
    str, typer.Option(metavar="N", help="Requests at a time: 8, 1-64 or adaptive.")
]
Rate = Annotated[
    str, typer.Option(metavar="N/TIME", help="Requests at most: 10/1s, 600/min, none.")
]
OnUnknown = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="Phones without an answer: report; reconcile (look them up in the group, send what "
        "is missing); or resend them.",
    ),
]
QuietPeriod = Annotated[
    float,
    typer.Option(
        min=0, metavar="SECONDS", help="How long the group must be quiet before a reconcile looks."
    ),
]
Deadline = Annotated[float | None, typer.Option(metavar="SECONDS", help="Stop after this long.")]
_file = partial(typer.Option, metavar="FILE", dir_okay=False)
Rejects = Annotated[
    Path | None,
    _file(help="Write the rows that are invalid or failed, with the reason, to mend and upload."),
]
Report = Annotated[
    Path | None,
    _file(help="Write what became of every phone, as .jsonl, .csv or .parquet."),
]
Listing = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        dir_okay=False,
        help="Write every row with the number that would go out, as .csv or .xlsx.",
    ),
]
Html = Annotated[Path | None, _file(help="Write a page to read and to print.")]
Lang = Annotated[
    str, typer.Option(metavar="en|de", help="The language of the page that --html writes.")
]
Journal = Annotated[
    Path | None,
    _file(
        help="Keep the accounts in this file: after a crash or Ctrl-C, 'asyncsdk resume FILE' "
        "goes on. It holds the phones."
    ),
]
Show = Annotated[int, typer.Option(min=0, metavar="N", help="Rejected rows to list at the end.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell each request, without the key.")
]
