"""Redis is restarted, away, slow, or has lost what it knew: nobody leaves without a permit."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING

import pytest

from asyncsdk import AsyncSDKError, Delivery, UploadStopped
from asyncsdk.errors import ConfigurationError, PaceError
from asyncsdk.integrations.redis import SharedPace
from tests.effort import effort
from tests.integrations.redis_server import PASSWORD, RedisServer
from tests.integrations.rig import fleet, shared
from tests.integrations.test_shared_pace import RATE, assert_within
from tests.rig import assert_accounts, client_of, numbers, phones

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS = effort(3, 16)


def keep_data(redis: RedisServer) -> None:
    redis.kill()
    redis.start()


def lose_data(redis: RedisServer) -> None:
    redis.kill()
    redis.forget()
    redis.start()


def lose_some(redis: RedisServer) -> None:
    """As when another takes its place that had not got the last yet."""
    redis.kill()
    redis.cut_back()
    redis.start()


def flush_scripts(redis: RedisServer) -> None:
    redis.ask("SCRIPT FLUSH SYNC")


def flush_all(redis: RedisServer) -> None:
    redis.ask("FLUSHALL")


def drop_clients(redis: RedisServer) -> None:
    redis.ask("CLIENT KILL TYPE normal SKIPME yes")


HAPPENS = (keep_data, lose_data, lose_some, flush_scripts, flush_all, drop_clients)


@pytest.mark.parametrize("happen", HAPPENS, ids=lambda happen: happen.__name__)
async def test_what_happens_to_redis_reaches_no_user_and_lets_nobody_exceed_the_rate(
    redis: RedisServer, happen: Callable[[RedisServer], None]
) -> None:
    async with fleet(redis, CLIENTS, pace={"rate": RATE}, latency=0.01) as rig:
        uploads = [
            client.phones.upload(rig.group, phones(100), batch_size=1).start()
            for client in rig.clients
        ]
        for _ in range(3):
            await asyncio.sleep(2.03)
            happen(redis)
        reports = await asyncio.gather(*uploads)
    assert all(report.ok for report in reports)
    assert_within(RATE, rig.arrivals)
    assert len(rig.arrivals) == 100 * len(reports)


async def test_a_pause_outlives_a_restart(redis: RedisServer) -> None:
    async with fleet(redis, 2, pace={"rate": RATE}) as rig:
        await rig.clients[0].me()
        now = asyncio.get_running_loop().time()
        rig.paces[0].gate.close(5.0, now, "HTTP 429")
        await asyncio.sleep(1)
        keep_data(redis)
        await rig.clients[1].me()
        assert asyncio.get_running_loop().time() - now >= 5.0


async def test_a_refused_key_stays_refused_after_a_restart(redis: RedisServer) -> None:
    async with fleet(redis, 2, client={"api_key": "no"}) as rig:
        with pytest.raises(AsyncSDKError):
            await rig.clients[0].me()
        keep_data(redis)
        with pytest.raises(AsyncSDKError, match="another client was refused"):
            await rig.clients[1].me()
        assert len(rig.sandbox.requests) == 1


async def test_ten_seconds_without_redis_are_a_pause_that_says_why(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "asyncsdk")
    async with fleet(redis, CLIENTS, pace={"rate": RATE}, latency=0.01) as rig:
        uploads = [
            client.phones.upload(rig.group, phones(60), batch_size=1).start()
            for client in rig.clients
        ]
        await asyncio.sleep(2)
        redis.kill()
        gone = asyncio.get_running_loop().time()
        await asyncio.sleep(10)
        for upload in uploads:
            assert upload.progress.paused > 0
            assert "Redis" in upload.progress.paused_by
            assert "does not answer" in str(upload.progress)
            assert not upload.done
        redis.start()
        back = asyncio.get_running_loop().time()
        reports = await asyncio.gather(*uploads)
    assert all(report.ok for report in reports)
    assert [at for at in rig.arrivals if gone + 0.1 < at < back] == []
    assert_within(RATE, rig.arrivals)
    said = [record.getMessage() for record in caplog.records if "Redis" in record.getMessage()]
    assert len(said) <= 2 * CLIENTS  # it is away, it is back
    assert PASSWORD not in caplog.text


async def test_beyond_the_patience_the_upload_stops_and_nothing_of_it_is_in_doubt(
    redis: RedisServer,
) -> None:
    async with fleet(redis, 1, pace={"rate": RATE, "patience": 5.0}, latency=0.01) as rig:
        source = phones(100)
        upload = rig.clients[0].phones.upload(rig.group, source, batch_size=1).start()
        await asyncio.sleep(1)
        redis.kill()
        began = asyncio.get_running_loop().time()
        with pytest.raises(UploadStopped, match="does not answer") as stopped:
            await upload
        assert 5 <= asyncio.get_running_loop().time() - began < 12
        assert isinstance(stopped.value.cause, PaceError)
        assert_accounts(stopped.value.report, rig.sandbox, source)
        assert {result.delivery for result in stopped.value.report.failed} == {Delivery.NOT_SENT}
        with pytest.raises(PaceError):
            await rig.paces[0].state()
        redis.start()
        assert (await rig.clients[0].phones.upload(rig.group, numbers(3))).ok


async def test_with_workers_each_goes_on_with_its_share(redis: RedisServer) -> None:
    options = {"rate": RATE, "patience": 2.0, "workers": CLIENTS}
    async with fleet(redis, CLIENTS, pace=options, latency=0.01) as rig:
        uploads = [
            client.phones.upload(rig.group, phones(150), batch_size=1).start()
            for client in rig.clients
        ]
        await asyncio.sleep(2)
        redis.kill()
        gone = asyncio.get_running_loop().time()
        await asyncio.sleep(8)
        redis.start()
        back = asyncio.get_running_loop().time()
        reports = await asyncio.gather(*uploads)
    assert all(report.ok for report in reports)
    assert [at for at in rig.arrivals if gone + 0.1 < at < gone + 1.9] == []
    without = [at for at in rig.arrivals if gone + 4 < at < back]
    assert len(without) > 0.7 * RATE.requests * (back - gone - 4)
    assert_within(RATE, rig.arrivals)


@pytest.mark.parametrize("why", ["a key that nobody has proved", "a fence"])
async def test_even_with_workers_nobody_goes_on_with(redis: RedisServer, why: str) -> None:
    options = {"rate": RATE, "patience": 2.0, "workers": 4}
    async with fleet(redis, 1, pace=options) as rig:
        pace = rig.paces[0].fenced("p", 1) if why == "a fence" else rig.paces[0]
        async with client_of(rig.sandbox, pace=pace) as client:
            if why == "a fence":
                await client.me()
            made = len(rig.sandbox.requests)
            redis.kill()
            with pytest.raises(PaceError):
                await client.me()
            assert len(rig.sandbox.requests) == made


async def test_a_redis_that_does_not_answer_in_time_is_away(redis: RedisServer) -> None:
    """Its process stands still: connections are taken, and nothing comes."""
    async with fleet(redis, 1) as rig:
        pace = SharedPace(redis.url, rate=RATE, patience=3.0, timeout=0.5)
        async with client_of(rig.sandbox, pace=pace) as client:
            os.kill(redis.pid, signal.SIGSTOP)
            try:
                with pytest.raises(PaceError, match="does not answer"):
                    await client.me()
            finally:
                os.kill(redis.pid, signal.SIGCONT)
        assert not rig.sandbox.requests


async def test_a_redis_that_is_too_far_for_its_margin_says_what_to_do(redis: RedisServer) -> None:
    async with fleet(redis, 1) as rig:
        pace = shared(redis, rate=RATE, patience=3.0)
        ask = pace._server.ask

        async def slow(question: str, **about: object) -> object:
            answer = await ask(question, **about)
            await asyncio.sleep(0.08)
            return answer

        pace._server.ask = slow  # type: ignore[method-assign,assignment]
        async with client_of(rig.sandbox, pace=pace) as client:
            with pytest.raises(PaceError, match="margin"):
                await client.me()
        assert not rig.sandbox.requests
        pace = shared(redis, rate=RATE, patience=3.0, margin=0.2)
        ask = pace._server.ask
        pace._server.ask = slow  # type: ignore[method-assign,assignment]
        async with client_of(rig.sandbox, pace=pace) as client:
            await client.me()


@pytest.mark.parametrize("password", ["wrong-secret", ""])
async def test_a_wrong_password_of_redis_is_said_at_once_and_not_shown(
    redis: RedisServer, password: str
) -> None:
    pace = SharedPace(f"unix://:{password}@{redis.path}")
    with pytest.raises(ConfigurationError, match="password") as refused:
        await pace.state()
    assert "wrong-secret" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
    await pace.aclose()
