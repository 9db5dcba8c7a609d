"""Uploads of one client into one group: a reconcile takes no phone of another upload."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from asyncsdk import Outcome, OutcomeUnknownError, Phone, ServerError
from asyncsdk.sandbox import Faults
from tests.rig import connected, known, numbers

NUMBERS = numbers(200)


@pytest.mark.parametrize("keep_created", [True, False])
@pytest.mark.parametrize("other", ["report", "reconcile"])
async def test_the_same_numbers_from_two_uploads(other: str, keep_created: bool) -> None:  # noqa: FBT001
    """Those of the first get lost on the way; those of the second are stored meanwhile."""
    faults = Faults({"timeout-before": 1.0}, limit=4)
    async with connected(faults=faults, client={"timeout": 5.0}) as rig:
        await rig.client.me()
        options = {"batch_size": 50, "quiet_period": 20.0}
        first = rig.upload(NUMBERS, on_unknown="reconcile", concurrency=4, **options).start()
        await asyncio.sleep(1)  # its requests are under way, and will not be answered
        second = await rig.upload(NUMBERS, on_unknown=other, keep_created=keep_created, **options)
        report = await first
        assert second.created_count == 200
        assert report.created_count == 200
        assert len(rig.sandbox.commits) == 400
        assert set(Counter(commit.phone for commit in rig.sandbox.commits).values()) == {2}


async def test_ids_tell_whose_a_phone_is() -> None:
    faults = Faults({"timeout-before": 0.3, "timeout-after": 0.3}, seed=4, limit=4)
    async with connected(faults=faults, client={"timeout": 5.0}) as rig:
        options = {"on_unknown": "reconcile", "quiet_period": 10.0, "batch_size": 100}
        uploads = [rig.upload(NUMBERS[:100], **options).start() for _ in range(3)]
        reports = [await upload for upload in uploads]
        ids = [result.created.id for r in reports for result in r.created if result.created]
        assert len(ids) == len(set(ids)) == len(rig.sandbox.commits) == 300
        assert set(ids) == {commit.phone_id for commit in rig.sandbox.commits}


async def test_single_phones_are_not_claimed_either() -> None:
    async with connected(faults=Faults.script(["timeout-before"]), client={"timeout": 5.0}) as rig:
        upload = rig.upload(NUMBERS[:10], on_unknown="reconcile", quiet_period=20.0).start()
        await asyncio.sleep(1)
        one = await rig.client.phones.create(rig.group_id, NUMBERS[0])
        batch = await rig.client.phones.create_batch(rig.group_id, [Phone(NUMBERS[1])])
        report = await upload
        others = {one.id, *(member.created.id for member in batch.members if member.created)}
        mine = {r.created.id for r in known(report) if r.created is not None}
        assert {r.outcome for r in known(report)} == {Outcome.CREATED}
        assert not mine & others
        assert len(rig.sandbox.commits) == 12


async def test_a_late_answer_to_another_upload_is_waited_for() -> None:
    """Its phones are in the export before it is known whose they are."""
    async with connected(
        faults=Faults.script(["timeout-before", "late"], delay=40.0), client={"timeout": 100.0}
    ) as rig:
        options: dict[str, Any] = {"on_unknown": "reconcile", "quiet_period": 1.0}
        first = rig.upload(NUMBERS[:50], **options).start()
        await asyncio.sleep(0.5)
        second = rig.upload(NUMBERS[:50]).start()
        reports = [await first, await second]
        assert [report.created_count for report in reports] == [50, 50]
        assert len(rig.sandbox.commits) == 100


async def test_a_refusal_of_another_upload_answers_it_as_well() -> None:
    """It says that nothing was stored; that the other waits to go out again keeps nobody."""
    faults = Faults.script(["timeout-after", "503-after"], retry_after=500)
    async with connected(
        faults=faults, latency=lambda no: 40.0 if no == 4 else 0.0, client={"timeout": 100.0}
    ) as rig:
        await rig.client.me()
        loop = asyncio.get_running_loop()
        first = rig.upload(NUMBERS[:50], on_unknown="reconcile", quiet_period=1.0).start()
        await asyncio.sleep(80)
        second = rig.upload(NUMBERS[50:60]).start()
        began = loop.time()
        report = await first
        assert loop.time() - began == pytest.approx(40, abs=1)
        assert report.created_count == 50
        assert (await second).created_count == 10


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("answer", ["slow", "timeout-after", "500-after"])
async def test_a_late_answer_to_single_phones_is_waited_for(answer: str, alone: bool) -> None:  # noqa: FBT001
    """What it names is theirs; where none comes, nobody was told of them."""
    script = ["ok", "reset-before", "ok", answer]
    faults = Faults.script(script, routes="all", delay=50.0)
    async with connected(faults=faults) as rig:
        number, phones = NUMBERS[0], rig.client.phones
        upload = rig.upload([number], on_unknown="reconcile", quiet_period=10.0).start()
        await asyncio.sleep(3)
        told = 0
        with suppress(OutcomeUnknownError, ServerError):
            if alone:
                await phones.create(rig.group_id, number)
            else:
                await phones.create_batch(rig.group_id, [number])
            told = 1
        report = await upload
    assert report.ok
    assert told == (answer == "slow")
    assert len(rig.sandbox.commits) == 1 + told
