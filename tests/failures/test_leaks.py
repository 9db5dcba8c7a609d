"""A process that cancels uploads all day does not grow."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import suppress
from pathlib import Path
from random import Random

from asyncsdk import Client
from tests.effort import effort
from tests.failures.raw import answer, read_request, serving
from tests.rig import numbers

UPLOADS = effort(400, 1000)


def sockets() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that remembers nothing."""
    while True:
        numbers = await read_request(reader)
        await asyncio.sleep(0.3)
        writer.write(answer(numbers))


async def cancel_some(client: Client, count: int, random: Random) -> None:
    for _ in range(count):
        upload = client.phones.upload(1, numbers(200), batch_size=20, concurrency=4, rate=None)
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.0, 2.0)):
                if random.random() < 0.5:
                    await upload
                else:
                    async for _result in upload:
                        pass
        report = upload.report
        assert report.submitted == report.created_count + report.failed_count
    await asyncio.sleep(5.0)
    gc.collect()


async def test_a_thousand_uploads_cancelled_at_random_moments() -> None:
    random = Random(7)
    async with serving(slow) as url, Client(1, "key", base_url=url, rate=None) as client:
        await cancel_some(client, 50, random)
        tasks, files = len(asyncio.all_tasks()), sockets()
        tracemalloc.start()
        await cancel_some(client, UPLOADS // 2, random)
        before, _ = tracemalloc.get_traced_memory()
        await cancel_some(client, UPLOADS // 2, random)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(asyncio.all_tasks()) <= tasks + 8
        assert sockets() <= files + 16
    # Bytes per upload: one that stayed would be five thousand; others of this process cache, too.
    assert (after - before) / (UPLOADS // 2) < 1000
