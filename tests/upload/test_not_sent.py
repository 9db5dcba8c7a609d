"""What never left is sent again: rows 1 and 2 of the table of failures."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from asyncsdk import Delivery, NotSentError, RetryPolicy, UploadStopped
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, client_of, connected, phones

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult


async def test_a_server_that_is_down_for_a_while() -> None:
    async with connected() as rig:
        source = phones(30)
        await rig.sandbox.stop()
        upload = rig.upload(source, batch_size=10, retry=RetryPolicy(attempts=50, base=1.0)).start()
        await asyncio.sleep(60)
        assert upload.progress.created == 0
        await rig.sandbox.start()
        report = await upload
    assert report.ok
    assert report.retries > 0
    assert max(result.attempts for result in report.created) > 3
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_server_that_stays_down_ends_the_upload_in_the_end(attempts: int) -> None:
    async with connected() as rig:
        await rig.sandbox.stop()
        policy = RetryPolicy(attempts=attempts, max_wait=60.0)
        upload = rig.upload(phones(30), batch_size=10, retry=policy)
        with pytest.raises(UploadStopped) as stopped:
            await upload
    report = stopped.value.report
    assert isinstance(stopped.value.cause, NotSentError)
    assert not report.complete
    assert (report.failed_count, report.unknown_count) == (30, 0)
    assert {r.delivery for r in report.failed} == {Delivery.NOT_SENT}
    assert {r.status for r in report.failed} == {None}
    assert 60.0 < report.elapsed < 100.0


class DeafResolver(AbstractResolver):
    """Names that are found at the second or third time of asking."""

    def __init__(self, failures: int, port: int) -> None:
        self.failures = failures
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if self.failures:
            self.failures -= 1
            msg = f"{host} is not known"
            raise OSError(msg)
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": self.port or port,
                "family": family or socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        pass


async def test_names_that_cannot_be_resolved_for_a_while() -> None:
    async with connected(hosts=["gateway.test"]) as rig:
        resolver = DeafResolver(2, rig.sandbox.port)
        source = phones(10)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session,
            client_of(rig.sandbox, session=session, base_url="http://gateway.test") as client,
        ):
            report = await client.phones.upload(rig.group_id, source)
    assert report.ok
    assert report.retries == 2
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("hangs", [False, True], ids=["closed", "silent"])
async def test_a_tls_handshake_that_fails(hangs: bool) -> None:  # noqa: FBT001
    met: list[asyncio.StreamWriter] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)
        if hangs:
            await reader.read()  # until the client has had enough
        writer.close()

    async with connected() as rig:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, client_of(rig.sandbox, base_url=url, connect_timeout=3.0) as client:
            policy = RetryPolicy(attempts=3, base=0.0, max_wait=8.0)
            with pytest.raises(UploadStopped) as stopped:
                await client.phones.upload(rig.group_id, phones(10), retry=policy)
    report = stopped.value.report
    assert len(met) >= 3
    assert {r.delivery for r in report.failed} == {Delivery.NOT_SENT}
    assert report.failed_count == 10
    assert 8.0 < report.elapsed < 14.0
    if hangs:
        assert "no connection within 3 s" in str(stopped.value.cause)


async def test_a_connection_that_was_closed_before_the_request_could_be_written() -> None:
    """A kept-alive one: it is sent again at once, at no cost."""
    async with connected() as rig:
        drops = 3

        async def drop(*_: object) -> None:
            nonlocal drops
            if drops:
                drops -= 1
                await rig.sandbox.drop_connections()
                await asyncio.sleep(1.0)

        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(drop)
        source = phones(60)
        async with (
            aiohttp.ClientSession(trace_configs=[trace]) as session,
            client_of(rig.sandbox, session=session) as client,
        ):
            report = await client.phones.upload(
                rig.group_id, source, batch_size=10, concurrency=1, rate=None
            )
    assert drops == 0
    assert report.ok
    assert report.retries == 3
    assert report.elapsed < 3.5
    assert_accounts(report, rig.sandbox, source)


async def test_no_retries_where_none_are_wanted() -> None:
    async with connected(faults=Faults({"503": 1.0})) as rig:
        report = await rig.upload(phones(5), retry=RetryPolicy(attempts=1))
    assert {r.attempts for r in report.failed} == {1}
    assert report.retries == 0
