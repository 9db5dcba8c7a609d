"""A source that fails, and a source that is closed: what it gave is never lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.ledger.interface import Resumed
from tests.rig import numbers

from .test_batches import Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


class BrokenError(Exception):
    pass


def broken(count: int) -> Iterator[str]:
    yield from numbers(count)
    raise BrokenError


async def abroken(count: int) -> AsyncIterator[str]:
    for number in numbers(count):
        yield number
    raise BrokenError


@pytest.mark.parametrize("source", [broken, abroken])
@pytest.mark.parametrize("count", range(8))
def test_what_came_before_the_error_is_kept(source: Callable[[int], Any], count: int) -> None:
    async def scenario() -> None:
        reading = Reading(source(count))
        reading.start()
        batches = await reading.all()
        assert isinstance(reading.ending.cause, BrokenError)
        assert reading.batches.read == count
        batches += await reading.end()
        assert [i for batch in batches for i in batch.indices] == list(range(count))
        assert reading.reader.hand_over() == []

    asyncio.run(scenario())


def test_an_iterator_that_breaks_at_once() -> None:
    class Source:
        def __iter__(self) -> Iterator[str]:
            raise BrokenError

    async def scenario() -> None:
        reading = Reading(Source())
        reading.start()
        assert await reading.all() == []
        assert isinstance(reading.ending.cause, BrokenError)
        assert reading.batches.read == 0

    asyncio.run(scenario())


def test_a_generator_is_closed() -> None:
    closed = []

    def source() -> Iterator[str]:
        try:
            yield from numbers(100)
        finally:
            closed.append("sync")

    async def asource() -> AsyncIterator[str]:
        try:
            for number in numbers(100):
                yield number
        finally:
            await asyncio.sleep(0)
            closed.append("async")

    async def scenario(made: object) -> None:
        reading = Reading(made)
        reading.start()
        await reading.next()
        await reading.end()

    asyncio.run(scenario(source()))
    asyncio.run(scenario(asource()))
    assert closed == ["sync", "async"]


def test_a_file_given_by_the_caller_is_not_closed() -> None:
    class File:
        closed = False
        lines = iter(numbers(10))

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return next(self.lines)

        def close(self) -> None:
            self.closed = True

    file = File()

    async def scenario() -> None:
        reading = Reading(file)
        reading.start()
        await reading.next()
        await reading.end()

    asyncio.run(scenario())
    assert not file.closed


def test_closing_what_was_never_opened() -> None:
    async def scenario() -> None:
        reading = Reading(numbers(3))
        reading.reader.start(Resumed())
        await reading.end()

    asyncio.run(scenario())
