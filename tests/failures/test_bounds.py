"""A reply has bounds: in bytes, unpacked too, and in pages."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, ProtocolError, Rate
from tests.failures.raw import serving
from tests.rig import client_at, phones

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 400 << 20
HUGE = 1 << 30


def packed(size: int) -> bytes:
    """So many blanks behind the beginning of a reply, deflated."""
    squeeze = zlib.compressobj(9, wbits=31)
    pieces = [squeeze.compress(b"[" + b" " * (1 << 20)) for _ in range(size >> 20)]
    return b"".join(pieces) + squeeze.flush()


PACKED = packed(HUGE)


def repeated(unit: bytes, before: bytes = b"[", after: bytes = b"]") -> bytes:
    """Just below what a reply may have."""
    return before + (unit * ((8 << 20) // len(unit)))[:-1] + after


DENSE: dict[str, Callable[[], bytes]] = {
    "ones": lambda: repeated(b"1,"),
    "objects": lambda: repeated(b"{},"),
    "arrays": lambda: repeated(b"[],"),
    "deep": lambda: repeated(b"[[[[[[[[]]]]]]]],"),
    "unclosed": lambda: repeated(b"[", b"", b""),
    "hydra": lambda: repeated(b"1,", b'{"hydra:member":[', b"]}"),
    "statuses": lambda: repeated(b'{"status":201},'),
    "violations": lambda: repeated(b"{},", b'{"violations":[', b"]}"),
    "errors": lambda: repeated(b'{"a":{}},', b'{"errors":[', b"]}"),
    "field": lambda: repeated(b"[],", b'{"id":1,"name":[', b"]}"),
    "text": lambda: repeated(b"\\n", b'{"id":1,"name":"x', b'"}'),
}
"""Replies that are small, and many things."""


def reply(status: str, body: bytes, *, unpacked: bool) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + (b"" if unpacked else b"Content-Encoding: gzip\r\n") + b"\r\n" + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What the path asks for."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        length = next(
            (int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if b"content-length" in h),
            0,
        )
        await reader.readexactly(length)
        if "endless" in path:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
            while True:
                writer.write(b" " * (1 << 20))
                await writer.drain()
        status = "422 No" if "refused" in path else "201 Created"
        dense = next((DENSE[part] for part in path.split("/") if part in DENSE), None)
        if dense is None:
            writer.write(reply(status, PACKED, unpacked=False))
        else:
            writer.write(reply(status, dense(), unpacked=True))
        await writer.drain()


CHILD = """
import asyncio, resource, sys
from asyncsdk import AsyncSDKError, Client

async def main(url):
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) + (1 << 30), -1))
    async with Client("1", "k", base_url=url, rate=None) as client:
        report = await client.phones.upload(1, ["+49160"])
        print(report.failed[0].delivery, report.failed[0].error)
        for ask in (client.me(), client.groups.get(1), client.phones.create_batch(1, ["+49160"])):
            try:
                await ask
            except AsyncSDKError as error:
                print(type(error).__name__, error)

asyncio.run(main(sys.argv[1]))
# Its own peak: what `getrusage` says begins with that of whoever started it.
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024)
"""


@pytest.mark.parametrize("kind", ["packed", "endless"])
async def test_a_reply_without_measure_is_cut_off(kind: str) -> None:
    async with serving(serve) as url:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CHILD, f"{url}/{kind}", str(MEMORY)),
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        said, _ = await child.communicate()
    upload, me, group, batch, memory = said.decode().splitlines()
    assert upload.startswith("unknown Outcome unknown: the reply has more than")
    assert me.startswith("ProtocolError the reply has more than")
    assert group.startswith("ProtocolError")
    assert batch.startswith("OutcomeUnknownError")
    assert int(memory) < MEMORY


@pytest.mark.parametrize("refused", ["", "refused/"])
async def test_a_dense_reply_costs_no_memory_and_no_time(refused: str) -> None:
    async with serving(serve) as url:
        urls = [f"{url}/{refused}{kind}" for kind in DENSE]
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DENSE_CHILD, str(MEMORY), *urls),
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        said, _ = await child.communicate()
    *ends, memory, seconds = said.decode().splitlines()
    assert len(ends) == 6 * len(DENSE)
    assert int(memory) < MEMORY
    assert float(seconds) < BRIEF


BRIEF = 30.0
"""Seconds of a processor for all these; a single reply took more than eight without bounds."""

DENSE_CHILD = """
import asyncio, resource, sys, time
from asyncsdk import AsyncSDKError, Client

async def groups(client):
    return [group async for group in client.groups.list()]

async def ask_all(url):
    async with Client("1", "k", base_url=url, rate=None) as client:
        source = ["+49160", "+49161", "+49162"]
        report = await client.phones.upload(1, source)
        assert report.submitted == 3, report
        print(report)
        batch, one = client.phones.create_batch(1, source), client.phones.create(1, "+49160")
        for ask in (client.me(), client.groups.get(1), groups(client), batch, one):
            try:
                print(str(await ask)[:50].encode())
            except AsyncSDKError as error:
                print(type(error).__name__, str(error)[:50].encode())

async def main(memory, *urls):
    resource.setrlimit(resource.RLIMIT_AS, (int(memory) + (1 << 30), -1))
    for url in urls:
        await ask_all(url)

asyncio.run(main(*sys.argv[1:]))
# Its own peak: what `getrusage` says begins with that of whoever started it.
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024)
print(time.process_time())
"""


async def test_a_refusal_without_measure_is_a_refusal() -> None:
    async with serving(serve) as url, client_at(f"{url}/refused") as client:
        report = await client.phones.upload(1, ["+49160"])
        assert report.invalid[0].status == 422
        assert report.invalid[0].delivery is Delivery.ANSWERED


async def test_a_large_list_has_room_for_its_reply() -> None:
    """Each member of ten kilobytes, as no provider writes them."""

    async def wordy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        rows = json.loads(await reader.readexactly(length))
        members = [{"status": 201, "body": {**row, "x": "x" * 8_000}} for row in rows]
        writer.write(reply("201 Created", json.dumps(members).encode(), unpacked=True))
        await writer.drain()

    async with serving(wordy) as url, client_at(url) as client:
        report = await client.phones.upload(1, phones(1_000))
    assert report.ok


LINKS = [
    "/groups?page=" + "2" * 9_000,
    "http://HOST" + "0/groups",
    "http://xn--a/groups",
    "http://\N{ACCOUNT OF}/groups",
    "http://a\u202eb/groups",
    "http://ho st/groups",
    "https://HOST/groups",
    "http://HOST@elsewhere.test/groups",
    "javascript:alert(1)",
    "http://host:99999999/groups",
    "http://[::1/groups",
    "//elsewhere.test/groups",
    "ftp://elsewhere.test/groups",
    "data:text/plain,x",
    "mailto:a@b",
    "http://user:secret@HOST/groups?page=2",
]


@pytest.mark.parametrize("link", LINKS)
async def test_a_link_that_leads_nowhere_is_an_error_of_ours(link: str) -> None:
    server = listing(lambda url, _: link.replace("HOST", url.removeprefix("http://")))
    async with server as url, client_at(url) as client:
        pages = client.groups.list()
        assert (await anext(pages)).id == 1
        with pytest.raises(ProtocolError) as raised:
            await anext(pages)
    assert "secret" not in str(raised.value)


SAME: list[Any] = [{"id": 1, "name": "n"}]
ENDLESS: dict[str, Callable[[int], list[Any]]] = {
    "without members": lambda _: [],
    "the same ones": lambda _: SAME,
    "two in turn": lambda number: SAME[: number % 2],
    "a cycle": lambda number: [{"id": number % 9, "name": "n"}],
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_a_list_that_brings_nothing_new_ends_soon(kind: str) -> None:
    asked = 0

    def link(_: str, number: int) -> str:
        nonlocal asked
        asked = number
        return f"/groups?page={number}"

    async with listing(link, ENDLESS[kind]) as url, client_at(url) as client:
        with pytest.raises(ProtocolError, match="no end"):
            async for _ in client.groups.list():
                pass
    assert asked < 20


async def test_a_list_has_so_many_pages_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncsdk.resources.base._PAGES", 50)
    server = listing(
        lambda _, number: f"/groups?page={number}", lambda number: [{"id": number, "name": "n"}]
    )
    async with server as url, client_at(url) as client:
        with pytest.raises(ProtocolError, match="no end: 51 pages"):
            async for _ in client.groups.list():
                pass


async def test_every_page_waits_for_the_rate() -> None:
    """In virtual time: the pages that a second lets through are no more than the rate."""
    server = listing(
        lambda _, number: f"/groups?page={number}", lambda number: [{"id": number, "name": "n"}]
    )
    async with server as url, client_at(url, rate=Rate(10, per=1.0)) as client:
        loop = asyncio.get_running_loop()
        began, pages = loop.time(), client.groups.list()
        for _ in range(100):
            await anext(pages)
        assert loop.time() - began > 8.0


async def test_links_that_differ_behind_the_hash_are_one_page() -> None:
    async with listing(lambda _, number: f"/groups#{number}") as url, client_at(url) as client:
        assert [group.id async for group in client.groups.list()] == [1]


def listing(link: Any, members: Callable[[int], list[Any]] = lambda _: SAME) -> Any:
    """A server of pages, each with a link to the next one."""
    count = 0

    async def pages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            await reader.readuntil(b"\r\n\r\n")
            count += 1
            host = "http://{}:{}".format(*writer.get_extra_info("sockname"))
            page = {"hydra:member": members(count), "hydra:view": {"hydra:next": link(host, count)}}
            writer.write(reply("200 OK", json.dumps(page).encode(), unpacked=True))
            await writer.drain()

    return serving(pages)


# what is read piece by piece


def dripping(piece: bytes, every: float) -> Any:
    """An export of such pieces, one after so many seconds, without an end."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\nid,phone\r\n")
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return serving(drip)


DRIPS = {
    "nothing but blanks": (b" ", 50.0),
    "one line": (b"x", 50.0),
    "a row": (b"1,+49160\r\n", 50.0),
    "open quotes": (b'"', 50.0),
    "rather fast": (b"1,+49160\r\n" * 1_000, 8.0),
}
LONGEST = 1_500.0
"""Seconds, so that the last of them is not read for hours."""


@pytest.mark.parametrize("kind", DRIPS)
async def test_an_export_that_drips_ends(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncsdk.http.exchange._LONGEST_STREAM", LONGEST)
    async with dripping(*DRIPS[kind]) as url, client_at(url, timeout=60.0) as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(ProtocolError, match="has no end: only"):
            async for _ in client.groups.export(1):
                pass
        assert loop.time() - began < 2 * LONGEST


async def test_the_time_of_its_reader_is_not_counted() -> None:
    """Whoever takes an hour for each phone may read it all the same."""

    async def serve_few(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"id,phone\r\n1,+49160\r\n2,+49161\r\n3,+49162\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()

    async with serving(serve_few) as url, client_at(url) as client:
        found = []
        async for phone in client.groups.export(1):
            found.append(phone.id)
            await asyncio.sleep(3 * 3600)
    assert found == [1, 2, 3]


@pytest.mark.parametrize("piece", [b"x" * 10_000, b"1,+49160\r\n" * 1_000, b'"\n' * 5_000])
async def test_an_export_has_so_many_bytes_at_most(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncsdk.http.exchange._LARGEST_STREAM", 1 << 20)
    async with dripping(piece, 0.0) as url, client_at(url) as client:
        with pytest.raises(ProtocolError, match="has no end: more than 1,048,576 bytes"):
            async for _ in client.groups.export(1):
                pass
