"""Replies that are whole and good, however strange their headers and their encoding are."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, RetryPolicy, UploadStopped
from tests.failures.raw import read_request, serving

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.failures.raw import Handler

NUMBERS = [f"+49160{i:07}" for i in range(20)]


def members(numbers: list[str]) -> str:
    return json.dumps(
        [{"status": 201, "body": {"id": str(i), "phone": n}} for i, n in enumerate(numbers, 1)],
        ensure_ascii=False,
    )


def replying(
    *headers: str, encode: Callable[[str], bytes] = str.encode, status: str = "201 Created"
) -> Handler:
    """A server whose replies have these headers, and are encoded so."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = encode(members(await read_request(reader)))
            head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
            writer.write(head.encode("latin-1") + b"\r\n\r\n" + body)
            await writer.drain()

    return handle


async def uploaded(handler: Handler, **options: Any) -> Any:
    async with serving(handler) as url, Client(1, "key", base_url=url, rate=None) as client:
        return await client.phones.upload(7, NUMBERS, batch_size=10, **options)


HEADERS = {
    "one of 9 kB": ["X-Trace: " + "x" * 9_000],
    "one of 60 kB": ["Set-Cookie: session=" + "x" * 60_000],
    "150 of them": [f"X-Hop-{i}: {i}" for i in range(150)],
    "1,000 of them": [f"X-Hop-{i}: {i}" for i in range(1_000)],
    "the same one often": ["Via: 1.1 proxy"] * 200,
    "bytes that are no text": ["X-LOX24-REQUEST-ID: \xff\xfe\xe9"],
}


@pytest.mark.parametrize("name", HEADERS)
async def test_headers(name: str) -> None:
    report = await uploaded(replying(*HEADERS[name]))
    assert report.created_count == 20
    assert [result.created.phone for result in report.created] == NUMBERS


ENCODINGS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "UTF-8 with a mark": (lambda text: b"\xef\xbb\xbf" + text.encode(), "application/json"),
    "UTF-16 with a mark": (lambda text: text.encode("utf-16"), "application/json"),
    "UTF-16, big end first": (lambda t: b"\xfe\xff" + t.encode("utf-16-be"), "application/json"),
    "UTF-32 with a mark": (lambda text: text.encode("utf-32"), "application/json"),
    "UTF-16, as it says": (
        lambda text: text.encode("utf-16-le"),
        "application/json; charset=utf-16-le",
    ),
    "Latin-1, as it says": (
        lambda text: text.replace("]", "] ").encode("latin-1"),
        "application/json; charset=ISO-8859-1",
    ),
    "blanks before it": (lambda text: b"\r\n \t" + text.encode(), "application/json"),
    "a mark, and blanks": (lambda text: b"\xef\xbb\xbf\n" + text.encode(), "text/plain"),
    "a charset that there is not": (str.encode, "application/json; charset=klingon"),
    "a charset of no texts": (str.encode, "application/json; charset=punycode"),
}


@pytest.mark.parametrize("name", ENCODINGS)
async def test_encodings(name: str) -> None:
    encode, kind = ENCODINGS[name]
    report = await uploaded(replying(f"Content-Type: {kind}", encode=encode))
    assert (report.created_count, report.unknown_count) == (20, 0)


def refusing_once(*headers: str, status: str = "503 Busy") -> Handler:
    """A server that refuses its first request so, and takes the others."""
    refused = False

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        while True:
            numbers = await read_request(reader)
            first, refused = not refused, True
            line = f"HTTP/1.1 {status}" if first else "HTTP/1.1 201 Created"
            body = b"{}" if first else members(numbers).encode()
            extra = headers if first else ()
            head = "\r\n".join([line, f"Content-Length: {len(body)}", *extra])
            writer.write(head.encode() + b"\r\n\r\n" + body)
            await writer.drain()

    return handle


@pytest.mark.parametrize("skew", [-86_400, -3_600, 3_600, 86_400])
async def test_a_retry_after_that_is_a_date_goes_by_the_servers_own_clock(skew: float) -> None:
    """Ours may be an hour off; `Date` says what theirs shows."""
    now = 1_700_000_000 + skew  # nowhere near our clock
    date, until = formatdate(now, usegmt=True), formatdate(now + 20, usegmt=True)
    report = await uploaded(refusing_once(f"Date: {date}", f"Retry-After: {until}"))
    assert report.created_count == 20
    assert 20 <= report.throttled <= 21


@pytest.mark.parametrize(("asked", "least"), [("2.5", 2.5), (".25", 0.25), ("3.", 3.0), ("0", 0.0)])
async def test_a_retry_after_may_have_a_fraction(asked: str, least: float) -> None:
    report = await uploaded(refusing_once(f"Retry-After: {asked}"))
    assert report.created_count == 20
    assert least <= report.throttled <= least + 0.5


@pytest.mark.parametrize("status", ["421 Misdirected Request", "425 Too Early"])
async def test_what_another_connection_or_moment_may_take_is_sent_again(status: str) -> None:
    report = await uploaded(refusing_once(status=status))
    assert report.created_count == 20
    assert report.retries == 1


@pytest.mark.parametrize("status", ["405 Method Not Allowed", "410 Gone", "451 Unavailable"])
async def test_others_stop_it(status: str) -> None:
    with pytest.raises(UploadStopped) as stopped:
        await uploaded(refusing_once(status=status), retry=RetryPolicy())
    assert stopped.value.report.unknown_count == 0
