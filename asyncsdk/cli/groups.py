"""`asyncsdk groups …` and `asyncsdk me`: what the account has."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich import box
from rich.table import Table

from asyncsdk.cli import parameters as given
from asyncsdk.cli.connecting import client_from_env
from asyncsdk.cli.destination import check_credentials, find_group
from asyncsdk.cli.job import failed
from asyncsdk.cli.output import Output, check_place, tell_requests
from asyncsdk.cli.shown import Exit, fail, plain, print_json, stdout
from asyncsdk.client import Client
from asyncsdk.errors import AsyncSDKError
from asyncsdk.files import replacing
from asyncsdk.models import FIELDS, Group
from asyncsdk.sources.inert import inert
from asyncsdk.wire.convert import unstructure
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["groups", "me"]

T = TypeVar("T")

groups: typer.Typer = typer.Typer(
    no_args_is_help=True,
    help="The account's groups.",
    epilog="Example: asyncsdk groups list",
    rich_markup_mode="markdown",
)
Name = Annotated[str, typer.Argument(metavar="ID|NAME", help="The group: its id or its name.")]


def me(
    as_json: given.Json = False, quiet: given.Quiet = False, verbose: given.Verbose = False
) -> None:
    """Ask for the account: one request tells whether the key is good.

    Exit codes: 0 it is, 3 it is not.
    """
    account = unstructure(_asked(lambda client: client.me(), verbose=verbose))
    if as_json:
        print_json(account)
    elif not quiet:
        _print_fields({name: value for name, value in account.items() if name != "services"})


@groups.command("list", epilog="Example: asyncsdk groups list --json")
def list_groups(
    as_json: given.Json = False, quiet: given.Quiet = False, verbose: given.Verbose = False
) -> None:
    """List all groups."""

    async def ask(client: Client) -> list[Group]:
        return [group async for group in client.groups.list()]

    found = _asked(ask, verbose=verbose)
    if as_json:
        print_json([unstructure(group) for group in found])
    elif not quiet:
        table = Table(box=box.SIMPLE, pad_edge=False)
        table.add_column("id", justify="right")
        table.add_column("phones", justify="right")
        table.add_column("name", overflow="fold")
        table.add_column("columns", overflow="fold")
        for group in found:
            count = "" if group.count_items is None else f"{group.count_items:,}"
            columns = ", ".join(f"{field}: {name}" for name, field in group.columns.items())
            table.add_row(str(group.id), count, plain(group.name), plain(columns))
        stdout().print(table)


@groups.command("show", epilog="Example: asyncsdk groups show 7116")
def show_group(
    group: Name,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show one group."""
    found = _asked(lambda client: _one(client, group), verbose=verbose)
    _tell(found, as_json=as_json, quiet=quiet)


@groups.command("create", epilog="Example: asyncsdk groups create Kunden --column a=Vorname")
def create_group(
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 50 characters.")],
    description: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    column: Annotated[
        list[str], typer.Option(metavar="FIELD=NAME", help="What it calls a to e. Repeatable.")
    ] = [],
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Create a group."""
    named = dict(pair.split("=", 1) for pair in column if "=" in pair)
    if len(named) < len(column):
        fail("--column should be FIELD=NAME, such as a=Vorname")
    fields = {f"name_{field}": text for field, text in named.items()}
    if description is not None:
        fields["description"] = description
    made = _asked(lambda client: client.groups.create(name, **fields), verbose=verbose)
    _tell(made, as_json=as_json, quiet=quiet)


@groups.command("delete", epilog="Example: asyncsdk groups delete 7116 --yes")
def delete_group(
    group: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Delete a group together with its phones."""
    found = _asked(lambda client: _one(client, group), verbose=verbose)
    if not yes:
        count = found.count_items
        phones = "all its phones" if count is None else f"its {counted(count, 'phone')}"
        typer.confirm(f"Delete {found.name!r} ({found.id}) and {phones}?", abort=True)
    _asked(lambda client: client.groups.delete(found.id), verbose=verbose)
    if as_json:
        print_json({"deleted": found.id})
    elif not quiet:
        stdout().print(plain(f"{found.name} ({found.id}) is deleted."))


@groups.command("export", epilog="Example: asyncsdk groups export 7116 phones.csv")
def export_group(
    group: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to write.")],
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Write the phones of a group into a CSV file."""
    check_place(file)

    async def ask(client: Client) -> int:
        found = await _one(client, group)
        count = 0
        with replacing(file, "utf-8-sig") as target:
            writer = csv.writer(target, quoting=csv.QUOTE_ALL)
            names = {field: name for name, field in found.columns.items()}
            writer.writerow(["id", *(inert(names.get(field, field)) for field in FIELDS)])
            async for phone in client.groups.export(found.id):
                writer.writerow([phone.id, *(inert(getattr(phone, field)) for field in FIELDS)])
                count += 1
        return count

    count = _asked(ask, verbose=verbose)
    if as_json:
        print_json({"written": count})
    else:
        Output(quiet=quiet).say(f"{counted(count, 'phone')} written to {file}")


async def _one(client: Client, name: str) -> Group:
    group = await find_group(client, name)
    assert group is not None  # it is an error where it is missing
    return group


def _asked(ask: Callable[[Client], Awaitable[T]], *, verbose: bool) -> T:
    """What a client answers; what goes wrong ends the command."""
    tell_requests(verbose)
    check_credentials()

    async def asked() -> T:
        async with client_from_env() as client:
            return await ask(client)

    try:
        return asyncio.run(asked())
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)
    except (AsyncSDKError, OSError) as error:
        failed(error)


def _tell(group: Group, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(unstructure(group))
    elif not quiet:
        _print_fields(unstructure(group))


def _print_fields(fields: dict[str, Any]) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    for name, value in fields.items():
        if value not in (None, [], {}):
            table.add_row(name, plain(value))
    stdout().print(table)
