"""Two hundred thousand phones through a generator: every one accounted for, in little memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from asyncsdk import Client, Outcome, Phone
from tests.rig import connected, known, phones

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 200_000
BATCH = 1000


def lazily(count: int) -> Iterator[dict[str, str]]:
    """Rows that are made when they are asked for; every thousandth is no phone."""
    for i in range(count):
        yield {"phone": f"+49160{i:07}" if i % 1000 else "", "a": f"row {i}"}


async def test_every_one_of_many_is_accounted_for() -> None:
    async with connected() as rig:
        report = await rig.upload(lazily(MANY))
        assert report.requests == len(rig.sandbox.requests) == MANY // BATCH
        stored = {commit.phone: commit.phone_id for commit in rig.sandbox.commits}
    assert (report.submitted, report.invalid_count) == (MANY, MANY // 1000)
    assert report.created_count == len(rig.sandbox.commits) == len(stored) == MANY - MANY // 1000
    assert [result.index for result in report.invalid] == list(range(0, MANY, 1000))
    expected = (i for i in range(MANY) if i % 1000)
    for result, index in zip(report.created, expected, strict=True):
        assert result.index == index
        assert result.created is not None
        assert result.created.id == stored[f"+49160{index:07}"]


async def test_iterating_many_gives_each_once() -> None:
    async with connected() as rig:
        seen = bytearray(MANY)
        async for result in rig.upload(lazily(MANY), keep_created=False):
            seen[result.index] += 1
            assert (result.outcome is Outcome.CREATED) == (result.index % 1000 != 0)
    assert seen == b"\x01" * MANY
    assert len(rig.sandbox.commits) == MANY - MANY // 1000


class Forgetful:
    """A server that answers as the provider does and remembers nothing."""

    def __init__(self) -> None:
        self.phones = 0

    async def batch(self, request: web.Request) -> web.Response:
        rows = msgspec.json.decode(await request.read())
        members = [
            {"status": 201, "body": {"id": str(self.phones + i), "phone": row["phone"]}}
            for i, row in enumerate(rows)
        ]
        self.phones += len(rows)
        return web.Response(body=msgspec.json.encode({"hydra:member": members}), status=201)


async def peak(count: int) -> int:
    """Bytes at most that an upload of so many phones takes, the server's share included."""
    server = Forgetful()
    app = web.Application(client_max_size=0)
    app.router.add_post("/groups/1/phones/batch", server.batch)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Client(1, "key", base_url=url, rate=None) as client:
            gc.collect()
            tracemalloc.start()
            try:
                report = await client.phones.upload(
                    1,
                    ({"phone": f"+49160{i:07}"} for i in range(count)),
                    rate=None,
                    concurrency=4,
                    keep_created=False,
                )
                highest = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert report.created_count == server.phones == count
        return highest
    finally:
        await runner.cleanup()


async def test_memory_does_not_grow_with_the_list() -> None:
    few, many = await peak(20 * BATCH), await peak(MANY)
    assert many < 8_000_000
    assert many < few * 1.25


class Listed(list[Phone]):
    """A list that can be referred to weakly."""


@pytest.mark.parametrize("end", ["complete", "stopped", "cancelled"])
async def test_an_upload_that_has_ended_holds_no_source(end: str) -> None:
    """Nor does its report: both are looked at long after."""
    async with connected(latency=1.0) as rig:
        source = Listed(phones(500))
        held = weakref.ref(source)
        upload = rig.upload(source, batch_size=10).start()
        del source
        await asyncio.sleep(3.5)
        if end == "cancelled":
            upload.cancel()
        elif end == "stopped":
            await upload.stop()
        await upload
        assert held() is None
        assert upload.report.submitted == len(known(upload.report))
