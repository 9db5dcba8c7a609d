"""What the client of a cluster does: it gives the partitions out, until each is done."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from attrs import define, field

from asyncsdk.integrations.dask.errors import ClusterError
from asyncsdk.integrations.dask.partition import ended, run_partition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from distributed import Client, Future

    from asyncsdk.integrations.dask.partition import Order

__all__ = ["Driver"]

_OFTEN = 0.1
"""Seconds between two looks at whether the scheduler is back."""
_LOST = frozenset({"scheduler-connection-lost", "scheduler-restart"})
"""Why tasks are gone that may be given out once more."""


@define(eq=False)
class Driver:
    """Gives out tasks that may be run any number of times.

    Args:
        cluster: The client of the cluster.
        retries: How often a task may be given up by the cluster, which does so when several
            workers in a row died of it.
    """

    cluster: Client
    retries: int
    _name: str = field(factory=lambda: uuid4().hex[:8])
    _futures: set[Future] = field(factory=set)

    async def partitions(self, orders: Sequence[Order]) -> None:
        """Return when each partition is done.

        Raises:
            AsyncSDKError: One of them cannot go on; the others have stopped then, too.
        """
        try:
            await _all([self._until_done(order) for order in orders])
        finally:
            await self._stop(orders)

    async def compute(self, collections: Sequence[Any]) -> list[Any]:
        """What these give.

        Raises:
            ClusterError: The cluster does not get them done.
        """

        async def one(collection: Any) -> Any:
            return await self._result(lambda: self.cluster.compute(collection))

        try:
            return await _all([one(collection) for collection in collections])
        finally:
            await self._forget()

    async def _until_done(self, order: Order) -> None:
        while not (found := await self._result(lambda: self._submit(order))).complete:
            if found.error is not None:
                raise found.error
            await asyncio.sleep(_OFTEN)

    def _submit(self, order: Order) -> Future:
        number = uuid4().hex[:8]
        return self.cluster.submit(
            run_partition,
            order,
            key=f"asyncsdk-partition-{self._name}-{order.index}-{number}",
            pure=False,
        )

    async def _result(self, begin: Callable[[], Future]) -> Any:
        """What a task gives, given out again where the cluster lost it.

        Raises:
            ClusterError: It lost it too often, somebody cancelled it, or the cluster is gone.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        for _ in range(self.retries + 1):
            while True:
                await self._connected()
                future = begin()
                self._futures.add(future)
                await _done(future)
                self._futures.remove(future)
                try:
                    return (await self.cluster.gather([future], asynchronous=True))[0]
                except FutureCancelledError as error:
                    if error.reason not in _LOST:
                        raise ClusterError(_CANCELLED) from None
                except KilledWorker:
                    break
                except OSError:  # whoever had the answer is gone
                    await asyncio.sleep(_OFTEN)
        raise ClusterError(_DIES.format(self.retries + 1))

    async def _connected(self) -> None:
        while self.cluster.status == "connecting":
            await asyncio.sleep(_OFTEN)
        if self.cluster.status != "running":
            raise ClusterError(_GONE)

    async def _stop(self, orders: Sequence[Order]) -> None:
        """Withdraw what is out there, and return when no worker is at it any more."""
        left = bool(self._futures)
        await self._forget()
        if left and self.cluster.status == "running":
            with suppress(OSError):  # without a scheduler its workers end by themselves
                await self.cluster.run(ended, orders[0].state, on_error="ignore", asynchronous=True)

    async def _forget(self) -> None:
        futures, self._futures = list(self._futures), set()
        if futures and self.cluster.status == "running":
            with suppress(OSError):
                await self.cluster.cancel(futures, asynchronous=True)


async def _done(future: Future) -> None:
    """Return when a task is over, or lost."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
    await done.wait()


async def _all(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What all give; the first error of one ends the others."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when="FIRST_EXCEPTION")
        for task in tasks:
            if task.done():
                task.result()
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_GONE = (
    "the scheduler of the Dask cluster is gone: start it, connect a new client, and call this "
    "again with the same state="
)
_CANCELLED = "the partitions were cancelled on the cluster; the same call goes on with them"
_DIES = (
    "the workers of the Dask cluster died {} times, several in a row, of the same partition: see "
    "their logs (is their memory enough?), then call this again with the same state="
)
