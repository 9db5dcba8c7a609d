"""Sources that misbehave: each takes rows and gives an async iterator over some of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from asyncsdk import Phone

__all__ = ["CANCELLED", "EXPIRING", "BrokenSourceError", "Stubborn", "ended", "raises"]

GOOD = 23
"""Rows that come before the trouble."""


class BrokenSourceError(Exception):
    """What a caller's own source may raise."""


async def ended(work: object, seconds: float = 60.0) -> object:
    """What this gives, which has to come to its end within so many seconds."""

    async def wait() -> object:
        return await work  # type: ignore[misc]

    task = asyncio.create_task(wait())
    done, _ = await asyncio.wait({task}, timeout=seconds)
    assert done, f"it hangs: it has not ended after {seconds:g} s"
    return task.result()


# sources that are cancelled from within


async def _idle() -> None:
    await asyncio.sleep(1000)


async def awaits_a_cancelled_task(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i == GOOD:
            task = asyncio.create_task(_idle())
            await asyncio.sleep(0)
            task.cancel()
            await task
        yield row


async def awaits_a_cancelled_future(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i == GOOD:
            future = asyncio.get_running_loop().create_future()
            future.cancel("the pool of connections was closed")
            await future
        yield row


async def gathers_a_cancelled_task(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i == GOOD:
            tasks = [asyncio.create_task(_idle()) for _ in range(3)]
            asyncio.get_running_loop().call_later(0.5, tasks[1].cancel)
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
        yield row


async def cancels_its_own_task(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i == GOOD:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(1)
        yield row


def raises_a_cancelled_error(rows: Iterable[Phone]) -> Iterator[Phone]:
    for i, row in enumerate(rows):
        if i == GOOD:
            raise asyncio.CancelledError
        yield row


class CancelledInNext:
    """An async iterator that is no generator."""

    def __init__(self, rows: Iterable[Phone]) -> None:
        self._rows = enumerate(rows)

    def __aiter__(self) -> CancelledInNext:
        return self

    async def __anext__(self) -> Phone:
        i, row = next(self._rows)
        if i == GOOD:
            raise asyncio.CancelledError
        return row


CANCELLED: dict[str, Callable[[Iterable[Phone]], object]] = {
    "a cancelled task": awaits_a_cancelled_task,
    "a cancelled future": awaits_a_cancelled_future,
    "a cancelled task of several": gathers_a_cancelled_task,
    "its own task": cancels_its_own_task,
    "an error of its own": raises_a_cancelled_error,
    "in anext": CancelledInNext,
}
"""Sources whose trouble is a `CancelledError` that nobody here asked for."""


# sources with something around their yields that fires


async def timed_by_asyncio(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    async with asyncio.timeout(5):
        for row in rows:
            await asyncio.sleep(0.2)
            yield row


async def timed_by_anyio(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    with anyio.fail_after(5):
        for row in rows:
            await asyncio.sleep(0.2)
            yield row


async def timed_and_without_a_pause(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    """It expires while the row that was given last is being taken care of."""
    async with asyncio.timeout(5):
        for row in rows:
            yield row


async def _fails() -> None:
    await asyncio.sleep(5)
    raise BrokenSourceError


async def in_a_group_of_asyncio(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fails())
        for row in rows:
            await asyncio.sleep(0.2)
            yield row


async def in_a_group_of_anyio(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    async with anyio.create_task_group() as group:
        group.start_soon(_fails)
        for row in rows:
            await asyncio.sleep(0.2)
            yield row


async def in_a_group_and_without_a_pause(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fails())
        for row in rows:
            yield row


EXPIRING: dict[str, tuple[Callable[[Iterable[Phone]], object], type[Exception]]] = {
    "asyncio.timeout": (timed_by_asyncio, TimeoutError),
    "anyio.fail_after": (timed_by_anyio, TimeoutError),
    "a timeout while it waits": (timed_and_without_a_pause, TimeoutError),
    "asyncio.TaskGroup": (in_a_group_of_asyncio, ExceptionGroup),
    "anyio.create_task_group": (in_a_group_of_anyio, ExceptionGroup),
    "a group while it waits": (in_a_group_and_without_a_pause, ExceptionGroup),
}
"""Sources with a scope around their yields that fires after five seconds, and what they raise."""


# sources that do not end when they are told to


class Stubborn:
    """Sources that go on when they are closed or cancelled, until the test is over."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def release(self) -> None:
        """Let all of them end."""
        self._over.set()
        await asyncio.sleep(1)

    async def in_finally(self, rows: Iterable[Phone]) -> AsyncGenerator[Phone, None]:
        """It takes nine seconds to close."""
        try:
            for row in rows:
                yield row
                await asyncio.sleep(0.1)
        finally:
            await asyncio.sleep(9)

    async def never_in_finally(self, rows: Iterable[Phone]) -> AsyncGenerator[Phone, None]:
        """It never closes."""
        try:
            for row in rows:
                yield row
                await asyncio.sleep(0.1)
        finally:
            await self._wait()

    async def swallowing(self, rows: Iterable[Phone]) -> AsyncGenerator[Phone, None]:
        """It takes no notice of a cancellation while it waits for its next row."""
        for i, row in enumerate(rows):
            if i == GOOD:
                await self._wait()
            yield row

    async def retrying(self, rows: Iterable[Phone]) -> AsyncGenerator[Phone, None]:
        """It tries again whatever is raised, as careless loops do."""
        for row in rows:
            while not self._over.is_set():
                with suppress(BaseException):
                    await asyncio.sleep(0.5)
                    break
            yield row

    def iterating(self, rows: Iterable[Phone]) -> AsyncIterator[Phone]:
        """An iterator that is no generator, which swallows likewise."""
        return _Swallowing(rows, self._wait)

    async def _wait(self) -> None:
        while not self._over.is_set():
            with suppress(asyncio.CancelledError):
                await self._over.wait()


class _Swallowing:
    def __init__(self, rows: Iterable[Phone], wait: Callable[[], object]) -> None:
        self._rows = enumerate(rows)
        self._wait = wait

    def __aiter__(self) -> _Swallowing:
        return self

    async def __anext__(self) -> Phone:
        i, row = next(self._rows)
        if i == GOOD:
            await self._wait()  # type: ignore[misc]
        return row


def raises(error: BaseException) -> Callable[[Iterable[Phone]], Iterator[Phone]]:
    """A source that raises this after some rows."""

    def source(rows: Iterable[Phone]) -> Iterator[Phone]:
        for i, row in enumerate(rows):
            if i == GOOD:
                raise error
            yield row

    return source
