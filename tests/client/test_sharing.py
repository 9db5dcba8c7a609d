"""What may share a client: tasks of one loop, a borrowed session, uploads in the background."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
from typing import Any

import aiohttp
import pytest

from asyncsdk import AuthenticationError, Client, ConfigurationError, UploadStopped
from asyncsdk.sandbox import Faults
from tests.client.provider import connections, serving
from tests.leaping import LeapingLoop
from tests.rig import Rig, assert_accounts, client_of, connected, phones


def test_use_from_another_event_loop_is_refused() -> None:
    with (
        asyncio.Runner(loop_factory=LeapingLoop) as one,
        asyncio.Runner(loop_factory=LeapingLoop) as other,
    ):
        context = connected()
        rig = one.run(context.__aenter__())
        one.run(rig.client.me())
        upload = rig.client.phones.upload(rig.group_id, phones(1))
        for call in (rig.client.me, upload._wait):
            with pytest.raises(ConfigurationError, match="another event loop"):
                other.run(call())
        assert len(rig.sandbox.requests) == 1
        one.run(rig.client.me())
        one.run(context.__aexit__(None, None, None))


def test_it_may_be_made_where_no_loop_runs() -> None:
    client = Client("1", "key")
    asyncio.run(client.aclose())


async def test_tasks_share_one_pool() -> None:
    async with connected(latency=0.1) as rig:
        await rig.client.me()

        async def work() -> None:
            for _ in range(5):
                await rig.client.me()

        await asyncio.gather(*(work() for _ in range(10)))
        assert len(rig.sandbox.requests) == 51
        assert connections(rig.sandbox) <= 10


async def test_uploads_share_it_too_and_none_waits_for_a_connection() -> None:
    async with connected(latency=1.0, client={"connections": 150}) as rig:
        await rig.client.me()
        loop = asyncio.get_running_loop()
        began = loop.time()
        uploads = [rig.upload(phones(150), batch_size=1, concurrency=50) for _ in range(3)]
        reports = await asyncio.gather(*uploads)
        assert loop.time() - began == pytest.approx(3.0, abs=0.2)
        assert all(report.ok for report in reports)
        assert connections(rig.sandbox) == 150


# a borrowed session


async def test_a_borrowed_session_is_used_and_not_closed(rig: Rig) -> None:
    async with aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
        async with client_of(rig.sandbox, session=session) as client:
            assert (await client.phones.upload(rig.group_id, phones(5))).ok
        assert client.closed
        assert not session.closed
        async with client_of(rig.sandbox, session=session) as client:
            await client.me()
        assert connections(rig.sandbox) == 1


async def _raise(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        msg = "refused"
        raise ValueError(msg)


@pytest.mark.parametrize("how", [True, _raise])
async def test_what_a_borrowed_session_raises_for_a_status_is_not_asked(how: Any) -> None:
    refusals = ["429", "413", "422-whole", "503-after", "400-whole"]
    async with (
        connected(faults=Faults.script(refusals)) as rig,
        aiohttp.ClientSession(raise_for_status=how) as session,
        client_of(rig.sandbox, session=session) as client,
    ):
        report = await client.phones.upload(rig.group_id, phones(50), batch_size=10, rate=None)
        assert report.ok
        assert_accounts(report, rig.sandbox, phones(50))


@pytest.mark.parametrize("how", [True, _raise])
async def test_a_wrong_key_costs_one_request_in_any_borrowed_session(rig: Rig, how: Any) -> None:
    async with (
        aiohttp.ClientSession(raise_for_status=how) as session,
        client_of(rig.sandbox, session=session, api_key="wrong") as client,
    ):
        with pytest.raises(UploadStopped, match="401"):
            await client.phones.upload(rig.group_id, phones(50), batch_size=5, rate=None)
        with pytest.raises(AuthenticationError):
            await client.me()
        with pytest.raises(AuthenticationError):
            _ = [phone async for phone in client.groups.export(rig.group_id)]
        assert len(rig.sandbox.requests) == 1


@pytest.mark.parametrize(
    "header", ["Expect", "content-encoding", "Content-Length", "TRANSFER-ENCODING"]
)
async def test_a_session_that_changes_every_body_is_refused(rig: Rig, header: str) -> None:
    """Of `Expect` a request waits for ever where the server does not know it."""
    async with aiohttp.ClientSession(headers={header: "100-continue"}) as session:
        with pytest.raises(ConfigurationError, match=f"{header} among the headers"):
            client_of(rig.sandbox, session=session)


async def test_bodies_are_json_whatever_a_session_says_of_its_own() -> None:
    async with serving(body=[]) as provider:
        for given in (
            {"headers": {"Content-Type": "text/csv"}},
            {"skip_auto_headers": ["Content-Type"]},
        ):
            async with (
                aiohttp.ClientSession(**given) as session,
                provider.client(session=session) as client,
            ):
                await client.phones.create_batch(7, ["1"])
        assert [asked.headers["Content-Type"] for asked in provider.asked] == [
            "application/json"
        ] * 2


async def test_a_packed_reply_is_unpacked_in_any_borrowed_session() -> None:
    packed = gzip.compress(json.dumps({"id": 7, "currency": "EUR"}).encode())
    async with (
        serving(body=packed, headers={"Content-Encoding": "gzip"}) as provider,
        aiohttp.ClientSession(auto_decompress=False) as session,
        provider.client(session=session) as client,
    ):
        assert (await client.me()).id == 7


async def test_a_client_with_a_borrowed_session_need_not_be_closed(rig: Rig) -> None:
    async with aiohttp.ClientSession() as session:
        client = client_of(rig.sandbox, session=session)
        await client.me()
        del client
        gc.collect()
        assert not session.closed


async def test_a_borrowed_session_that_is_closed_is_refused(rig: Rig) -> None:
    session = aiohttp.ClientSession()
    await session.close()
    async with aiohttp.ClientSession() as open_one:
        client = client_of(rig.sandbox, session=session)
        with pytest.raises(ConfigurationError, match="session given to this client is closed"):
            await client.me()
        assert not open_one.closed


async def test_the_limit_of_a_borrowed_pool_is_respected() -> None:
    """However slow the server is: waiting for a connection is no part of a request's time."""
    async with (
        connected(latency=4.0) as rig,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session,
        client_of(rig.sandbox, session=session, timeout=5.0, connect_timeout=1.0) as client,
    ):
        upload = client.phones.upload(
            rig.group_id, phones(100), batch_size=5, concurrency=16, rate=None
        ).start()
        await asyncio.sleep(10)
        assert upload.progress.concurrency == 2
        assert connections(rig.sandbox) == 2
        report = await upload
        assert report.ok
        assert report.retries == 0


async def test_two_uploads_in_one_small_pool() -> None:
    async with (
        connected(latency=4.0) as rig,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session,
        client_of(rig.sandbox, session=session, timeout=5.0, connect_timeout=1.0) as client,
    ):
        reports = await asyncio.gather(
            *(
                client.phones.upload(rig.group_id, phones(50), batch_size=5, rate=None)
                for _ in range(3)
            )
        )
        assert [report.created_count for report in reports] == [50] * 3
        assert connections(rig.sandbox) == 2


async def test_the_clients_end_ends_uploads_in_the_background() -> None:
    async with connected(latency=lambda no: 0.0 if no == 1 else 50.0) as rig:
        async with client_of(rig.sandbox) as client:
            uploads = [client.phones.upload(rig.group_id, phones(50)).start() for _ in range(3)]
            await asyncio.sleep(5)
        for upload in uploads:
            report = await upload
            assert report.submitted == 50 == report.created_count + report.unknown_count
        assert [upload.report.complete for upload in uploads].count(False) == 2
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
