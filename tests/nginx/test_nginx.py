"""The law of accounts behind a real proxy that limits, refuses, times out and loses its upstream.

nginx has a clock of its own, so these run in real time, with limits of fractions of a second.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, RetryPolicy
from asyncsdk.sandbox import Sandbox
from tests.nginx.proxy import nginx
from tests.rig import Rig, assert_accounts, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

POLICY = RetryPolicy(attempts=60, base=0.05)


@asynccontextmanager
async def behind_nginx(
    home: Path, *, box: dict[str, Any] | None = None, **config: str
) -> AsyncIterator[Rig]:
    sandbox = Sandbox(**(box or {}))
    group = sandbox.add_group("people")
    async with (
        sandbox,
        nginx(home, sandbox.port, **config) as url,
        Client(sandbox.client_id, sandbox.api_key, base_url=url, timeout=10.0, rate=None) as client,
    ):
        yield Rig(sandbox, client, group)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@pytest.mark.parametrize("status", [429, 503])
def test_limit_req(tmp_path: Path, status: int) -> None:
    async def scenario() -> None:
        limit = f"limit_req zone=all burst=2 nodelay; limit_req_status {status};"
        async with behind_nginx(tmp_path, server=limit) as rig:
            source = phones(400)
            report = await rig.upload(source, batch_size=10, retry=POLICY)
            assert report.ok
            assert report.retries
            assert_accounts(report, rig.sandbox, source)

    run(scenario())


def test_client_max_body_size(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with behind_nginx(tmp_path, server="client_max_body_size 4k;") as rig:
            source = phones(1000)
            report = await rig.upload(source, batch_size=500)
            assert report.ok
            assert max(rig.batches, key=lambda size: size or 0) <= 125  # type: ignore[operator]
            assert_accounts(report, rig.sandbox, source)

    run(scenario())


@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
def test_proxy_read_timeout(tmp_path: Path, on_unknown: str) -> None:
    """The proxy gives up with 504 while its server goes on and stores the batch."""

    async def scenario() -> None:
        box = {"latency": lambda no: 0.8 if no % 5 == 4 else 0.0}
        timeout = "proxy_read_timeout 300ms;"
        async with behind_nginx(tmp_path, box=box, location=timeout) as rig:
            source = phones(200)
            report = await rig.upload(
                source, batch_size=10, on_unknown=on_unknown, quiet_period=1.5, retry=POLICY
            )
            await asyncio.sleep(1.0)
            assert_accounts(report, rig.sandbox, source)
            assert report.unknown_count == 0 if on_unknown == "reconcile" else report.unknown_count

    run(scenario())


def test_short_keepalive_timeout(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with behind_nginx(tmp_path, server="keepalive_timeout 20ms;") as rig:
            source = phones(600)
            report = await rig.upload(paced(source), batch_size=10, concurrency=2)
            assert report.ok
            assert_accounts(report, rig.sandbox, source)

    run(scenario())


def test_an_upstream_that_is_restarted_in_the_middle(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with behind_nginx(tmp_path) as rig:
            source = phones(600)
            upload = rig.upload(
                paced(source),
                batch_size=10,
                on_unknown="reconcile",
                quiet_period=0.5,
                retry=POLICY,
            ).start()
            while upload.progress.created < 100:  # noqa: ASYNC110 - real time, real server
                await asyncio.sleep(0.01)
            await rig.sandbox.stop()
            await asyncio.sleep(0.2)
            await rig.sandbox.start()
            report = await upload
            assert_accounts(report, rig.sandbox, source)
            assert report.ok

    run(scenario())


async def paced(source: list[Any]) -> AsyncIterator[Any]:
    """Rows with a pause now and then, long enough for an idle connection to be closed."""
    for i, phone in enumerate(source):
        if i % 100 == 99:
            await asyncio.sleep(0.05)
        yield phone
