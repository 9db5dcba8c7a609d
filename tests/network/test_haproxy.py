"""The law of accounts behind a real HAProxy: short timeouts, reloads, an upstream that is away.

HAProxy has a clock of its own, so these run in real time, with limits of fractions of a second.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import RetryPolicy
from asyncsdk.sandbox import Sandbox
from tests.network.process import Program, free_port
from tests.parts import command
from tests.rig import Rig, assert_accounts, client_at, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from asyncsdk import Phone

SOURCE = phones(1000)

QUICK = RetryPolicy(attempts=15, base=0.02, cap=0.2)

_CONFIG = """
global
    hard-stop-after 200ms
defaults
    mode http
    retries 0
    timeout connect 200ms
    timeout client 300ms
    timeout server 300ms
    timeout http-request 300ms
    timeout http-keep-alive {keep_alive}
    timeout queue 20ms
frontend all
    bind 127.0.0.1:{port}
    {frontend}
    default_backend sandbox
backend sandbox
    server one 127.0.0.1:{upstream} {server}
"""


@asynccontextmanager
async def behind_haproxy(
    home: Path,
    *,
    keep_alive: str = "300ms",
    frontend: str = "",
    server: str = "",
    **box: Any,
) -> AsyncIterator[tuple[Rig, Program]]:
    """A sandbox behind a HAProxy with these lines in its configuration."""
    program, port = command("haproxy"), free_port()
    async with Sandbox(**box) as sandbox:
        config = home / "haproxy.cfg"
        config.write_text(
            _CONFIG.format(
                port=port,
                upstream=sandbox.port,
                keep_alive=keep_alive,
                frontend=frontend,
                server=server,
            )
        )
        good = {"client_id": sandbox.client_id, "api_key": sandbox.api_key}
        async with (
            Program(program, "-W", "-db", "-f", str(config), port=port) as proxy,
            client_at(f"http://127.0.0.1:{port}", timeout=10.0, **good) as client,
        ):
            yield Rig(sandbox, client, sandbox.add_group("people")), proxy


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def paced(rows: list[Phone], pause: float = 0.05) -> AsyncIterator[Phone]:
    """Rows with a pause now and then, long enough for an idle connection to be closed."""
    for i, row in enumerate(rows):
        if i % 50 == 49:
            await asyncio.sleep(pause)
        yield row


@pytest.mark.parametrize("keep_alive", ["1ms", "20ms", "60ms"])
@pytest.mark.parametrize("pause", [0.02, 0.06])
def test_idle_connections_that_it_closes(tmp_path: Path, keep_alive: str, pause: float) -> None:
    async def scenario() -> None:
        async with behind_haproxy(tmp_path, keep_alive=keep_alive) as (rig, _):
            report = await rig.upload(
                paced(SOURCE, pause),
                batch_size=10,
                concurrency=3,
                on_unknown="reconcile",
                quiet_period=0.3,
                retry=QUICK,
            )
            assert report.ok, report.failed[0].error
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())


@pytest.mark.parametrize("on_unknown", ["report", "reconcile"])
def test_a_server_that_is_slower_than_its_timeout(tmp_path: Path, on_unknown: str) -> None:
    """It gives up with 504 while its server goes on and stores the batch."""

    async def scenario() -> None:
        box: dict[str, Any] = {"latency": lambda no: 0.7 if no % 7 == 5 else 0.0}
        async with behind_haproxy(tmp_path, **box) as (rig, _):
            report = await rig.upload(
                SOURCE[:300],
                batch_size=10,
                on_unknown=on_unknown,
                quiet_period=1.5,
                retry=QUICK,
            )
            await asyncio.sleep(1.0)
            assert_accounts(report, rig.sandbox, SOURCE)
            assert bool(report.unknown_count) is (on_unknown == "report")

    run(scenario())


@pytest.mark.parametrize("how", ["memory", "journal"])
def test_reloads_in_the_middle(tmp_path: Path, how: str) -> None:
    """Each takes the connections away 200 ms later, whatever travels on them."""

    async def scenario() -> None:
        box: dict[str, Any] = {"latency": lambda no: 0.25 if no % 5 == 3 else 0.01}
        async with behind_haproxy(tmp_path, **box) as (rig, proxy):
            upload = rig.upload(
                paced(SOURCE),
                batch_size=10,
                on_unknown="reconcile",
                quiet_period=0.5,
                retry=QUICK,
                journal=tmp_path / "upload.journal" if how == "journal" else None,
            ).start()
            for part in (100, 300, 600):
                while upload.progress.created < part:  # noqa: ASYNC110 - real time, real proxy
                    await asyncio.sleep(0.01)
                proxy.signal(signal.SIGUSR2)
            report = await upload
            assert report.ok, report.failed[0].error
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())


@pytest.mark.parametrize("dies", ["upstream", "proxy"])
def test_one_that_dies_and_comes_back(tmp_path: Path, dies: str) -> None:
    async def scenario() -> None:
        async with behind_haproxy(tmp_path) as (rig, proxy):
            upload = rig.upload(
                paced(SOURCE),
                batch_size=10,
                on_unknown="reconcile",
                quiet_period=0.5,
                retry=QUICK,
            ).start()
            while upload.progress.created < 200:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)
            server = proxy if dies == "proxy" else rig.sandbox
            await server.stop()
            await asyncio.sleep(0.5)
            await server.start()
            report = await upload
            assert report.ok, report.failed[0].error
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())


LIMITS = {
    "429": """stick-table type ip size 1k expire 10s store http_req_rate(1s)
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 30 }""",
    "503": "http-request deny deny_status 503 if { rand(100) lt 20 }",
    "408": "http-request deny deny_status 408 if { rand(100) lt 10 }",
    "413": "http-request deny deny_status 413 if { req.body_size gt 800 }",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_requests_that_it_refuses(tmp_path: Path, limit: str) -> None:
    async def scenario() -> None:
        async with behind_haproxy(tmp_path, frontend=LIMITS[limit]) as (rig, _):
            report = await rig.upload(SOURCE[:600], batch_size=30, retry=QUICK)
            assert report.ok, report.failed[0].error
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())


def test_a_queue_that_is_full(tmp_path: Path) -> None:
    """One request at a time goes through; those that wait 20 ms are answered 503."""

    async def scenario() -> None:
        async with behind_haproxy(tmp_path, server="maxconn 1", latency=0.03) as (rig, _):
            report = await rig.upload(SOURCE[:200], batch_size=10, concurrency=8, retry=QUICK)
            assert report.ok, report.failed[0].error
            assert report.retries
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())
