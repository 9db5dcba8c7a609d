"""What the real failures of real sockets are taken for."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from asyncsdk import (
    AsyncSDKError,
    Client,
    NotSentError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    Phone,
)
from asyncsdk.http.certainty import (
    CertificateError,
    StaleConnectionError,
    Verdict,
    verdict_of_error,
)
from tests.failures.raw import answer, read_request, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.failures.raw import Handler

_UNSENT = {Verdict.AGAIN, Verdict.OUTAGE}
PHONES = ["+491600000001", "+491600000002"]
LARGE = [Phone("+491600000001", a="x" * 1500)] * 5000


@asynccontextmanager
async def client_of(url: str, **options: Any) -> AsyncIterator[Client]:
    async with Client("1234567", "key", base_url=url, timeout=5.0, **options) as client:
        yield client


async def failure_of(client: Client, phones: Any = PHONES) -> Exception:
    with pytest.raises(AsyncSDKError) as caught:
        await client.phones.create_batch(1, phones)
    return caught.value


async def failure_at(handler: Handler, phones: Any = PHONES) -> Exception:
    async with serving(handler) as url, client_of(url) as client:
        return await failure_of(client, phones)


def is_not_sent(error: Exception) -> bool:
    return isinstance(error, NotSentError) and verdict_of_error(error) in _UNSENT


def is_unknown(error: Exception) -> bool:
    return isinstance(error, OutcomeUnknownError) and verdict_of_error(error) is Verdict.DOUBT


async def test_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with client_of(f"http://127.0.0.1:{taken.getsockname()[1]}") as client:
            assert is_not_sent(await failure_of(client))


async def test_no_such_host() -> None:
    async with client_of("http://nowhere.invalid") as client:
        assert is_not_sent(await failure_of(client))


async def test_full_backlog() -> None:
    """Nobody accepts: the connection is never made, and the connect timeout ends it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with client_of(url, connect_timeout=2.0) as client:
            error = await failure_of(client)
    assert is_not_sent(error)
    assert "2 s" in str(error)


async def test_no_tls_on_the_other_side() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(plain) as url, client_of(url.replace("http:", "https:")) as client:
        assert is_not_sent(await failure_of(client))


async def test_a_certificate_that_is_not_trusted_stops() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def never(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(never, context) as url, client_of(url) as client:
        error = await failure_of(client)
    assert isinstance(error, CertificateError)
    assert verdict_of_error(error) is Verdict.STOP


async def test_reset_before_the_request_was_read() -> None:
    async def abort(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    error = await failure_at(abort)
    assert is_unknown(error) or is_not_sent(error)  # it depends on who is first
    assert isinstance(error, (OutcomeUnknownError, StaleConnectionError))


async def test_reset_after_the_head() -> None:
    async def abort(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    assert is_unknown(await failure_at(abort))


async def test_reset_after_the_request() -> None:
    async def abort(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    assert is_unknown(await failure_at(abort))


async def test_closed_after_the_request() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.close()

    assert is_unknown(await failure_at(close))


async def test_timeout_while_it_waits_for_the_reply() -> None:
    async def never(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    error = await failure_at(never)
    assert is_unknown(error)
    assert "5 s" in str(error)


async def test_timeout_while_it_uploads() -> None:
    async def deaf(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(3600)

    assert is_unknown(await failure_at(deaf, LARGE))


async def test_waiting_for_a_connection_is_no_part_of_the_timeout() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            numbers = await read_request(reader)
            await asyncio.sleep(4.0)
            writer.write(answer(numbers))

    async with (
        serving(slow) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        client_of(url, session=session) as client,
    ):
        jobs = [client.phones.create_batch(1, PHONES) for _ in range(4)]
        replies = await asyncio.gather(*jobs)
    assert [len(reply.members) for reply in replies] == [2, 2, 2, 2]


REPLIES = {
    "cut short, with a length": b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{",
    "cut short, in chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "bad gzip": b"HTTP/1.1 201 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "half a gzip": b"HTTP/1.1 201 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n"
    + gzip.compress(b"x" * 100)[:15],
    "garbage": b"\x00\x01\x02 garbage\r\n\r\n",
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "a header without end": b"HTTP/1.1 201 Created\r\nX: " + b"x" * 100_000,
}


@pytest.mark.parametrize("name", REPLIES)
async def test_a_reply_that_cannot_be_read(name: str) -> None:
    async def spoil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(REPLIES[name])
        await writer.drain()
        writer.close()
        await reader.read()

    assert is_unknown(await failure_at(spoil))


async def test_a_413_while_a_large_body_still_goes_out() -> None:
    async def too_large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(1.0)  # as a server that lingers, so that its reply is not lost

    assert isinstance(await failure_at(too_large, LARGE), PayloadTooLargeError)


async def test_a_refusal_whose_body_is_broken_is_still_that_refusal() -> None:
    async def spoil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n<html>")
        writer.close()

    error = await failure_at(spoil)
    assert getattr(error, "status", None) == 503
