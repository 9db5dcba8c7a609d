"""Connections are used again, whatever happened to some of them once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Client
from tests.failures.raw import answer, read_request, serving
from tests.rig import connected, phones

if TYPE_CHECKING:
    from tests.failures.raw import Handler


class Counting:
    """A server that keeps its connections, counts them, and may close those that are idle."""

    def __init__(self) -> None:
        self.made = 0
        self.idle: set[asyncio.StreamWriter] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        while True:
            self.idle.add(writer)
            numbers = await read_request(reader)
            self.idle.discard(writer)
            await asyncio.sleep(0.01)
            writer.write(answer(numbers))
            await writer.drain()

    def close_idle(self) -> None:
        """As a server does that is reloaded."""
        for writer in self.idle:
            writer.close()
        self.idle.clear()


def rows(count: int) -> list[str]:
    return [f"+49160{i:07}" for i in range(count)]


@pytest.mark.parametrize("times", [1, 2])
async def test_one_graceful_close_of_all_that_are_idle(times: int) -> None:
    server = Counting()
    handler: Handler = server.handle
    async with serving(handler) as url, Client(1, "key", base_url=url, rate=None) as client:
        for _ in range(times):
            await client.phones.upload(7, rows(200), batch_size=1, concurrency=8)
            server.close_idle()
            await asyncio.sleep(1)
        before = server.made
        report = await client.phones.upload(7, rows(1000), batch_size=1, concurrency=8)
    assert report.created_count == 1000
    assert before <= 8 * times
    assert server.made - before <= 9


async def test_an_upload_that_is_begun_while_an_export_streams() -> None:
    async with connected() as rig:
        await rig.upload(phones(500), batch_size=50)
        exported = rig.client.groups.export(rig.group_id)
        await anext(exported)
        report = await rig.upload(phones(200), batch_size=1, concurrency=4)
        assert report.created_count == 200
        await exported.aclose()
        for _ in range(3):
            await rig.client.me()
            await rig.upload(phones(50), batch_size=1, concurrency=4)
        assert rig.client._requests.transport.keep_alive.trusted


async def test_a_server_that_learns_to_keep_them_is_trusted_again() -> None:
    keeps, made = False, 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        while True:
            writer.write(answer(await read_request(reader)))
            await writer.drain()
            if not keeps:
                writer.close()
                return

    async with serving(handle) as url, Client(1, "key", base_url=url, rate=None) as client:
        await client.phones.upload(7, rows(50), batch_size=1, concurrency=4)
        assert made == 50
        keeps = True
        await asyncio.sleep(60)
        made = 0
        report = await client.phones.upload(7, rows(50), batch_size=1, concurrency=4)
    assert report.created_count == 50
    assert made <= 5
