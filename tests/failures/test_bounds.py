"""A reply has bounds: in bytes, unpacked too, and in pages."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from asyncsdk import Delivery, ProtocolError
from tests.failures.raw import serving
from tests.rig import client_at, phones

MEMORY = 400 << 20
HUGE = 1 << 30


def packed(size: int) -> bytes:
    """So many blanks behind the beginning of a reply, deflated."""
    squeeze = zlib.compressobj(9, wbits=31)
    pieces = [squeeze.compress(b"[" + b" " * (1 << 20)) for _ in range(size >> 20)]
    return b"".join(pieces) + squeeze.flush()


PACKED = packed(HUGE)


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
        writer.write(reply(status, PACKED, unpacked=False))
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


@pytest.mark.parametrize("members", [[], [{"id": 1, "name": "n"}]])
async def test_a_list_has_an_end(members: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncsdk.resources.base._PAGES", 50)
    server = listing(lambda _, number: f"/groups?page={number}", members)
    async with server as url, client_at(url) as client:
        with pytest.raises(ProtocolError, match="no end"):
            async for _ in client.groups.list():
                pass


def listing(link: Any, members: list[Any] | None = None) -> Any:
    """A server of pages, each with a link to the next one."""
    count = 0

    async def pages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            await reader.readuntil(b"\r\n\r\n")
            count += 1
            host = "http://{}:{}".format(*writer.get_extra_info("sockname"))
            found = [{"id": 1, "name": "n"}] if members is None else members
            page = {"hydra:member": found, "hydra:view": {"hydra:next": link(host, count)}}
            writer.write(reply("200 OK", json.dumps(page).encode(), unpacked=True))
            await writer.drain()

    return serving(pages)
