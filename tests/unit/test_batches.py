"""The source is cut into numbered batches, by count and by bytes."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import ConfigurationError, Phone
from asyncsdk.upload.intake.batches import Batch, Batches, check_source
from asyncsdk.upload.intake.check import Checker
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from asyncsdk.ledger.entry import Entry


class Cutter:
    """Batches of a source, and what was rejected on the way."""

    def __init__(self, source: object, size: int = 3, max_bytes: int = 10**6) -> None:
        self.rejected: list[Entry] = []
        self.now = 0.0
        self.breaths: list[float] = []
        self.batches = Batches(
            source,
            Checker(),
            size,
            max_bytes,
            register=self,
            breathe=self.breathe,
            clock=lambda: self.now,
        )

    async def breathe(self) -> None:
        self.breaths.append(self.now)
        await asyncio.sleep(0)

    def drawn(self, first: int, source: bytes, batches: list[Batch], bad: list[Entry]) -> None:
        assert first + sum(map(len, batches)) + sum(map(len, bad)) == self.batches.read
        assert isinstance(source, bytes)
        self.rejected += bad

    def exhausted(self) -> None:
        pass

    def recut(self, batch: Batch, pieces: list[Batch]) -> None:
        assert sum(map(len, pieces)) == len(batch)

    async def all(self) -> list[Batch]:
        found = []
        while (batch := await self.batches.next()) is not None:
            found.append(batch)
        return found


def cut(source: object, size: int = 3, max_bytes: int = 10**6) -> list[Batch]:
    return asyncio.run(Cutter(source, size, max_bytes).all())


async def agen(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])]
)
@pytest.mark.parametrize("kind", [list, tuple, iter, agen, lambda items: (i for i in items)])
def test_by_count(count: int, sizes: list[int], kind: Any) -> None:
    batches = cut(kind(numbers(count)))
    assert [len(batch) for batch in batches] == sizes
    assert [i for batch in batches for i in batch.indices] == list(range(count))
    assert [row.phone for batch in batches for row in batch.rows] == numbers(count)
    for batch in batches:
        assert [row["phone"] for row in json.loads(batch.body)] == [r.phone for r in batch.rows]


@pytest.mark.parametrize("cost", [0.000_01, 0.000_1, 0.000_3])
def test_rows_that_take_long_are_drawn_in_steps(cost: float) -> None:
    def source() -> Iterator[str]:
        for number in numbers(3000):
            cutter.now += cost
            yield number

    cutter = Cutter(source(), size=1000)
    batches = asyncio.run(cutter.all())
    assert [len(batch) for batch in batches] == [1000] * 3
    late = [now for now in cutter.breaths if now > 1000 * cost]  # it has found its pace
    steps = [later - sooner for sooner, later in pairwise(late)]
    assert steps
    assert max(steps) <= 0.004


def test_rows_that_take_no_time_are_not_held_up() -> None:
    cutter = Cutter(numbers(3000), size=1000)
    asyncio.run(cutter.all())
    assert len(cutter.breaths) <= 1  # at the end of the source


lengths = st.lists(st.integers(0, 120), max_size=20)


@given(lengths, st.integers(1, 8), st.integers(1, 400))
def test_by_bytes(lengths: list[int], size: int, max_bytes: int) -> None:
    source = [Phone("1", a="x" * length) for length in lengths]
    batches = cut(source, size, max_bytes)
    assert [i for batch in batches for i in batch.indices] == list(range(len(source)))
    for batch in batches:
        assert len(batch) <= size
        assert len(batch.body) <= max_bytes or len(batch) == 1
        assert [row["a"] for row in json.loads(batch.body)] == [row.a for row in batch.rows]


def test_a_body_may_be_exactly_as_large_as_allowed() -> None:
    source = numbers(4)
    (whole,) = cut(source, size=4)
    assert [len(batch) for batch in cut(source, 4, len(whole.body))] == [4]
    assert [len(batch) for batch in cut(source, 4, len(whole.body) - 1)] == [3, 1]


def test_bytes_are_counted_not_characters() -> None:
    source = [Phone("1", a="ü" * 100) for _ in range(4)]
    (whole,) = cut(source, size=4)
    assert len(whole.body) > 800
    assert all(len(batch.body) <= 500 for batch in cut(source, 4, 500))


def test_nothing_is_drawn_ahead() -> None:
    taken = []

    def source() -> Iterator[str]:
        for number in numbers(100):
            taken.append(number)
            yield number

    async def scenario() -> None:
        cutter = Cutter(source())
        assert not taken
        await cutter.batches.next()
        assert len(taken) == cutter.batches.read == 3
        await cutter.batches.next()
        assert len(taken) == 6

    asyncio.run(scenario())


def test_rejected_rows_keep_their_index() -> None:
    async def scenario() -> None:
        cutter = Cutter(["1", "", "2", "3", "x" * 31])
        batches = await cutter.all()
        assert [list(batch.indices) for batch in batches] == [[0, 2], [3]]
        assert [list(entry.indices) for entry in cutter.rejected] == [[1], [4]]

    asyncio.run(scenario())


def test_rows_of_a_batch_can_be_taken_with_their_history() -> None:
    (batch,) = cut(numbers(5), size=5)
    batch.attempts, batch.failures, batch.doubtful = 3, 2, True
    part = batch.take([1, 4])
    assert list(part.indices) == [1, 4]
    assert [row.phone for row in part.rows] == [numbers(5)[1], numbers(5)[4]]
    assert (part.attempts, part.failures, part.doubtful) == (3, 2, True)
    first, second = batch.halves()
    assert [*first.indices, *second.indices] == [0, 1, 2, 3, 4]
    assert isinstance(first.indices, range)
    assert isinstance(second.indices, range)


def test_a_size_that_is_lowered_meanwhile_holds_for_what_is_ready() -> None:
    async def scenario() -> list[int]:
        cutter = Cutter(numbers(10), size=8)
        assert len(await cutter.batches.next() or ()) == 8
        cutter.batches.size = 1
        return [len(batch) for batch in await cutter.all()]

    assert asyncio.run(scenario()) == [1, 1]


@pytest.mark.parametrize("source", ["+491", b"+491", {"phone": "+491"}, None, 5, Phone("1")])
def test_what_is_no_source(source: object) -> None:
    with pytest.raises(ConfigurationError, match="phones must be an iterable"):
        check_source(source)
