"""Runs of partitions on one host: any number of them, one after the other and at once."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from asyncsdk import ConfigurationError, RetryPolicy, UploadReport, UploadStopped, fleet
from asyncsdk.errors import JournalError, JournalInUseError
from asyncsdk.results import StoppedBy
from asyncsdk.sandbox import Faults
from tests.rig import client_of, connected, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from asyncsdk import Progress
    from asyncsdk.fleet import Manifest
    from tests.rig import Rig


@frozen
class Planned:
    """A planned upload of 90 phones in three partitions, and where it goes."""

    rig: Rig
    manifest: Manifest

    async def run(self, index: int, **options: Any) -> UploadReport:
        """Run a partition with the client of the rig."""
        return await fleet.run(self.manifest, index, **{"client": self.rig.client, **options})

    @property
    def report(self) -> UploadReport:
        """The merged report."""
        return UploadReport.open_all(self.manifest.state)


@asynccontextmanager
async def planned(
    state: Path, *, plan: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Planned]:
    """A plan; `options` are those of `connected`."""
    path = state.with_name("list.csv")
    path.write_text("phone\n" + "\n".join(numbers(90)) + "\n")
    async with connected(**options) as rig:
        wanted = {"partition_rows": 30, "batch_size": 10, **(plan or {})}
        yield Planned(rig, await fleet.plan(path, rig.group_id, state, **wanted))


async def test_each_partition_is_uploaded_and_the_report_is_that_of_all(state: Path) -> None:
    async with planned(state) as it:
        assert not it.report.complete
        assert it.report.submitted == 0
        for index in (2, 0, 1):
            report = await it.run(index)
            assert report.created_count == 30
        assert it.report.ok
        assert it.report.created_count == 90
        assert it.report.group_id == it.rig.group_id
        assert [r.phone.phone for r in it.report.created] == numbers(90)
        assert [r.index for r in it.report.created] == list(range(90))
        assert sorted(it.rig.stored) == numbers(90)


async def test_a_complete_partition_is_not_run_again(state: Path) -> None:
    async with planned(state) as it:
        first = await it.run(1)
        before = len(it.rig.sandbox.requests)
        state.with_name("list.csv").unlink()
        assert await it.run(1) == first
        assert len(it.rig.sandbox.requests) == before
        assert not it.report.complete
        assert it.report.created_count == 30


async def test_runs_at_once_upload_once(state: Path) -> None:
    async with planned(state, latency=0.5) as it, client_of(it.rig.sandbox) as other:
        runs = [it.run(0, client=each) for each in (it.rig.client, other, it.rig.client)]
        reports = await asyncio.gather(*runs)
        assert [report.created_count for report in reports] == [30] * 3
        assert len(it.rig.stored) == 30


async def test_who_does_not_wait_is_told(state: Path) -> None:
    async with planned(state, latency=5.0) as it:
        first = asyncio.create_task(it.run(0))
        await asyncio.sleep(1)
        assert it.report.stopped_by is StoppedBy.RUNNING
        with pytest.raises(JournalInUseError, match="another run"):
            await it.run(0, wait=False)
        await it.run(1, wait=False)
        assert (await first).created_count == 30


async def test_a_cancelled_run_is_gone_on_with(state: Path) -> None:
    async with planned(state, latency=1.0, plan={"concurrency": 1}) as it:
        first = asyncio.create_task(it.run(0))
        await asyncio.sleep(1.5)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await it.run(0)).created_count == 30
        assert len(it.rig.stored) == 30


async def test_a_run_that_was_killed_while_it_sent_again_what_had_failed_is_gone_on_with(
    state: Path,
) -> None:
    plan = {"partition_rows": None, "batch_size": 30, "concurrency": 1, "quiet_period": 0.1}
    patient = RetryPolicy(attempts=1)
    faults = Faults({"503": 1.0}, limit=3)
    options: dict[str, Any] = {"plan": {**plan, "retry": patient}, "faults": faults}
    async with planned(state, **options, latency=1.0) as it:
        first = await it.run(0)
        assert (first.complete, first.failed_count) == (True, 90)
        again = asyncio.create_task(it.run(0))
        while not it.rig.sandbox.commits:
            await asyncio.sleep(0.1)
        left = state.with_name("left")  # what a kill would leave
        shutil.copytree(state, left)
        again.cancel()
        await asyncio.wait({again})
        assert not UploadReport.open_all(left).complete
        with pytest.raises(ConfigurationError, match="--all' goes on"):
            fleet.to_rejects(left, state.with_name("rejects.csv"))
        report = await fleet.run(left, 0, client=it.rig.client)
        assert report.ok
        assert sorted(it.rig.stored) == numbers(90)


async def test_what_stops_a_run_is_raised_and_the_account_is_kept(state: Path) -> None:
    async with planned(state) as it, client_of(it.rig.sandbox, api_key="wrong") as wrong:
        with pytest.raises(UploadStopped, match="401"):
            await it.run(0, client=wrong)
        assert it.report.created_count == 0
        assert (await it.run(0)).created_count == 30


async def test_the_client_is_that_of_the_environment(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with planned(state) as it:
        monkeypatch.setenv("ASYNCSDK_CLIENT_ID", it.rig.sandbox.client_id)
        monkeypatch.setenv("ASYNCSDK_API_KEY", it.rig.sandbox.api_key)
        monkeypatch.setenv("ASYNCSDK_BASE_URL", it.rig.sandbox.url)
        report = await fleet.run(str(state), 0)
        assert report.created_count == 30


async def test_a_stop_lets_what_is_in_flight_end(state: Path) -> None:
    async with planned(state, latency=1.0, plan={"concurrency": 1}) as it:
        stop = asyncio.Event()
        run = asyncio.create_task(it.run(0, stop=stop))
        await asyncio.sleep(2.5)  # the group is asked, a batch is answered, one is in flight
        stop.set()
        report = await run
        assert (report.created_count, report.complete, report.unknown_count) == (20, False, 0)
        assert (await it.run(0)).created_count == 30
        assert len(it.rig.stored) == 30


async def test_all_of_them_by_one_process(state: Path) -> None:
    async with planned(state, latency=0.5) as it:
        shown: list[Progress] = []
        report = await fleet.run_all(
            it.manifest, client=it.rig.client, at_once=2, on_progress=shown.append
        )
        assert report.ok
        assert report.created_count == 90
        assert [each.total for each in shown] == [90] * len(shown)
        assert [each.settled for each in shown] == sorted(each.settled for each in shown)
        assert shown[-1].created == 90
        before = len(it.rig.sandbox.requests)
        assert (await fleet.run_all(state, client=it.rig.client)).ok
        assert len(it.rig.sandbox.requests) == before


async def test_what_ends_one_of_all_brings_the_others_to_rest(state: Path) -> None:
    async with planned(state, latency=1.0, plan={"concurrency": 1}) as it:
        (state / "00001.journal").write_bytes(b"no journal at all" * 100)
        with pytest.raises(JournalError, match="is no journal"):
            await fleet.run_all(it.manifest, client=it.rig.client, at_once=2)
        assert len(it.rig.stored) < 30
        (state / "00001.journal").unlink()
        assert (await fleet.run_all(it.manifest, client=it.rig.client)).ok
        assert len(it.rig.stored) == 90


async def test_rejects_take_the_place_of_nothing_that_is_read(state: Path) -> None:
    async with planned(state) as it:
        await fleet.run_all(it.manifest, client=it.rig.client)
        for place in (state.with_name("list.csv"), state / "rejects.csv", state / "manifest.json"):
            with pytest.raises(ConfigurationError, match="another place"):
                fleet.to_rejects(it.manifest, place)
        assert fleet.to_rejects(it.manifest, state.with_name("rejects.csv")) == 0


async def test_a_list_without_rows_is_complete_when_it_was_run(state: Path) -> None:
    async with planned(state) as it:
        path = state.with_name("empty.csv")
        path.write_text("phone;name\n")
        columns = {"phone": "phone"}
        manifest = await fleet.plan(path, it.rig.group_id, state / "empty", columns=columns)
        assert [part.rows for part in manifest.partitions] == [0]
        report = await fleet.run(manifest, 0, client=it.rig.client)
        assert (report.submitted, report.complete) == (0, True)
        assert UploadReport.open_all(manifest.state).complete


async def test_plans_at_once_are_one_plan(state: Path) -> None:
    async with planned(state) as it:
        path, place = state.with_name("list.csv"), state / "other"
        plans = [fleet.plan(path, it.rig.group_id, place, duplicates="skip") for _ in range(4)]
        manifests = await asyncio.gather(*plans)
        assert len({manifest.id for manifest in manifests}) == 1
        assert manifests[1:] == manifests[:-1]
