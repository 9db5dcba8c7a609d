"""What runs on a worker: one partition, until it is done or nobody wants it any more."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from asyncsdk import fleet
from asyncsdk.errors import AsyncSDKError, FencedError, reason_of
from asyncsdk.integrations.redis import SharedPace
from asyncsdk.report import UploadStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from distributed import Worker

    from asyncsdk.client import Client

__all__ = ["Ended", "Order", "ended", "pace_of", "run_partition"]

_OFTEN = 0.1
"""Seconds between two looks at whether it is still wanted."""
_GRACE = 10.0
"""Seconds for what is under way to be answered, once it is not."""

_WANTED = frozenset({"executing", "long-running"})
"""States of a task, on the worker that runs it, in which somebody waits for it."""

_running: dict[str, int] = {}
"""Partitions that run in this process, by the folder of their upload."""


@frozen
class Order:
    """One partition. The cluster shows arguments in logs and pages: of this one no secret."""

    state: str
    index: int
    connect: Callable[..., Client]
    """Makes the client of a worker, given its `pace`."""
    redis: Mapping[str, Any] | None = field(default=None, repr=False)
    """The arguments of the pace that all share."""


@frozen
class Ended:
    """How a run of a partition ended. A value: of what is raised the cluster writes a log."""

    complete: bool = False
    error: AsyncSDKError | None = None


def run_partition(order: Order) -> Ended:
    """Upload one partition, or go on with it."""
    with _counted(order.state):
        try:
            return asyncio.run(_run(order, _task()))
        except FencedError:  # another has it, perhaps one that stood still and goes on
            return Ended()
        except UploadStopped as stopped:  # the report is in the folder
            return Ended(error=_told(stopped.cause or stopped))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is to see it
            return Ended(error=_told(error))


async def ended(state: str, within: float = _GRACE + 5.0) -> bool:
    """Return when no partition of an upload runs in this process; whether that is so."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while _running.get(state) and loop.time() < end:
        await asyncio.sleep(_OFTEN)
    return not _running.get(state)


async def _run(order: Order, task: tuple[Worker, str] | None) -> Ended:
    stop = asyncio.Event()
    async with order.connect(**pace_of(order.redis)) as client:
        work = fleet.run(order.state, order.index, client=client, stop=stop)
        running = asyncio.create_task(work)
        watching = asyncio.create_task(_unwanted(task))
        try:
            await asyncio.wait([running, watching], return_when="FIRST_COMPLETED")
            if not running.done():  # what is under way is answered, if that is soon
                stop.set()
                await asyncio.wait([running], timeout=_GRACE)
            return Ended(complete=running.done() and (await running).complete)
        finally:
            watching.cancel()
            running.cancel()
            await asyncio.gather(running, watching, return_exceptions=True)


def pace_of(redis: Mapping[str, Any] | None) -> dict[str, SharedPace]:
    """The arguments of `connect`."""
    return {} if redis is None else {"pace": SharedPace(**redis)}


def _task() -> tuple[Worker, str] | None:
    """The worker that runs this, and the name of the task; None outside of one."""
    from distributed import get_worker

    try:
        worker = get_worker()
        return worker, str(worker.get_current_task())
    except (ValueError, KeyError):
        return None


async def _unwanted(task: tuple[Worker, str] | None) -> None:
    """Return when the cluster gave a task to another worker, or its result to nobody."""
    while task is None or _is_wanted(*task):
        await asyncio.sleep(_OFTEN)


def _is_wanted(worker: Worker, key: str) -> bool:
    state = worker.state.tasks.get(key)
    running = worker.status.name in {"running", "paused", "closing_gracefully"}
    return running and state is not None and state.state in _WANTED


@contextmanager
def _counted(state: str) -> Iterator[None]:
    _running[state] = _running.get(state, 0) + 1
    try:
        yield
    finally:
        _running[state] -= 1


def _told(error: BaseException) -> AsyncSDKError:
    """An error as it can travel: those of others may hold anything, and need not pickle."""
    return error if isinstance(error, AsyncSDKError) else AsyncSDKError(reason_of(error))
