"""What a reconcile of one partition leaves to the others, which go on meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from asyncsdk import Delivery, Outcome, RetryPolicy, UploadReport, UploadStopped, fleet
from asyncsdk.fleet import neighbours
from asyncsdk.lease import Lease
from asyncsdk.sandbox import Faults
from tests.effort import effort
from tests.fleet.judging import assert_judged
from tests.rig import client_of, connected, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from asyncsdk import Client
    from asyncsdk.fleet import Manifest
    from tests.rig import Rig

SAME = "+491600000001"


@frozen
class Fleet:
    """Partitions, and a client for each of them: as if each were in a process of its own."""

    rig: Rig
    manifest: Manifest
    clients: Sequence[Client]

    async def run(self, index: int) -> UploadReport:
        """Run a partition in its process."""
        return await fleet.run(self.manifest, index, client=self.clients[index])

    @property
    def report(self) -> UploadReport:
        """That of all."""
        return UploadReport.open_all(self.manifest.state)


@asynccontextmanager
async def partitions(
    state: Path,
    lists: Sequence[Sequence[str]],
    *,
    plan: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Fleet]:
    """A partition of each list; `options` are those of the sandbox."""
    async with connected(**options) as rig, AsyncExitStack() as stack:
        paths = [state.with_name(f"{index}.csv") for index in range(len(lists))]
        for path, phones in zip(paths, lists, strict=True):
            path.write_text("phone\n" + "\n".join(phones) + "\n")
        manifest = await fleet.plan(paths, rig.group_id, state, **(plan or {}))
        clients = [
            await stack.enter_async_context(client_of(rig.sandbox, timeout=5.0)) for _ in lists
        ]
        yield Fleet(rig, manifest, clients)


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_the_phone_of_another_partition_is_not_its_own(fault: str, state: Path) -> None:
    faults = Faults.script(["ok", fault])
    async with partitions(state, [[SAME], [SAME]], faults=faults) as it:
        await it.run(1)
        report = await it.run(0)
        assert report.created_count == 1
        assert it.rig.stored == [SAME, SAME]
        assert_judged(it.report, it.rig.sandbox)


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_a_phone_that_was_there_before_is_nobodys(fault: str, state: Path) -> None:
    faults = Faults.script(["ok", fault])
    async with partitions(state, [[SAME], [SAME]], faults=faults) as it:
        it.rig.sandbox.hold(it.rig.group_id, [SAME])
        await it.run(1)
        assert (await it.run(0)).created_count == 1
        assert it.rig.stored == [SAME, SAME]
        assert_judged(it.report, it.rig.sandbox)


async def test_what_the_group_held_is_read_once_for_all(state: Path) -> None:
    lists = [numbers(9)[index::3] for index in range(3)]
    async with partitions(state, lists) as it:
        it.rig.sandbox.hold(it.rig.group_id, [SAME])
        await asyncio.gather(*map(it.run, range(3)))
        reads = [r.path for r in it.rig.sandbox.requests if r.method == "GET"]
        assert len(reads) == 2, reads  # its count, and its export
        assert it.report.created_count == 9


async def test_it_comes_to_its_end_although_others_go_on(state: Path) -> None:
    """The group never stands still; the numbers that are looked for do."""
    async with partitions(
        state, [numbers(10), [SAME]], faults=Faults.script(["reset-after"])
    ) as it:
        run = asyncio.create_task(it.run(0))
        count = 0
        while not run.done():
            count += 1
            await it.clients[1].phones.create(it.rig.group_id, f"+49170{count:07}")
            await asyncio.sleep(7.0)
        report = await run
        assert report.created_count == 10
        assert report.elapsed < 100
        assert len(it.rig.sandbox.commits) == 10 + count


@pytest.mark.parametrize(
    "faults", [("reset-after", "reset-before"), ("reset-after", "reset-after")]
)
async def test_a_number_in_doubt_in_two_partitions_stays_unknown(
    faults: tuple[str, str], state: Path
) -> None:
    async with partitions(state, [[SAME], [SAME]], faults=Faults.script(faults)) as it:
        reports = await asyncio.gather(it.run(0), it.run(1))
        assert [report.unknown_count for report in reports] == [1, 1]
        assert "another partition" in str(reports[0].failed[0].error)
        assert len(it.rig.stored) == sum(fault == "reset-after" for fault in faults)


async def test_a_number_in_doubt_in_two_partitions_that_is_not_there_is_sent(state: Path) -> None:
    faults = Faults.script(["reset-before", "reset-before"])
    async with partitions(state, [[SAME], [SAME]], faults=faults) as it:
        await asyncio.gather(it.run(0), it.run(1))
        assert it.report.created_count == 2
        assert it.rig.stored == [SAME, SAME]


async def test_a_slow_answer_of_another_is_waited_for(state: Path) -> None:
    """Partition 1 gets its answer after partition 0 has looked for the first time."""
    latency = iter([0.0, 0.0, 0.0, 4.0])
    async with partitions(
        state,
        [[SAME], [SAME]],
        plan={"quiet_period": 2.0},
        faults=Faults.script(["reset-after"]),
        latency=lambda _: next(latency, 0.0),
    ) as it:
        first = asyncio.create_task(it.run(0))
        await asyncio.sleep(0.5)
        await asyncio.gather(first, it.run(1))
        assert it.report.created_count == 2
        assert_judged(it.report, it.rig.sandbox)


async def test_without_what_the_group_held_nothing_is_sent(state: Path) -> None:
    async with partitions(state, [[SAME], numbers(3)]) as it:
        await it.run(0)
        (state / "group.ids").unlink()
        with pytest.raises(UploadStopped, match=r"group\.ids is gone"):
            await it.run(1)
        assert it.rig.stored == [SAME]


async def test_what_another_notes_between_two_looks_is_not_lost(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It notes what the group holds, sends, and lets go of its lease before that is taken here."""
    looked, aside = neighbours._noted, state.with_name("aside")

    def noted(path: Path) -> Any:
        found = looked(path)
        if aside.exists():
            aside.rename(path)
        return found

    async with partitions(state, [[SAME], numbers(3)]) as it:
        await it.run(1)
        (state / "group.ids").rename(aside)
        monkeypatch.setattr(neighbours, "_noted", noted)
        assert (await it.run(0)).ok
        assert it.report.ok
        assert sorted(it.rig.stored) == sorted([SAME, *numbers(3)])


@pytest.mark.parametrize("seed", range(effort(8, 100)))
async def test_whatever_is_lost_nothing_is_stored_twice_or_called_created_when_it_is_not(
    seed: int, state: Path
) -> None:
    faults = Faults({"reset-after": 0.2, "reset-before": 0.2, "no-echo": 0.05}, seed=seed)
    lists = [numbers(12)[index : index + 7] * 2 for index in range(4)]
    plan = {"batch_size": 3, "concurrency": 2, "retry": RetryPolicy(10), "quiet_period": 2.0}
    async with partitions(state, lists, plan=plan, faults=faults, latency=0.3) as it:
        await asyncio.gather(*map(it.run, range(4)))
        report = it.report
        assert report.complete
        assert report.submitted == it.manifest.rows
        assert all(r.delivery is Delivery.UNKNOWN for r in report.failed)
        assert not list(report.results(Outcome.INVALID))
        assert_judged(it.report, it.rig.sandbox)


async def test_whoever_reads_the_group_and_stands_still_keeps_nobody_waiting_for_ever(
    state: Path,
) -> None:
    async with partitions(state, [numbers(3)]) as it:
        lease = Lease.take(state / "group.lock")
        assert lease is not None
        try:
            report = await it.run(0)
        finally:
            lease.release()
        assert report.created_count == 3
        assert it.rig.arrivals[0] > 1050
