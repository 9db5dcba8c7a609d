"""An upload on a real Dask cluster: its report, its ends, and what its workers' deaths do to it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from distributed import Client as DaskClient

from asyncsdk import AuthenticationError, Client, Rate, UploadReport, UploadStopped
from asyncsdk.errors import AsyncSDKError, ConfigurationError, SourceError
from asyncsdk.integrations import dask
from asyncsdk.ledger.journal.lock import is_locked
from asyncsdk.sandbox.thread import SandboxThread
from asyncsdk.sources import read
from tests.effort import effort
from tests.integrations.arrivals import Arrivals
from tests.integrations.chaos import Chaos
from tests.integrations.dask_cluster import DaskCluster
from tests.integrations.redis_server import PASSWORD
from tests.parts import module
from tests.rig import numbers
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asyncsdk.progress import Progress
    from tests.integrations.redis_server import RedisServer

WHOLE = effort(0, 1) == 1
WORKERS = effort(2, 4)
RATE = Rate(20, per=1.0)


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    """A cluster to which nothing happens."""
    with DaskCluster(2) as running:
        yield running


@pytest.fixture
def dask_client(cluster: DaskCluster) -> Iterator[DaskClient]:
    with DaskClient(cluster.address) as client:
        yield client


@frozen
class Setting:
    """Where lists are, and where they go."""

    folder: Path
    sandbox: SandboxThread
    arrivals: Arrivals
    group: int
    redis: RedisServer

    def lists(self, phones: int, partitions: int) -> str:
        """So many lists with all of so many phones."""
        found, each = numbers(phones), phones // partitions
        for index in range(partitions):
            last = index == partitions - 1
            part = found[index * each : None if last else (index + 1) * each]
            text = "phone\n" + "\n".join(part) + "\n"
            (self.folder / f"list-{index:03d}.csv").write_text(text)
        return str(self.folder / "list-*.csv")

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def upload(self, sources: Any, client: DaskClient, **options: Any) -> Any:
        """Upload them on a cluster, by the rate."""
        defaults = {
            "group": self.group,
            "state": self.state,
            "redis": {"url": self.redis.url, "rate": RATE},
            "connect": partial(
                Client,
                self.sandbox.client_id,
                self.sandbox.api_key,
                base_url=self.arrivals.url,
                # Whoever takes a partition over waits that long for its last requests.
                timeout=effort(3, 15),
            ),
            "batch_size": 100,
            "partition_rows": None,
            "quiet_period": 1.0,
        }
        return dask.upload(sources, client=client, **{**defaults, **options})

    def in_use(self) -> list[Path]:
        """Journals that somebody writes."""
        return [path for path in self.state.rglob("*.journal") if is_locked(path)]


@pytest.fixture
def setting(redis: RedisServer, tmp_path: Path) -> Iterator[Setting]:
    with SandboxThread(latency=0.02) as sandbox:
        arrivals = Arrivals(sandbox)
        yield Setting(tmp_path, sandbox, arrivals, sandbox.add_group("people"), redis)


def assert_equal(report: UploadReport, sandbox: SandboxThread, phones: int) -> None:
    """Nothing is lost, nothing twice, and the merged report is what the server stored."""
    stored = {commit.phone_id: commit.phone for commit in sandbox.commits}
    assert report.complete
    assert report.created_count == report.submitted == phones, report
    assert Counter(stored.values()) == Counter(numbers(phones))
    assert {each.created.id: each.phone.phone for each in report.created if each.created} == stored


def test_it_ends_with_the_merged_report_and_tells_how_far_it_is(
    setting: Setting, dask_client: DaskClient
) -> None:
    told: list[Progress] = []
    lists = setting.lists(1_000, 4)
    report = setting.upload(lists, dask_client, on_progress=told.append)
    assert_equal(report, setting.sandbox, 1_000)
    assert (told[-1].created, told[-1].total) == (1_000, 1_000)
    made = len(setting.sandbox.requests)
    again = setting.upload(lists, dask_client)
    assert again.created_count == 1_000
    assert len(setting.sandbox.requests) == made


def test_a_wrong_key_stops_the_whole_and_costs_one_request(
    setting: Setting, dask_client: DaskClient
) -> None:
    connect = partial(Client, "1", "no", base_url=setting.arrivals.url)
    with pytest.raises(UploadStopped, match="401") as stopped:
        setting.upload(setting.lists(1_000, 5), dask_client, connect=connect)
    assert isinstance(stopped.value.cause, AuthenticationError)
    assert not stopped.value.report.complete
    assert len(setting.sandbox.requests) == 1
    assert not setting.in_use()


def test_one_that_is_cancelled_has_stopped_everywhere_and_goes_on_when_called_again(
    setting: Setting, cluster: DaskCluster
) -> None:
    lists = setting.lists(2_000, 4)

    async def scenario() -> None:
        async with DaskClient(cluster.address, asynchronous=True) as client:
            running = asyncio.create_task(setting.upload(lists, client))
            while not setting.sandbox.commits:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert not setting.in_use()
            report = UploadReport.open_all(setting.state)
            assert not report.complete
            assert not report.unknown_count  # what was under way was answered
            assert report.created_count == len(setting.sandbox.commits)
            assert_equal(await setting.upload(lists, client), setting.sandbox, 2_000)

    asyncio.run(scenario())


def test_ctrl_c_stops_it_everywhere(setting: Setting, dask_client: DaskClient) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.created:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        setting.upload(setting.lists(20_000, 4), dask_client, on_progress=interrupt)
    assert not setting.in_use()
    assert len(setting.sandbox.commits) < 20_000


# -- data frames ---------------------------------------------------------------------------


def test_each_partition_of_a_frame_is_written_once_and_read_there(
    setting: Setting, dask_client: DaskClient
) -> None:
    frame = _frame(600, 3, setting.folder)
    report = setting.upload(frame, dask_client, columns={"phone": "Mobil"})
    assert_equal(report, setting.sandbox, 600)
    assert len((setting.folder / "computed").read_text()) == 3
    made = len(setting.sandbox.requests)
    assert setting.upload(frame, dask_client, columns={"phone": "Mobil"}).created_count == 600
    assert len((setting.folder / "computed").read_text()) == 3
    assert len(setting.sandbox.requests) == made
    with pytest.raises(SourceError, match="another data frame"):
        setting.upload(frame.repartition(npartitions=2), dask_client)


def test_neither_phones_nor_a_password_are_in_what_a_cluster_logs(
    setting: Setting, dask_client: DaskClient, cluster: DaskCluster
) -> None:
    frame = _frame(300, 3, setting.folder, broken=True)
    with pytest.raises(SourceError, match="cannot be written as Parquet"):
        setting.upload(frame, dask_client)
    with pytest.raises(UploadStopped):
        setting.upload(
            setting.lists(300, 3),
            dask_client,
            state=setting.folder / "other",
            redis={"url": "redis://:geheim@127.0.0.1:1", "patience": 0.1},
        )
    for secret in ("geheim", PASSWORD, setting.sandbox.api_key, *numbers(300)):
        assert secret.lstrip("+") not in cluster.log


def _frame(phones: int, partitions: int, folder: Path, *, broken: bool = False) -> Any:
    """A frame that notes each time a partition of it is computed."""
    table = module("pandas").DataFrame({"Name": "x", "Mobil": numbers(phones)})
    made = module("dask.dataframe").from_pandas(table, npartitions=partitions, sort=False)
    return made.map_partitions(
        partial(_computed, folder / "computed", broken=broken), meta=made._meta
    )


def _computed(path: Path, part: Any, *, broken: bool) -> Any:
    with path.open("a") as file:
        file.write(".")
    return part.assign(Name=[object()] * len(part)) if broken else part


# -- what cannot work ----------------------------------------------------------------------


def test_what_cannot_work_is_said_before_anything_is_sent(
    setting: Setting, dask_client: DaskClient
) -> None:
    wrong: list[tuple[Any, dict[str, Any], type[AsyncSDKError]]] = [
        (setting.folder / "none.csv", {}, SourceError),
        (setting.lists(10, 1), {"group": "people"}, ConfigurationError),
        (setting.lists(10, 1), {"redis": {"name": "x"}}, ConfigurationError),
        (setting.lists(10, 1), {"retries": -1}, ConfigurationError),
    ]
    for sources, options, kind in wrong:
        with pytest.raises(kind):
            setting.upload(sources, dask_client, **options)
    assert not setting.sandbox.requests


def test_without_a_cluster_or_the_extra_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="client="):
        dask.upload(tmp_path, group=1, state=tmp_path)
    code = """
import sys
sys.modules["distributed"] = None
from asyncsdk.integrations.dask import upload
try:
    upload("x", group=1, state="y")
except ImportError as error:
    assert "asyncsdk[dask]" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# -- workers that die ----------------------------------------------------------------------


@pytest.mark.timeout(1700)
@pytest.mark.parametrize("seed", range(effort(1, 20)))
def test_nothing_is_lost_and_nothing_twice_whatever_becomes_of_the_cluster(
    setting: Setting, seed: int
) -> None:
    phones = effort(3_000, 1_000_000)
    with (
        DaskCluster(WORKERS, patience=20) as cluster,
        DaskClient(cluster.address) as client,
        Chaos(
            cluster,
            WORKERS,
            lambda: len(setting.sandbox.commits),
            seed=seed,
            every=4,
            stopped=effort(0, 25),
            scheduler=WHOLE,
            most=effort(1, 1000),
        ) as chaos,
    ):
        lists = setting.lists(phones, effort(6, 64))
        report = setting.upload(lists, client, batch_size=effort(100, 1000))
    assert_equal(report, setting.sandbox, phones)
    assert busiest(setting.arrivals.times, RATE.per) <= RATE.requests
    assert set(chaos.did) == ({"killed", "stopped", "restarted"} if WHOLE else {"killed"})


@pytest.mark.slow
def test_without_journals_the_retries_of_a_cluster_send_phones_twice(setting: Setting) -> None:
    """The control: what the same deaths do where a task that is run again begins anew."""
    phones = WORKERS * 1_000
    setting.lists(phones, WORKERS)
    paths = sorted(setting.folder.glob("list-*.csv"))
    firsts = set(numbers(phones)[::1_000])
    account = (setting.sandbox.client_id, setting.sandbox.api_key, setting.arrivals.url)
    with (
        DaskCluster(WORKERS) as cluster,
        DaskClient(cluster.address) as client,
        Chaos(
            cluster,
            WORKERS,
            lambda: int(firsts <= {commit.phone for commit in setting.sandbox.commits}),
            seed=1,
            every=4,
            stopped=0,
            scheduler=False,
            most=1,
        ),
    ):
        each = [client.submit(_plain, path, setting.group, account, pure=False) for path in paths]
        client.gather(each)
    stored = Counter(commit.phone for commit in setting.sandbox.commits)
    assert set(stored) == set(numbers(phones))
    assert stored.total() - phones > 0


def _plain(path: Path, group: int, account: tuple[str, str, str]) -> int:
    """Upload a list as a task of a cluster, without more ado."""

    async def upload() -> int:
        client_id, key, url = account
        async with Client(client_id, key, base_url=url, rate=Rate(2)) as client:
            report = await client.phones.upload(group, read(path), batch_size=100)
        return report.created_count

    return asyncio.run(upload())
