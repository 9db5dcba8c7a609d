"""What a server or a file says steers no terminal and forges no line of a log."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from asyncsdk import ApiError, AsyncSDKError, Client, NotSentError, ProtocolError, RetryPolicy
from asyncsdk.cli.app import app
from asyncsdk.errors import AuthenticationError, JournalError, SourceError, api_error, reason_of
from asyncsdk.models import Problem, Violation
from tests.cli.kit import PLAIN
from tests.failures.raw import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.failures.raw import Handler

HOSTILE = {
    "escape": "\x1b]0;owned\x07\x1b[2J",
    "newline": "ok\nERROR forged line",
    "carriage return": "ok\rforged",
    "c1": "\x9b2J\x85",
    "bidi": "\u202egnp.exe\u2066\u200f",
    "separators": "a\u2028b\u2029c",
    "zero width": "a\u200b\ufeffb",
    "nul": "a\x00\x08\x7fb",
    "tags": "\U000e0041\U000e0042",
}


def refusing(status: int, text: str) -> Handler:
    """A server that answers everything with this text wherever it can stand."""
    body = json.dumps({"title": text, "detail": f"d {text}", "violations": []}).encode()
    shown = "".join(char for char in text if char not in "\r\n\x00").encode()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            writer.write(b"HTTP/1.1 %d No\r\n" % status)
            writer.write(b"Content-Type: application/problem+json\r\n")
            writer.write(b"X-LOX24-REQUEST-ID: " + shown + b"\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()

    return handle


@contextmanager
def beside(handler: Handler) -> Iterator[str]:
    """The same server in a thread of its own: a command wants the main one."""
    url: Future[str] = Future()
    end: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with serving(handler) as found:
            over = asyncio.Event()
            end.set_result((asyncio.get_running_loop(), over))
            url.set_result(found)
            await over.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, serve())
        try:
            yield url.result()
        finally:
            loop, over = end.result()
            loop.call_soon_threadsafe(over.set)


def is_quiet(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_errors_and_logs(text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncsdk")
    async with (
        serving(refusing(403, text)) as url,
        Client("1", "key", base_url=url) as client,
    ):
        with pytest.raises(AsyncSDKError) as caught:
            await client.me()
        upload = client.phones.upload(7, ["+491711234567"], retry=RetryPolicy(attempts=1))
        with pytest.raises(AsyncSDKError) as stopped:
            await upload
    for error in (caught.value, stopped.value):
        assert str(error).isprintable()
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own
    assert caplog.records
    assert all(record.getMessage().isprintable() for record in caplog.records)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "words",
    [
        ["upload", "LIST", "-g", "7", "-v", "--on-unknown", "report"],
        ["upload", "LIST", "-g", "7", "--json"],
        ["upload", "LIST", "-g", "\x1b[2J\u202e"],
        ["groups", "list", "-v"],
        ["groups", "show", "7", "-v", "--json"],
    ],
    ids=["-v", "--json", "name", "groups", "group"],
)
def test_the_command_line(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f'Name;Mobil\n"{text}";+491711234567\n', encoding="utf-8", newline="")
    with beside(refusing(403, text)) as url:
        environment = PLAIN | {
            "ASYNCSDK_BASE_URL": url,
            "ASYNCSDK_CLIENT_ID": "1",
            "ASYNCSDK_API_KEY": "key",
        }
        named = [str(path) if word == "LIST" else word for word in words]
        done = CliRunner().invoke(app, named, env=environment)
    assert "HTTP 403" in done.output or done.exit_code == 2, done.output
    assert is_quiet(done.output), repr(done.output)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_error(text: str) -> None:
    problem = Problem(text, text, violations=(Violation(text, text),))
    errors = [
        *(api_error(status, problem, text) for status in (400, 401, 418, 429, 500)),
        AsyncSDKError(text),
        JournalError(f"the journal {text}"),
        SourceError(text, path=text, line=3),
        NotSentError(text),
        ProtocolError(text, 302),
    ]
    for error in errors:
        assert str(error).isprintable()
        assert reason_of(error).isprintable()
        assert repr(error).isprintable()
    assert reason_of(ValueError(text)).isprintable()
    assert str(problem).isprintable()
    assert isinstance(errors[1], AuthenticationError)
    assert isinstance(errors[0], ApiError)
    assert errors[0].problem.detail == text, "what was said is kept as it was"
