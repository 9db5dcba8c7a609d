"""`asyncsdk sandbox`: the provider in a box, served until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Annotated

import typer
from rich.text import Text

from asyncsdk.cli import parameters as given
from asyncsdk.cli.output import tell_requests
from asyncsdk.cli.shown import fail, stderr, stdout
from asyncsdk.cli.signals import handled
from asyncsdk.sandbox import ASKED, FAULTS, STYLES, Faults, Sandbox

__all__ = ["sandbox"]


def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0 takes a free one.")
    ] = 8024,
    latency: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Seconds that a request takes.")
    ] = 0.0,
    style: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"Shape of the replies: {', '.join([ASKED, *STYLES])}."),
    ] = ASKED,
    duplicates: Annotated[
        str,
        typer.Option(
            metavar="POLICY", help="A number the group has already: store, merge or refuse."
        ),
    ] = "store",
    max_batch: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Largest batch; a larger one is answered 413."),
    ] = None,
    fault: Annotated[
        list[str],
        typer.Option(
            metavar="NAME:SHARE",
            help="Let this share (0 to 1) of the batches meet a fault, such as 503:0.05. "
            "Repeatable; --fault list names them all.",
        ),
    ] = [],
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same requests then meet the same faults.")
    ] = 0,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Serve a stand-in for the provider on this machine, to try things out.

    It has its own groups and phones, as long as it runs, sends no message and costs nothing. It
    prints what a client needs to know, and ends with Ctrl-C.

    Exit codes: 0 ended by Ctrl-C, 2 usage, or the port cannot be used.
    """
    tell_requests(verbose, "asyncsdk_sandbox")
    if "list" in fault:
        _list_faults()
        return
    try:
        box = Sandbox(
            port=port,
            latency=latency,
            style=style,
            duplicates=duplicates,  # type: ignore[arg-type]  # it says itself what it knows
            max_batch=max_batch,
            faults=Faults.parse(",".join(fault), seed=seed),
            seed=seed,
        )
    except ValueError as error:
        fail(error)
    try:
        asyncio.run(_serve(box, as_json=as_json, quiet=quiet))
    except OSError as error:
        fail(f"port {port} cannot be used: {error.strerror or error}. --port 0 takes a free one")
    except KeyboardInterrupt:
        pass


async def _serve(box: Sandbox, *, as_json: bool, quiet: bool) -> None:
    end = asyncio.Event()
    with handled(end.set, signal.SIGINT, signal.SIGTERM):
        async with box:
            group = box.add_group("example")
            if as_json:
                _introduce_to_machines(box, group)
            elif not quiet:
                _introduce(box, group)
            await end.wait()
    if not quiet:
        stderr().print("Sandbox stopped.")


def _introduce_to_machines(box: Sandbox, group: int) -> None:
    known = {"client_id": box.client_id, "api_key": box.api_key, "group": group}
    sys.stdout.write(json.dumps({"url": box.url, **known}) + "\n")
    sys.stdout.flush()


def _introduce(box: Sandbox, group: int) -> None:
    lines = (
        f"Sandbox at {box.url} (Ctrl-C ends it)",
        f"client id {box.client_id}, api key {box.api_key}, example group {group}",
        "",
        f"export ASYNCSDK_BASE_URL={box.url}",
        f"export ASYNCSDK_CLIENT_ID={box.client_id}",
        f"export ASYNCSDK_API_KEY={box.api_key}",
        f"asyncsdk upload FILE --group {group}",
    )
    console = stdout()
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.file.flush()


def _list_faults() -> None:
    console = stdout()
    for fault in FAULTS.values():
        console.print(Text(f"{fault.name:18} {fault.what}"), soft_wrap=True)
