"""Row 10: what no other request can get past stops the upload, and a bad key costs one request."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from asyncsdk import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    Delivery,
    InsufficientFundsError,
    NotFoundError,
    Outcome,
    ProtocolError,
    Rate,
    UploadStopped,
)
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, client_of, connected, numbers, phones

if TYPE_CHECKING:
    from asyncsdk import Client
    from tests.rig import Rig

KINDS = {
    "401": AuthenticationError,
    "402": InsufficientFundsError,
    "403": AccountInactiveError,
    "404": NotFoundError,
}


async def stopped(upload: object) -> UploadStopped:
    """The error that an upload ends with."""
    with pytest.raises(UploadStopped) as caught:
        await upload  # type: ignore[misc]
    return caught.value


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("name", KINDS)
async def test_it_stops_at_once_with_everything_read_accounted_for(
    name: str, concurrency: int
) -> None:
    faults = Faults.script(["ok", "ok", name, *[name] * 10])
    async with connected(faults=faults, latency=1.0) as rig:
        source = phones(500)
        error = await stopped(rig.upload(source, batch_size=10, concurrency=concurrency))
    report = error.report
    assert type(error.cause) is KINDS[name]
    assert isinstance(error.cause, ApiError)
    assert error.cause.status == int(name)
    assert error.cause.request_id
    assert str(error.cause) in str(error)
    assert not report.complete
    assert report.stopped_by == "error"
    assert report.submitted < 500
    assert report.unknown_count == 0
    assert len(rig.sandbox.requests) <= 2 + concurrency
    assert_accounts(report, rig.sandbox, source)


async def test_what_was_refused_and_what_was_never_sent_are_told_apart() -> None:
    async with connected(faults=Faults.script(["ok", "402"])) as rig:
        source = phones(100)
        report = (await stopped(rig.upload(source, batch_size=10, concurrency=4))).report
    answered = [r for r in report.failed if r.delivery is Delivery.ANSWERED]
    left = [r for r in report.failed if r.delivery is Delivery.NOT_SENT]
    assert len(answered) + len(left) == report.failed_count
    assert {(r.status, r.attempts) for r in answered} == {(402, 1)}
    assert {(r.status, r.attempts) for r in left} <= {(None, 0)}
    assert all(r.request_id for r in answered)


async def test_the_rest_of_the_source_is_unread_and_can_go_on_from_there() -> None:
    async with connected(faults=Faults.script(["ok", "402"])) as rig:
        source = iter(phones(100))
        first = (await stopped(rig.upload(source, batch_size=10, concurrency=1))).report
        assert first.submitted == 20
        rest = await rig.upload(source, batch_size=10)
        again = await rig.upload([result.phone for result in first.failed])
    both = first + rest + again
    assert rest.created[0].phone == phones(100)[20]
    assert both.created_count == 100
    assert sorted(rig.stored) == sorted(numbers(100))


async def test_a_group_that_is_not_there(rig: Rig) -> None:
    error = await stopped(rig.client.phones.upload(999, phones(100), batch_size=10))
    assert isinstance(error.cause, NotFoundError)
    assert error.report.created_count == 0
    assert len(rig.sandbox.requests) == 1
    assert (await rig.upload(phones(5))).ok  # the client is none the worse for it


async def test_a_redirect_is_not_followed() -> None:
    async with connected(faults=Faults.script(["ok", "301"])) as rig:
        source = phones(100)
        error = await stopped(rig.upload(source, batch_size=10, concurrency=1))
    assert isinstance(error.cause, ProtocolError)
    assert error.cause.status == 301
    assert len(rig.sandbox.requests) == 2
    assert_accounts(error.report, rig.sandbox, source)


# a wrong key


async def at_once(client: Client, group_id: int, uploads: int) -> list[UploadStopped]:
    """What ends so many uploads that begin together."""
    return await asyncio.gather(
        *(
            stopped(client.phones.upload(group_id, numbers(5000), batch_size=10, concurrency=64))
            for _ in range(uploads)
        )
    )


@pytest.mark.parametrize("latency", [0.0, 3.0])
async def test_a_wrong_key_costs_one_request(latency: float) -> None:
    async with connected(latency=latency) as rig, client_of(rig.sandbox, api_key="no") as client:
        errors = await at_once(client, rig.group_id, 5)
        assert len(rig.sandbox.requests) == 1
        for error in errors:
            assert isinstance(error.cause, AuthenticationError)
            assert "Client ID or API key" in str(error.cause)
            assert error.report.submitted == error.report.failed_count
            assert error.report.unknown_count == 0
            assert not error.report.complete
        await at_once(client, rig.group_id, 2)
        with pytest.raises(AuthenticationError):
            await client.me()
        with pytest.raises(AuthenticationError):
            await client.phones.create_batch(rig.group_id, numbers(1))
        with pytest.raises(AuthenticationError):
            [phone async for phone in client.groups.export(rig.group_id)]
        assert len(rig.sandbox.requests) == 1
        assert not rig.sandbox.commits


async def test_new_credentials_heal_the_client() -> None:
    async with connected() as rig, client_of(rig.sandbox, api_key="wrong") as client:
        await at_once(client, rig.group_id, 5)
        client.set_credentials(rig.sandbox.client_id, "wrong-again")
        await at_once(client, rig.group_id, 5)
        assert len(rig.sandbox.requests) == 2
        client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
        source = phones(50)
        report = await client.phones.upload(rig.group_id, source, batch_size=10, rate=None)
        assert report.ok
        assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("streams", [False, True], ids=["request", "stream"])
async def test_a_late_401_says_nothing_of_newer_credentials(streams: bool) -> None:  # noqa: FBT001
    async with (
        connected(latency=lambda no: 5.0 if no == 1 else 0.0) as rig,
        client_of(rig.sandbox, api_key="wrong") as client,
    ):

        async def use_the_wrong_key() -> None:
            if streams:
                [phone async for phone in client.groups.export(rig.group_id)]
            else:
                await client.me()

        task = asyncio.create_task(use_the_wrong_key())
        await asyncio.sleep(1)
        client.set_credentials(rig.sandbox.client_id, rig.sandbox.api_key)
        with pytest.raises(AuthenticationError):
            await task
        assert (await client.phones.upload(rig.group_id, numbers(5))).ok


async def test_a_late_answer_proves_nothing_of_newer_credentials() -> None:
    async with connected(latency=5.0) as rig:
        task = asyncio.create_task(rig.client.me())
        await asyncio.sleep(1)
        rig.client.set_credentials(rig.sandbox.client_id, "wrong")
        await task
        await at_once(rig.client, rig.group_id, 3)
        assert len(rig.sandbox.requests) == 2


async def test_a_key_that_is_revoked_in_the_middle_is_not_used_again() -> None:
    async with connected(faults=Faults.script(["ok"] * 3 + ["401"] * 50), latency=1.0) as rig:
        errors = await asyncio.gather(
            *(stopped(rig.upload(phones(500), batch_size=10, concurrency=2)) for _ in range(3))
        )
        seen = len(rig.sandbox.requests)
        assert seen <= 1 + 6 + 6
        with pytest.raises(AuthenticationError):
            await rig.client.me()
        assert len(rig.sandbox.requests) == seen
    assert {type(error.cause) for error in errors} == {AuthenticationError}


async def test_until_the_key_is_proven_one_batch_alone_is_in_flight() -> None:
    async with connected(latency=1.0) as rig:
        reports = await asyncio.gather(
            *(rig.upload(phones(100), batch_size=10, concurrency=16) for _ in range(3))
        )
        assert all(report.ok for report in reports)
    first, *others = rig.arrivals
    assert min(others) - first >= 1.0
    assert sum(at - first < 1.5 for at in others) == 29


@pytest.mark.parametrize("refusal", ["429", "503", "500", "413"])
async def test_what_a_proxy_may_say_proves_nothing(refusal: str) -> None:
    faults = Faults.script([refusal] * 2)
    async with connected(faults=faults, latency=1.0) as rig:
        await rig.upload(phones(100), batch_size=10, concurrency=8)
    first, second, third, *_ = rig.arrivals
    assert second - first >= 1.0
    assert third - second >= 1.0


async def test_a_key_that_a_cancelled_upload_was_proving_is_proven_by_the_next() -> None:
    waits = count(1)
    async with connected(latency=lambda _: 100.0 if next(waits) == 1 else 0.0) as rig:
        one = rig.upload(phones(10)).start()
        other = rig.upload(phones(10)).start()
        await asyncio.sleep(1)
        assert len(rig.sandbox.requests) == 1
        one.cancel()
        report = await other
        assert report.ok
        assert {result.outcome for result in one.report.results()} == {Outcome.FAILED}
        assert one.report.unknown_count == 10


async def test_what_waits_for_its_turn_does_not_use_a_key_that_was_refused_meanwhile() -> None:
    async with connected(faults=Faults.script(["ok", "401"], routes="all")) as rig:
        upload = rig.upload(phones(30), batch_size=10, rate=Rate(1, per=100.0)).start()
        await asyncio.sleep(50)
        with pytest.raises(AuthenticationError):
            await rig.client.me()
        error = await stopped(upload)
        assert isinstance(error.cause, AuthenticationError)
        assert (error.report.created_count, error.report.failed_count) == (10, 20)
        assert {(r.delivery, r.attempts) for r in error.report.failed} == {(Delivery.NOT_SENT, 0)}
        assert error.report.requests == 1
        assert len(rig.sandbox.requests) == 2
