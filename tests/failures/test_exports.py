"""Exports that stall, end early, or list the group in another order than the server stored it."""

from __future__ import annotations

import asyncio
import csv
import io
import random
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from asyncsdk import OutcomeUnknownError, RetryPolicy, UploadStopped
from asyncsdk.sandbox import STYLES, Faults
from asyncsdk.sandbox.replies import Replies
from asyncsdk.sandbox.wreck import Raw, wrecked
from tests.relay import connected_by_relay
from tests.rig import assert_accounts, connected, numbers, phones

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay import Taken
    from tests.rig import Rig

TIMEOUT = 5.0
QUIET = 10.0


def is_export(request: web.Request) -> bool:
    return request.path.endswith("/file/csv")


# an export that stalls


def stalling(share: float) -> Taken:
    """So much of an export's body comes, then nothing any more; of 0 not even the head."""

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        if not is_export(request):
            return reply
        body = reply.body
        assert isinstance(body, bytes)
        part = web.StreamResponse(headers={"Content-Type": "text/csv"})
        if share:
            await part.prepare(request)
            await part.write(body[: int(len(body) * share)])
        await asyncio.get_running_loop().create_future()
        return part

    return taken


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
async def test_an_export_that_stalls_ends_in_about_the_timeout(share: float, attempts: int) -> None:
    faults = Faults.script(["reset-after"])
    client = {"timeout": TIMEOUT}
    async with connected_by_relay(stalling(share), faults=faults, client=client) as rig:
        source = phones(100)
        report = await rig.upload(
            source,
            batch_size=50,
            concurrency=1,
            on_unknown="reconcile",
            quiet_period=QUIET,
            retry=RetryPolicy(attempts=attempts, base=0.5),
        )
    assert report.unknown_count == 50
    assert "could not be read" in str(report.failed[0].error)
    exports = [r for r in rig.sandbox.requests if r.path.endswith("/file/csv")]
    assert 1 <= len(exports) <= attempts
    assert report.elapsed < QUIET * 2 + attempts * (TIMEOUT + 3.0)
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_before_the_first_batch_it_stops_the_upload_in_about_the_timeout(
    share: float,
) -> None:
    async with connected_by_relay(stalling(share), client={"timeout": TIMEOUT}) as rig:
        await rig.client.phones.create(rig.group_id, "+491601234567")
        upload = rig.upload(
            phones(10), on_unknown="reconcile", retry=RetryPolicy(attempts=2, base=0.5)
        )
        with pytest.raises(UploadStopped):
            await upload
    assert upload.report.elapsed < 2 * (TIMEOUT + 3.0)
    assert not [r for r in rig.sandbox.requests if r.path.endswith("/batch")]


async def test_an_export_that_trickles_is_read_to_its_end() -> None:
    """The timeout bounds the wait for each piece: a large group takes as long as it takes."""

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        if not is_export(request):
            return reply
        body = reply.body
        assert isinstance(body, bytes)
        part = web.StreamResponse(headers={"Content-Type": "text/csv"})
        await part.prepare(request)
        for begin in range(0, len(body), 200):
            await part.write(body[begin : begin + 200])
            await asyncio.sleep(TIMEOUT * 0.8)
        return part

    faults = Faults.script(["reset-after"])
    async with connected_by_relay(taken, faults=faults, client={"timeout": TIMEOUT}) as rig:
        source = phones(100)
        report = await rig.upload(source, on_unknown="reconcile", quiet_period=QUIET)
    assert report.ok
    assert report.elapsed > TIMEOUT * 5
    assert_accounts(report, rig.sandbox, source)


# an export in another order


def ordered(arranged: Callable[[list[list[str]]], list[list[str]]]) -> Taken:
    """The rows of an export in another order, below its heading."""

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        if not is_export(request):
            return reply
        assert isinstance(reply.body, bytes)
        heading, *rows = csv.reader(io.StringIO(reply.body.decode()))
        text = io.StringIO()
        csv.writer(text).writerows([heading, *arranged(rows)])
        return web.Response(text=text.getvalue(), content_type="text/csv")

    return taken


ORDERS: dict[str, Callable[[list[list[str]]], list[list[str]]]] = {
    "descending": lambda rows: rows[::-1],
    "shuffled": lambda rows: random.Random(5).sample(rows, len(rows)),
    "by number": lambda rows: sorted(rows, key=lambda row: row[1]),
    "by id as text": lambda rows: sorted(rows, key=lambda row: row[0]),
    "odd ones first": lambda rows: sorted(rows, key=lambda row: int(row[0]) % 2),
}


async def put_before(rig: Rig, count: int) -> set[int]:
    """Phones of the same numbers that the group has already; gives their ids."""
    for number in numbers(count):
        await rig.client.phones.create(rig.group_id, number)
    return {phone.id for phone in rig.sandbox.phones(rig.group_id)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", ["reset-before", "reset-after", "few", "item-500-after"])
async def test_old_phones_are_not_taken_for_the_uploads_own(fault: str, order: str) -> None:
    faults = Faults.script(["ok", fault, "ok", fault])
    async with connected_by_relay(ordered(ORDERS[order]), faults=faults) as rig:
        old = await put_before(rig, 60)
        report = await rig.upload(
            numbers(60), batch_size=15, concurrency=1, on_unknown="reconcile", quiet_period=QUIET
        )
        stored = {phone.id for phone in rig.sandbox.phones(rig.group_id)}
    assert report.created_count == 60
    assert len(stored) == 120
    claimed = [result.created.id for result in report.created if result.created]
    assert len(claimed) == len(set(claimed)) == 60
    assert set(claimed) == stored - old


@pytest.mark.parametrize("order", ORDERS)
async def test_what_the_server_answered_is_not_taken_twice(order: str) -> None:
    """The same number many times, some of them answered, some lost, some never arrived."""
    faults = Faults.script(["ok", "reset-after", "reset-before", "ok"])
    same = ["+491600000001"] * 40
    async with connected_by_relay(ordered(ORDERS[order]), faults=faults) as rig:
        old = await put_before(rig, 5)
        report = await rig.upload(
            same, batch_size=10, concurrency=1, on_unknown="reconcile", quiet_period=QUIET
        )
        stored = {phone.id for phone in rig.sandbox.phones(rig.group_id)}
    assert report.created_count == 40
    assert {r.created.id for r in report.created if r.created} == stored - old


# an export that is not whole, and does not say so

CUT_OFF = ["empty", "not-json", "truncate-nolength"]


@pytest.mark.parametrize("cut", CUT_OFF)
@pytest.mark.parametrize("lost", ["reset-before", "reset-after"])
async def test_what_is_missing_in_an_export_that_broke_off_is_not_sent_again(
    lost: str, cut: str
) -> None:
    script = ["ok", lost, "ok", "ok", cut]  # two looks at the count, then the export
    async with connected(faults=Faults.script(script, routes="all")) as rig:
        source = phones(20)
        report = await rig.upload(source, on_unknown="reconcile", quiet_period=QUIET)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("cut", CUT_OFF)
async def test_an_export_that_breaks_off_each_time_leaves_phones_unknown(cut: str) -> None:
    script = ["ok", "reset-after", "ok", "ok", cut, "ok", cut]
    async with connected(faults=Faults.script(script, routes="all")) as rig:
        source = phones(20)
        report = await rig.upload(
            source,
            on_unknown="reconcile",
            quiet_period=QUIET,
            retry=RetryPolicy(attempts=2, base=0.0),
        )
    assert report.unknown_count == 20
    assert "the export ended after" in str(report.failed[0].error)
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("cut", CUT_OFF)
async def test_a_first_look_that_breaks_off_takes_no_old_phone_for_a_new_one(cut: str) -> None:
    cuts = iter([cut])

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        fault = next(cuts, None) if is_export(request) else None
        return wrecked(fault, reply, Replies(STYLES["plain"], echo="as sent"))

    async with connected_by_relay(taken, faults=Faults.script(["reset-before"])) as rig:
        old = await put_before(rig, 30)
        report = await rig.upload(numbers(30), on_unknown="reconcile", quiet_period=QUIET)
        stored = {phone.id for phone in rig.sandbox.phones(rig.group_id)}
    assert {r.created.id for r in report.created if r.created} == stored - old
    assert len(stored) == 60


@pytest.mark.parametrize("cut", CUT_OFF)
async def test_a_number_that_a_broken_export_did_not_show_is_skipped_all_the_same(cut: str) -> None:
    faults = Faults.script([*["ok"] * 30, cut], routes="all")
    async with connected(faults=faults) as rig:
        await put_before(rig, 30)
        report = await rig.upload(numbers(31), existing="skip")
        stored = [phone.phone for phone in rig.sandbox.phones(rig.group_id)]
    assert report.skipped_count == 30
    assert sorted(stored) == numbers(31)


@pytest.mark.parametrize("cut", CUT_OFF)
async def test_an_export_that_broke_off_is_no_whole_one_for_others_either(cut: str) -> None:
    async with connected(faults=Faults.script([*["ok"] * 9, cut], routes="all")) as rig:
        await put_before(rig, 9)
        with pytest.raises(OutcomeUnknownError, match="read it again"):
            _ = [phone async for phone in rig.client.groups.export(rig.group_id)]
        assert len([phone async for phone in rig.client.groups.export(rig.group_id)]) == 9


async def test_an_export_without_a_length_is_read_where_it_is_whole() -> None:
    """And an empty one of a group that has no phones."""

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        if not is_export(request):
            return reply
        assert isinstance(reply.body, bytes)
        return Raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + reply.body, status=200)

    async with connected_by_relay(taken, faults=Faults.script(["reset-after"])) as rig:
        assert [phone async for phone in rig.client.groups.export(rig.group_id)] == []
        source = phones(20)
        report = await rig.upload(source, on_unknown="reconcile", quiet_period=QUIET)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)
