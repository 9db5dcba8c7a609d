"""Servers that close a kept-alive connection without a word."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Client, UploadReport
from tests.failures.raw import answer, read_request, serving

if TYPE_CHECKING:
    from tests.failures.raw import Handler

BATCHES = 1000


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await read_request(reader)))
    await writer.drain()
    writer.close()


async def resets_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await read_request(reader)))
    await writer.drain()
    writer.transport.abort()


async def closes_after_a_few(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(3):
        writer.write(answer(await read_request(reader)))
        await writer.drain()
    writer.close()


async def upload(url: str) -> UploadReport:
    async with Client("1234567", "key", base_url=url, rate=None) as client:
        numbers = (f"+49160{i:07}" for i in range(BATCHES))
        return await client.phones.upload(1, numbers, batch_size=1, rate=None)


@pytest.mark.parametrize("handler", [closes_at_once, resets_at_once, closes_after_a_few])
async def test_a_thousand_batches_none_failed(handler: Handler) -> None:
    async with serving(handler) as url:
        report = await upload(url)
    assert (report.created_count, report.failed_count) == (BATCHES, 0), report.failed[0].error


@pytest.mark.parametrize("handler", [closes_at_once, resets_at_once])
def test_the_same_where_the_server_has_a_thread_of_its_own(handler: Handler) -> None:
    """Then its close may come at any moment between two requests."""
    urls: list[str] = []
    started, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving(handler) as url:
            urls.append(url)
            started.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        report = asyncio.run(upload(urls[0]))
    finally:
        done.set()
        thread.join()
    assert (report.created_count, report.failed_count) == (BATCHES, 0), report.failed[0].error
