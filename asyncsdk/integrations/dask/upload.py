"""An upload whose partitions are sent by the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
from os import fspath
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk import fleet
from asyncsdk.client import Client
from asyncsdk.errors import AsyncSDKError, ConfigurationError, SourceError
from asyncsdk.integrations.dask import frames
from asyncsdk.integrations.dask.driving import Driver
from asyncsdk.integrations.dask.partition import Order, pace_of
from asyncsdk.integrations.dask.watching import watched
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.secret import Secret
from asyncsdk.validators import whole_number
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from os import PathLike

    from distributed import Client as DaskClient

    from asyncsdk.progress import Progress

__all__ = ["upload"]

_LONGEST_END = 60.0
"""Seconds for the workers to stop."""
_INSTALL = "an upload on a Dask cluster needs its extra: pip install 'asyncsdk[dask]'"


def upload(
    sources: Any,
    *,
    group: int,
    state: str | PathLike[str],
    redis: str | Secret | Mapping[str, Any] | None = None,
    client: DaskClient | None = None,
    connect: Callable[..., Client] = Client.from_env,
    retries: int = 10,
    on_progress: Callable[[Progress], object] | None = None,
    **options: Any,
) -> Any:
    """Upload lists in partitions by the workers of a Dask cluster; returns the merged report.

    The same call with the same `state` goes on with what was interrupted, also after the cluster
    or this process died. What a worker left that was killed, the next one takes up: what was
    answered is not sent again. A key that is refused stops all. Once this has returned or raised,
    nothing of it is sent any more.

    Args:
        sources: As for `asyncsdk.fleet.plan`: a path, a pattern, or several; or a Dask DataFrame,
            of which each partition is written into `state` as Parquet once, and then read there.
        group: The id of the group to upload into.
        state: A folder that this process and every worker see under the same path. It has the plan
            and the accounts, phones among them.
        redis: Where the pace is kept that all workers share: the URL, or the arguments of
            `SharedPace` as a mapping (`{"url": …, "rate": Rate(10)}`). They travel to the workers
            with the tasks. None: each partition has a pace of its own.
        client: The client of the cluster, of either kind; None for the one that is current. With an
            asynchronous one this returns a coroutine.
        connect: Called on a worker, with `pace=` where there is one, for the `asyncsdk.Client` of
            a partition. By default the credentials are those of the worker's environment.
        retries: How often the cluster may give up a partition, which it does when several workers
            in a row died of it.
        on_progress: Called about once a second with the `Progress` of the whole; an error of its
            own ends nothing. The partitions are tasks of the cluster, so its own pages show them.
        **options: As for `asyncsdk.fleet.plan`.

    Raises:
        UploadStopped: One of the partitions could not go on, and so the whole was stopped; its
            report is that of all.
        ClusterError: The cluster lost partitions too often, or somebody cancelled them there.
        ConfigurationError: An argument cannot work.
        SourceError: A list cannot be read.
        ImportError: The extra `dask` is not installed.
    """
    job = _Job(
        sources=sources,
        group=whole_number("group", group),
        state=str(Path(fspath(state)).absolute()),
        redis=_arguments(redis),
        connect=connect,
        on_progress=on_progress,
        options=options,
    )
    cluster = _cluster(client)
    driver = Driver(cluster, whole_number("retries", retries))
    if cluster.asynchronous:
        return job.run(driver)
    return _blocking(cluster, job.run(driver))


def _cluster(client: DaskClient | None) -> DaskClient:
    try:
        from distributed import default_client
    except ImportError as error:
        raise ImportError(_INSTALL) from error
    try:
        return default_client(client)
    except (ValueError, TypeError):
        msg = "there is no client of a Dask cluster: make one, or give it as client="
    raise ConfigurationError(msg)


def _arguments(redis: str | Secret | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if redis is None:
        return None
    if isinstance(redis, str | Secret):
        redis = {"url": redis}
    found = dict(redis)
    url = found.get("url")
    if isinstance(url, Secret):  # one is not pickled by accident; this is none
        found["url"] = url.reveal()
    if not isinstance(found.get("url"), str):
        msg = f"redis must be the URL of a Redis, or a mapping with it as url, not {brief(url)}"
        raise ConfigurationError(msg)
    return found


def _blocking(cluster: DaskClient, work: Coroutine[Any, Any, UploadReport]) -> UploadReport:
    """What it gives, from the loop of the cluster's client, which runs in another thread."""
    over = Event()

    async def run() -> UploadReport:
        try:
            return await work
        finally:
            over.set()

    future = asyncio.run_coroutine_threadsafe(run(), cluster.loop.asyncio_loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()  # Ctrl-C: it ends as it would where it is cancelled
        over.wait(_LONGEST_END)
        raise


@frozen
class _Job:
    """What was asked for."""

    sources: Any
    group: int
    state: str
    redis: dict[str, Any] | None
    connect: Callable[..., Client]
    on_progress: Callable[[Progress], object] | None
    options: dict[str, Any]

    async def run(self, driver: Driver) -> UploadReport:
        """The merged report, once all partitions are done."""
        manifest = await self._plan(await self._paths(driver))
        orders = [
            Order(self.state, index, self.connect, self.redis)
            for index in range(len(manifest.partitions))
        ]
        try:
            async with watched(self.state, self.on_progress):
                await driver.partitions(orders)
        except AsyncSDKError as error:
            raise UploadStopped(await self._report(), error) from error
        return await self._report()

    async def _plan(self, paths: Any) -> fleet.Manifest:
        if self.options.get("existing", "send") == "send":
            return await fleet.plan(paths, self.group, self.state, **self.options)
        async with self.connect(**pace_of(self.redis)) as sends:  # it reads the group
            return await fleet.plan(paths, self.group, self.state, client=sends, **self.options)

    async def _paths(self, driver: Driver) -> Any:
        """The lists, as files."""
        if not frames.is_frame(self.sources):
            return self.sources
        paths = frames.paths_of(self.sources, self.state)
        wrong = [
            error for error in await driver.compute(frames.writing(self.sources, paths)) if error
        ]
        if wrong:
            msg = (
                f"{len(wrong)} of {len(paths)} partitions cannot be written as Parquet: {wrong[0]}"
            )
            raise SourceError(msg)
        return paths

    async def _report(self) -> UploadReport:
        return await asyncio.to_thread(UploadReport.open_all, self.state)
