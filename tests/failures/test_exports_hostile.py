"""Exports that no honest server writes: what is unknown stays so, and nothing is taken or sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from asyncsdk import Delivery
from asyncsdk.sandbox import Faults
from tests.relay import connected_by_relay
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay import Taken

QUIET = 10.0


def rewritten(change: Callable[[str], str]) -> Taken:
    """Exports go through this."""

    async def taken(request: web.Request, reply: web.Response) -> web.StreamResponse:
        if not request.path.endswith("/file/csv"):
            return reply
        assert isinstance(reply.body, bytes)
        return web.Response(text=change(reply.body.decode()), content_type="text/csv")

    return taken


IDS = ["9" * 5_000, str(2**63), "", "-1", "1.5", "x", "\N{ARABIC-INDIC DIGIT ONE}"]


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_a_phone_without_an_id_may_have_been_there_before(fault: str, id_: str) -> None:
    """It is neither taken for the upload's own nor sent once more."""

    def add(export: str) -> str:
        return f"{export}{id_},{numbers(1)[0]},,,,,,\r\n"

    async with connected_by_relay(rewritten(add), faults=Faults.script([fault])) as rig:
        report = await rig.upload(numbers(5), on_unknown="reconcile", quiet_period=QUIET)
    if fault == "reset-after":  # there it is with an id as well
        assert report.created_count == 5
    else:
        assert report.created_count == 4
        assert [result.index for result in report.failed] == [0]
        assert report.failed[0].delivery is Delivery.UNKNOWN
        assert "an id that says nothing" in str(report.failed[0].error)
    assert len(rig.sandbox.commits) == report.created_count


async def test_a_field_that_is_too_long_costs_no_other_row() -> None:
    def widen(export: str) -> str:
        return f"{export}7,+4917012345678,{'x' * 200_000},,,,,\r\n"

    faults = Faults.script(["ok", "reset-after"])
    async with connected_by_relay(rewritten(widen), faults=faults) as rig:
        source = numbers(40)
        report = await rig.upload(source, on_unknown="reconcile", batch_size=20, concurrency=1)
        found = [phone async for phone in rig.client.groups.export(rig.group_id)]
    assert report.ok
    assert len(rig.sandbox.commits) == 40
    assert len(found) == 41
    assert found[-1].id == 7


async def test_more_copies_than_anybody_sent_leave_it_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asyncsdk.upload.recovery.reconcile._MOST", 100)

    def copy(export: str) -> str:
        return export + "".join(f"{i},{numbers(1)[0]},,,,,,\r\n" for i in range(9_000, 9_200))

    async with connected_by_relay(rewritten(copy), faults=Faults.script(["reset-after"])) as rig:
        report = await rig.upload(numbers(5), on_unknown="reconcile", quiet_period=QUIET)
    assert report.unknown_count == 5
    assert "could not be read" in str(report.failed[0].error)


async def test_others_run_while_a_large_export_is_read_and_matched() -> None:
    """A round of the loop for every few hundred rows, also where the whole export is there."""
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    def grow(export: str) -> str:
        return export + "".join(
            f"{i},{number},,,,,,\r\n" for i, number in enumerate(numbers(20_000), 1)
        )

    async with connected_by_relay(rewritten(grow), faults=Faults.script([])) as rig:
        task = asyncio.create_task(count())
        found = [phone async for phone in rig.client.groups.export(rig.group_id)]
        task.cancel()
    assert len(found) == 20_000
    assert rounds > 50
