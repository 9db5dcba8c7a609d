"""Several workers of a page send at one pace, where Redis is there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.integrations.redis_server import RedisServer
from tests.rig import numbers
from tests.web.serving import Server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from asyncsdk.testing import SandboxThread

RATE = 10
BATCHES = 15


async def test_two_applications_keep_one_rate(
    sandbox: SandboxThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer() as redis:
        monkeypatch.setenv("REDIS", redis.url)
        monkeypatch.setenv("RATE", str(RATE))
        small = {"batch_size": 10}
        with (
            Server(sandbox, tmp_path / "one", settings=small) as one,
            Server(sandbox, tmp_path / "other", settings=small) as other,
        ):
            async with one.visited() as ann, other.visited() as bea:
                lists = ["\n".join(numbers(10 * BATCHES)).encode() for _ in range(2)]
                groups = [sandbox.add_group(name) for name in ("one", "other")]
                before = time.monotonic()
                jobs = await asyncio.gather(
                    *(
                        visitor.started(content, group)
                        for visitor, content, group in zip((ann, bea), lists, groups, strict=True)
                    )
                )
                ended = [
                    await visitor.until(job["id"])
                    for visitor, job in zip((ann, bea), jobs, strict=True)
                ]
                took = time.monotonic() - before
    assert [job["progress"]["created"] for job in ended] == [10 * BATCHES] * 2
    batches = [request for request in sandbox.requests if request.path.endswith("/batch")]
    assert len(batches) == 2 * BATCHES
    # However slow the machine is: so many cannot have left in less time.
    assert took >= (2 * BATCHES - RATE) / RATE
