"""Attempts multiply nowhere: what a policy allows is what a server sees."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from asyncsdk import NotSentError, Rate, RetryPolicy, UploadStopped
from asyncsdk.sandbox import Faults
from tests.relay import connected_by_relay
from tests.rig import connected, phones

if TYPE_CHECKING:
    from aiohttp import web


@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("status", [429, 500, 503, 504])
@pytest.mark.parametrize("what", ["count", "export"])
async def test_a_group_that_cannot_be_read(what: str, status: int, attempts: int) -> None:
    """Before the first batch, by a reconcile that has to know what is there."""
    reads: Counter[str] = Counter()

    async def refuse(request: web.Request, reply: web.Response) -> web.StreamResponse:
        kind = "export" if request.path.endswith("csv") else "count"
        if request.method == "GET":
            reads[kind] += 1
            if kind == what:
                reply.set_status(status)
                reply.body = b""
        return reply

    async with connected_by_relay(refuse) as rig:
        await rig.client.phones.create(rig.group_id, "+49301234567")
        policy = RetryPolicy(attempts=attempts, base=0.01)
        with pytest.raises(UploadStopped):
            await rig.upload(phones(10), on_unknown="reconcile", retry=policy)
    assert reads[what] == attempts


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("status", ["503", "429", "500", "504"])
async def test_a_batch_that_is_refused(status: str, attempts: int) -> None:
    async with connected(faults=Faults({status: 1.0})) as rig:
        policy = RetryPolicy(attempts=attempts, base=0.01)
        report = await rig.upload(phones(10), on_unknown="resend", retry=policy)
        assert len(rig.sandbox.requests) == report.requests == attempts
    assert {result.attempts for result in report.failed} == {attempts}


async def test_a_single_operation_where_nobody_listens() -> None:
    async with connected() as rig:
        await rig.sandbox.stop()
        with pytest.raises(NotSentError):
            await rig.client.me()


@pytest.mark.parametrize("why", ["429", "503-after", "no server"])
async def test_what_others_have_waited_before_is_nothing_to_who_comes_later(why: str) -> None:
    """An upload stops once it has waited too long itself, not because another one did."""
    policy = RetryPolicy(attempts=1000, max_wait=20.0)
    async with connected() as rig:
        await rig.client.me()
        if why == "no server":
            await rig.sandbox.stop()
        else:
            rig.sandbox.faults._script = [why] * 1000
        for _ in range(3):
            upload = rig.upload(phones(10), retry=policy)
            with pytest.raises(UploadStopped):
                await upload
            assert 20.0 <= upload.report.elapsed <= 20.0 + 2 * policy.cap + 2.0
            assert upload.report.requests >= 2
            await asyncio.sleep(1000)


LOST = ["reset-head", "reset-before", "reset-after"]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_read_whose_connection_is_lost_is_one_request(attempts: int, lost: str) -> None:
    """On a connection that was used before, too, where an HTTP client may send it once more."""
    faults = Faults.script(["ok", *[lost] * 9], routes="all")
    async with connected(faults=faults) as rig:
        await rig.client.me()
        policy = RetryPolicy(attempts=attempts, base=0.01)
        with pytest.raises(UploadStopped):
            await rig.upload(phones(10), on_unknown="reconcile", retry=policy)
        assert len(rig.sandbox.requests) == 1 + attempts


@pytest.mark.parametrize("lost", LOST)
async def test_no_lost_request_is_sent_again_above_the_rate(lost: str) -> None:
    faults = Faults({lost: 0.5}, seed=3, routes="all", limit=20)
    async with connected(faults=faults, client={"rate": Rate(1, per=1.0)}) as rig:
        groups, group = rig.client.groups, rig.group_id
        for _ in range(10):
            await groups.update(group, name="other")
            await groups.get(group)
            _ = [found async for found in groups.list()]
        arrivals = rig.arrivals
    assert len(arrivals) > 35
    assert min(later - earlier for earlier, later in pairwise(arrivals)) >= 1.0
