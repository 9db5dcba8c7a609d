"""What a reconcile takes for its own, and what it leaves alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Outcome, Phone, RetryPolicy
from asyncsdk.progress import Lookup, Phase
from asyncsdk.sandbox import Faults
from tests.rig import connected, numbers, phones

if TYPE_CHECKING:
    from tests.rig import Rig

LOSING = ("reset-before", "reset-after")


async def put_before(rig: Rig, wanted: list[str]) -> None:
    """Phones that are in the group before the upload: no batch, so no fault meets them."""
    for number in wanted:
        await rig.client.phones.create(rig.group_id, number)


@pytest.mark.parametrize("fault", LOSING)
async def test_phones_that_were_there_before_are_not_its_own(fault: str) -> None:
    async with connected(faults=Faults.script([fault])) as rig:
        await put_before(rig, numbers(10))
        report = await rig.upload(numbers(10), on_unknown="reconcile")
        stored = [phone.id for phone in rig.sandbox.phones(rig.group_id)]
    assert report.created_count == 10
    assert len(stored) == 20
    assert [result.created.id for result in report.created if result.created] == stored[10:]


@pytest.mark.parametrize("fault", LOSING)
async def test_copies_are_counted_one_by_one(fault: str) -> None:
    same = ["+491600000001"] * 6
    async with connected(faults=Faults.script(["ok", fault])) as rig:
        report = await rig.upload(same, batch_size=3, concurrency=1, on_unknown="reconcile")
        stored = [phone.id for phone in rig.sandbox.phones(rig.group_id)]
    assert report.created_count == 6
    assert len(stored) == 6
    assert {r.created.id for r in report.created if r.created} == set(stored)


async def test_one_of_two_copies_that_is_there_leaves_one_to_send() -> None:
    same = ["+491600000001"] * 2
    async with connected(faults=Faults.script(["item-500-after", "ok"])) as rig:
        report = await rig.upload(same, on_unknown="reconcile")
    assert report.created_count == 2
    assert len(rig.sandbox.commits) == 2


@pytest.mark.parametrize("fault", LOSING)
async def test_a_number_that_the_server_spells_otherwise_is_found(fault: str) -> None:
    spelled = ["0049 160 0000001", "+49 (160) 000-0002", "49160/0000003"]
    async with connected(faults=Faults.script([fault]), echo="normalized") as rig:
        report = await rig.upload(spelled, on_unknown="reconcile")
    assert report.created_count == 3
    assert len(rig.sandbox.commits) == 3


async def test_ids_that_the_server_did_not_tell_are_not_taken_twice() -> None:
    same = ["+491600000001"] * 2
    async with connected(faults=Faults.script(["no-echo", "reset-before"])) as rig:
        report = await rig.upload(same, batch_size=1, concurrency=1, on_unknown="reconcile")
    assert report.created_count == 2
    assert len(rig.sandbox.commits) == 2


async def test_it_waits_until_the_group_is_quiet() -> None:
    faults = Faults.script(["late"], delay=25.0)
    async with connected(faults=faults, client={"timeout": 1.0}) as rig:
        report = await rig.upload(phones(10), on_unknown="reconcile", quiet_period=30.0)
    assert report.created_count == 10
    assert len(rig.sandbox.commits) == 10
    assert report.elapsed >= 30


async def test_a_group_that_never_comes_to_rest_leaves_its_phones_unknown() -> None:
    async with connected(faults=Faults.script(["reset-after"])) as rig:
        upload = rig.upload(
            phones(10),
            on_unknown="reconcile",
            retry=RetryPolicy(max_wait=100.0),
            on_progress=None,
        ).start()
        count = 0
        while upload.progress.elapsed < 400 and not upload.report.unknown_count:
            count += 1
            await rig.client.phones.create(rig.group_id, f"+49170{count:07}")
            await asyncio.sleep(7.0)
        report = await upload
    assert report.unknown_count == 10
    assert "did not come to rest" in str(report.failed[0].error)


async def test_an_export_that_cannot_be_read_leaves_its_phones_unknown() -> None:
    faults = Faults.script(["ok", "reset-after", *["500"] * 50], routes="all")
    async with connected(faults=faults) as rig:
        report = await rig.upload(phones(10), on_unknown="reconcile")
    assert report.unknown_count == 10
    assert "could not be read" in str(report.failed[0].error)


async def test_a_group_that_cannot_be_read_first_is_not_uploaded_into() -> None:
    async with connected() as rig:
        with pytest.raises(Exception, match="Resource not found") as caught:
            await rig.client.phones.upload(999, phones(10), on_unknown="reconcile")
    assert caught.value.report.submitted == 0  # type: ignore[attr-defined]
    assert [request.method for request in rig.sandbox.requests] == ["GET"]


async def test_what_it_costs() -> None:
    """An empty group: one look at its count. Unknown phones: two counts, one export."""
    async with connected(faults=Faults.script(["ok", "reset-after"])) as rig:
        await rig.upload(phones(20), batch_size=10, concurrency=1, on_unknown="reconcile")
    asked = [f"{r.method} {r.path.rpartition('/')[2]}" for r in rig.sandbox.requests]
    group = f"GET {rig.group_id}"
    assert asked == [group, "POST batch", "POST batch", group, group, "GET csv"]


async def test_attempts_are_bounded_and_what_is_missing_is_known_not_to_be_there() -> None:
    async with connected(faults=Faults({"reset-before": 1.0})) as rig:
        report = await rig.upload(
            phones(5), on_unknown="reconcile", retry=RetryPolicy(attempts=3, base=0.1)
        )
    assert report.failed_count == 5
    assert report.unknown_count == 0
    assert {result.outcome for result in report.failed} == {Outcome.FAILED}
    assert len([r for r in rig.sandbox.requests if r.method == "POST"]) == 3


async def test_callback_data_tells_copies_apart() -> None:
    same = [Phone("+491600000001", callback_data=str(i)) for i in range(4)]
    async with connected(faults=Faults.script(["item-500-after"])) as rig:
        report = await rig.upload(same, on_unknown="reconcile")
    stored = {commit.callback_data: commit.phone_id for commit in rig.sandbox.commits}
    assert len(rig.sandbox.commits) == 4
    for result in report.created:
        assert result.created is not None
        assert stored[result.phone.callback_data] == result.created.id


@pytest.mark.parametrize("spelled", ["+491600000001", "0049 160 0000001", "0160 0000001"])
@pytest.mark.parametrize("column", ["a", "e", "callback_data"])
async def test_any_column_tells_copies_apart_however_they_are_spelled(
    column: str, spelled: str
) -> None:
    source = [Phone(spelled, **{column: str(i)}) for i in range(6)]
    async with connected(
        faults=Faults.script(["reset-before", "reset-after", "reset-before"]), echo="normalized"
    ) as rig:
        report = await rig.upload(source, batch_size=2, concurrency=1, on_unknown="reconcile")
        stored = {phone.id: phone for phone in rig.sandbox.phones(rig.group_id)}
    assert report.ok
    assert sorted(getattr(phone, column) for phone in stored.values()) == list("012345")
    for result in report.created:
        assert result.created is not None
        assert getattr(stored[result.created.id or 0], column) == getattr(result.phone, column)


async def test_progress_says_what_a_reconcile_does() -> None:
    async with connected(faults=Faults.script(["500-after"])) as rig:
        upload = rig.upload(numbers(10), on_unknown="reconcile", quiet_period=30.0).start()
        await asyncio.sleep(10)
        waiting = upload.progress
        await upload
        ended = upload.progress
    assert (waiting.phase, waiting.lookup) == (Phase.WAITING_QUIET, Lookup(sought=10))
    assert (ended.phase, ended.lookup) == (Phase.ENDED, Lookup(sought=10, found=10))


async def test_a_phone_with_another_callback_is_another_rows() -> None:
    """The number alone does not make it this row: what an earlier run left may have it, too."""
    async with connected(faults=Faults({"timeout-before": 1.0}, limit=1)) as rig:
        upload = rig.upload(
            [Phone("+491600000001", callback_data="mine")], on_unknown="reconcile", quiet_period=10
        ).start()
        await asyncio.sleep(30)  # the request is at the server, which will not answer
        await rig.client.phones.create(rig.group_id, Phone("+491600000001", callback_data="other"))
        report = await upload
        assert report.created_count == 1
        assert sorted(commit.callback_data or "" for commit in rig.sandbox.commits) == [
            "mine",
            "other",
        ]
