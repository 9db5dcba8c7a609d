"""An upload on uvloop, where a user has installed it."""

from __future__ import annotations

import asyncio

import pytest

from asyncsdk import Adaptive
from tests.rig import assert_accounts, connected, phones

uvloop = pytest.importorskip("uvloop")


@pytest.mark.parametrize("concurrency", [4, Adaptive(1, 8)], ids=["fixed", "adaptive"])
def test_an_upload_runs_on_uvloop(concurrency: int | Adaptive) -> None:
    source = phones(2000)

    async def scenario() -> None:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        async with connected() as rig:
            report = await rig.upload(source, batch_size=50, concurrency=concurrency)
            assert report.ok
            assert report.created_count == len(source)
            assert_accounts(report, rig.sandbox, source)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
