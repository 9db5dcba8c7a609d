"""`asyncsdk web`: the page at this machine, for whoever has a list and a browser."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer
from rich.prompt import Prompt
from rich.text import Text

from asyncsdk.cli import parameters as given
from asyncsdk.cli.connecting import behind_proxy
from asyncsdk.cli.options import parse_rate
from asyncsdk.cli.shown import fail, stderr, stdout
from asyncsdk.client import Client
from asyncsdk.config import ClientConfig
from asyncsdk.errors import AsyncSDKError, AuthenticationError, ConfigurationError
from asyncsdk.sandbox import SandboxThread
from asyncsdk.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from asyncsdk.config import Rate

__all__ = ["web"]

_LOOPBACK = "127.0.0.1"
_TRIES = 2
"""Wrong credentials that may be typed: after more than three the provider locks the address out."""

_KEPT = "The page is closed; lists that were under way go on when it is opened again."
_LOST = "The page is closed, and so is the sandbox with what was in it."


def web(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0 takes a free one.")
    ] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where lists and their reports are kept for 30 days; by default in your home.",
        ),
    ] = None,
    rate: given.Rate = "10/s",
    box: Annotated[
        bool, typer.Option("--sandbox", help="Send to a stand-in for the provider: nothing leaves.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in your browser.")
    ] = True,
) -> None:
    """Upload lists by a page in your browser, which only you can open.

    Choose a file and a group, see what would be sent, start it, and follow it. The page may be
    closed meanwhile; what is under way when this command ends goes on when it is started again.

    The credentials are those of the environment. Without them you are asked, and they are kept in
    memory alone.

    Exit codes: 0 ended by Ctrl-C, 2 usage, or wrong credentials.
    """
    with ExitStack() as closing:
        pace = parse_rate(rate)
        if box:
            make = _to_sandbox(closing.enter_context(SandboxThread()), pace)
            place = folder or Path(closing.enter_context(TemporaryDirectory(prefix="asyncsdk-")))
        else:
            make, place = _to_provider(pace), folder or _home()
        try:
            listening = closing.enter_context(socket.create_server((_LOOPBACK, port)))
        except OSError as error:
            fail(
                f"port {port} cannot be used: {error.strerror or error}. --port 0 takes a free one"
            )
        _serve(listening, place, make, open_browser=browser)
        stderr().print(_LOST if box and folder is None else _KEPT)


def _serve(
    listening: socket.socket, folder: Path, make: Callable[[], Client], *, open_browser: bool
) -> None:
    """Serve the page on this socket until Ctrl-C."""
    try:
        import uvicorn

        from asyncsdk.web import UploadJobs
        from asyncsdk.web.local import local_app
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("asyncsdk"):
            raise
        fail("the page needs its extra: pip install 'asyncsdk[cli,web]'")
    token = secrets.token_urlsafe(24)
    url = f"http://{_LOOPBACK}:{listening.getsockname()[1]}/enter?token={token}"

    def ready() -> None:
        stdout().print(Text(f"The page is at {url}\nCtrl-C ends it."), soft_wrap=True)
        stdout().file.flush()
        if open_browser:  # some browsers return only when they are closed
            Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    app: FastAPI = local_app(UploadJobs(folder, client=make), token, ready)
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=6)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _home() -> Path:
    """Where programs of this user keep their data (XDG Base Directory Specification)."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "asyncsdk" / "web"


def _to_sandbox(box: SandboxThread, rate: Rate | None) -> Callable[[], Client]:
    box.add_group("example")
    return lambda: Client(box.client_id, box.api_key, base_url=box.url, rate=rate)


def _to_provider(rate: Rate | None) -> Callable[[], Client]:
    """Makes clients with credentials that were tried once."""
    try:
        config = ClientConfig.from_env()
    except ConfigurationError as error:
        if not sys.stdin.isatty():
            fail(error)
        return _asked(rate)
    asyncio.run(_tried(_with(config, rate)))
    return _with(config, rate)


def _asked(rate: Rate | None) -> Callable[[], Client]:
    """Ask for credentials until they are right."""
    console = stderr()
    for left in reversed(range(_TRIES)):
        number = Prompt.ask("Client id", console=console)
        key = Prompt.ask("API key (it is not shown)", console=console, password=True)
        try:
            url = os.environ.get("ASYNCSDK_BASE_URL", "").strip()
            config = ClientConfig(number, Secret(key), **({"base_url": url} if url else {}))
            make = _with(config, rate)
            asyncio.run(_tried(make, again=left > 0))
        except (ConfigurationError, AuthenticationError) as error:
            if not left:
                fail(error)
            console.print(Text(f"{error}: once more."))
        else:
            return make
    raise AssertionError


def _with(config: ClientConfig, rate: Rate | None) -> Callable[[], Client]:
    def make() -> Client:
        return Client(
            config.client_id,
            config.api_key,
            base_url=str(config.base_url),
            rate=rate,
            trust_env=behind_proxy(),
        )

    return make


async def _tried(make: Callable[[], Client], *, again: bool = False) -> None:
    """Find out whether these credentials are right; a provider out of reach says nothing.

    Raises:
        AuthenticationError: They are wrong, and may be typed again.
    """
    try:
        async with asyncio.timeout(_PATIENCE), make() as client:
            await client.me()
    except AuthenticationError as error:
        if again:
            raise
        fail(error)
    except (AsyncSDKError, TimeoutError) as error:
        reason = str(error) or "it does not answer"
        stderr().print(Text(f"The provider cannot be asked at the moment: {reason}", "yellow"))


_PATIENCE = 15.0
"""Seconds for that."""
