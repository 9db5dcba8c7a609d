"""Where the key is not: tracebacks with the locals of each frame, attributes, copies, pickles."""

from __future__ import annotations

import copy
import io
import pickle
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from attrs import asdict
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from asyncsdk import Client, ConfigurationError
from asyncsdk.cli.destination import check_credentials
from asyncsdk.config import ClientConfig
from asyncsdk.errors import AsyncSDKError
from asyncsdk.pace.credentials import Credentials
from asyncsdk.secret import Hidden, Secret
from tests.failures.raw import serving

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

KEY = "s3cr3t-0f-th3-4cc0unt"


def key() -> str:
    """It stands in no line of these tests, which tracebacks show."""
    return KEY


def locals_of(error: BaseException) -> str:
    """What rich, and by repr Sentry, show of the frames of this package and of libraries."""
    told = io.StringIO()
    shown = Traceback.from_exception(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=9999,
        locals_max_length=9999,
        suppress=(),
        extra_lines=0,
    )
    Console(file=told, width=400).print(shown)
    lines = told.getvalue()
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "tests" not in frame.f_code.co_filename:
            for value in frame.f_locals.values():
                lines += _shown(value) + _shown(getattr(value, "__dict__", ""))
    return lines


def _shown(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # of one that is half made
        return ""


FAULTY: dict[str, Callable[[], object]] = {
    "client, URL": lambda: Client(1, key(), base_url="ftp://x"),
    "client, number": lambda: Client("x", key()),
    "client, rate": lambda: Client(1, key(), rate=3),  # type: ignore[arg-type]
    "client, headers": lambda: Client(1, key(), default_headers={"Accept": "x"}),
    "configuration": lambda: ClientConfig(1, key(), "ftp://x"),
    "key": lambda: ClientConfig(1, f"{key()} {key()}"),
    "new credentials": lambda: Client(1, "a").set_credentials("x", key()),
    "proxy's key": lambda: Client(1, "a", rate=3, default_headers={"x": key()}),  # type: ignore[arg-type]
    "environment": lambda: Client.from_env(timeout=-1),
}


@pytest.mark.parametrize("name", FAULTY)
def test_an_argument_that_cannot_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_CLIENT_ID", "1")
    monkeypatch.setenv("ASYNCSDK_API_KEY", KEY)
    with pytest.raises(ConfigurationError) as caught:
        FAULTY[name]()
    assert caught.value.__traceback__ is not None
    caught.value.__traceback__ = caught.value.__traceback__.tb_next  # that of this test
    if name != "proxy's key":
        assert KEY not in locals_of(caught.value)


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/9 nonsense\r\n\x00\r\n")


async def _refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("handler", [_cut, _nonsense, _refused])
@pytest.mark.parametrize("what", ["me", "groups", "batch", "upload"])
async def test_a_request_that_fails(handler: Any, what: str) -> None:
    async with serving(handler) as url, Client(1, key(), base_url=url) as client:
        with pytest.raises(AsyncSDKError) as caught:
            if what == "me":
                await client.me()
            elif what == "groups":
                await client.groups.get(7)
            elif what == "batch":
                await client.phones.create_batch(7, ["+491711234567"])
            else:
                (await client.phones.upload(7, ["+491711234567"])).raise_for_failures()
        error: BaseException | None = caught.value
        while error is not None:
            assert KEY not in locals_of(error)
            error = error.__cause__ or error.__context__
        requests = client._requests
        for one in (client, requests, requests.credentials, requests.transport, requests.pace):
            assert KEY not in repr(vars(one))
            assert KEY not in pretty_repr(vars(one), max_depth=6)
            assert not _pickles(vars(one))


def _pickles(value: object) -> bool:
    try:
        return KEY.encode() in pickle.dumps(value)
    except Exception:  # noqa: BLE001 - whatever cannot be pickled shows nothing
        return False


def test_objects() -> None:
    config = ClientConfig(1, KEY, default_headers={"X-Proxy": KEY})
    credentials = Credentials("1", KEY)
    for one in (config, credentials, Secret(KEY), Hidden(KEY)):
        assert KEY not in repr(one) + pretty_repr(one)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(one)
        if isinstance(one, (Secret, Hidden)):
            assert copy.deepcopy(one) is copy.copy(one) is one
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!s} {secret!r} {secret:>40}" + "%s" % secret  # noqa: UP031
    shown = asdict(config)
    assert KEY not in repr(shown)
    assert not _pickles(shown)
    assert KEY not in repr(vars(credentials))
    assert not _pickles(vars(credentials))
    assert KEY not in repr(credentials.headers)
    assert not _pickles(credentials.headers)
    assert credentials.headers == {"X-LOX24-AUTH-TOKEN": f"1:{KEY}"}


def test_a_secret_can_be_compared() -> None:
    assert Secret("a") == Secret("a") == "a" == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("ä") != "b"
    assert Secret("a") != 3
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret(Secret("a")).reveal() == "a"


@pytest.mark.parametrize(
    "url",
    ["http://api.lox24.eu", "http://192.168.1.7:8080/x", "http://[2001:db8::1]/", "http://0.0.0.0"],
)
def test_what_is_not_encrypted_warns(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(UserWarning, match=r"is not encrypted.*Use https") as warned:
        Client(1, KEY, base_url=url)
    assert warned[0].filename == __file__
    for name, value in (("CLIENT_ID", "1"), ("API_KEY", KEY), ("BASE_URL", url)):
        monkeypatch.setenv(f"ASYNCSDK_{name}", value)
    with warnings.catch_warnings():
        check_credentials()
        Client.from_env()
    assert "is not encrypted" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    [
        "https://api.lox24.eu",
        "http://localhost:1",
        "http://a.localhost",
        "http://127.8.9.1",
        "http://[::1]:8",
    ],
)
def test_what_stays_on_this_host_does_not(url: str) -> None:
    Client(1, KEY, base_url=url)
