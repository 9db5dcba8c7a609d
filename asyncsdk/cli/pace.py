"""`asyncsdk pace`: how a pace stands that is shared through Redis, and what may be changed."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import asdict
from rich.live import Live
from rich.table import Table

from asyncsdk.cli import parameters as given
from asyncsdk.cli.job import failed
from asyncsdk.cli.options import parse_rate
from asyncsdk.cli.shown import Exit, fail, plain, print_json, stderr, stdout
from asyncsdk.errors import AsyncSDKError
from asyncsdk.integrations.redis import Guard, SharedPace
from asyncsdk.secret import Secret
from asyncsdk.words import counted

if TYPE_CHECKING:
    from asyncsdk.config import Rate
    from asyncsdk.integrations.redis import PaceState

__all__ = ["pace"]

_REFRESH = 0.5
"""Seconds."""
_GUARDS = {
    Guard.UNPROVEN: "nothing is known of the key",
    Guard.PROVING: "one request tries the key, the others wait",
    Guard.PROVEN: "the key is good",
    Guard.REFUSED: "shut: a key was refused; --open lets one request try it again",
}


def pace(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            envvar="ASYNCSDK_REDIS_URL",
            show_envvar=True,
            help="Where Redis is, such as redis://host:6379/0.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose pace it is.")] = "lox24",
    open_guard: Annotated[
        bool, typer.Option("--open", help="Let a key be tried again that was refused.")
    ] = False,
    rate: Annotated[
        str | None, typer.Option(metavar="N/TIME", help="Change the rate for everybody: 20/1s.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Show one moment, not all that come.")
    ] = False,
    as_json: given.Json = False,
) -> None:
    """Show how a pace stands that several processes share through Redis.

    On a terminal until Ctrl-C, elsewhere once. A password in URL is seen by who lists processes:
    the environment variable is not.
    """
    wanted = None if rate is None else parse_rate(rate)
    if rate is not None and wanted is None:
        fail("--rate of a shared pace must be a rate such as 20/1s: it cannot be without")
    live = not (once or as_json or open_guard or wanted) and sys.stdout.isatty()
    secret = Secret(url)
    try:
        state = asyncio.run(_asked(secret, name, wanted, open_guard=open_guard, live=live))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.ALL_CREATED if live else Exit.INTERRUPTED) from None
    except (AsyncSDKError, OSError) as error:
        failed(error)
    except ImportError as error:
        fail(error)
    if as_json:
        print_json(asdict(state))
    elif not live:
        stdout().print(_shown(state))


async def _asked(
    url: Secret, name: str, rate: Rate | None, *, open_guard: bool, live: bool
) -> PaceState:
    shared = SharedPace(url, name=name)
    try:
        if rate is not None:
            await shared.set_rate(rate)
        if open_guard:
            opened = counted(await shared.open_guard(), "key")
            stderr().print(plain(f"{opened} may be tried again, by one request each"))
        if live:
            await _follow(shared)
        return await shared.state()
    finally:
        await shared.aclose()


async def _follow(shared: SharedPace) -> None:
    """Show each moment, until somebody ends it."""
    with Live(console=stdout(), auto_refresh=False, transient=False) as view:
        while True:
            view.update(_shown(await shared.state()), refresh=True)
            await asyncio.sleep(_REFRESH)


def _shown(state: PaceState) -> Table:
    table = Table.grid(padding=(0, 2))
    for title, text in _lines(state):
        table.add_row(title, plain(text))
    return table


def _lines(state: PaceState) -> list[tuple[str, str]]:
    rate = state.rate
    if rate is None:
        used = "not known before the first client comes"
    else:
        used = f"{state.used:,} of {counted(rate.requests, 'request')} in the last {rate.per:g} s"
    pause = f"{state.paused:.1f} s more ({state.paused_by})" if state.paused else "none"
    if state.outage:
        pause += "; the provider cannot be reached, and one request at a time tries"
    return [
        ("rate", used),
        ("waiting", counted(state.waiting, "request")),
        ("pause", pause),
        ("guard", _GUARDS[state.guard]),
        ("clients", f"{state.clients:,} seen in the last minute"),
    ]
