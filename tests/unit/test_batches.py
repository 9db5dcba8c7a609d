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
from asyncsdk.ledger.interface import Resumed
from asyncsdk.ledger.memory import MemoryLedger
from asyncsdk.upload.books import Books
from asyncsdk.upload.ending import Ending
from asyncsdk.upload.flights import Flights
from asyncsdk.upload.intake.batches import Batches
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.source import RowSource, check_source
from asyncsdk.upload.queue import Queue
from asyncsdk.upload.reader import Reader
from asyncsdk.upload.sharing import LoopShare
from asyncsdk.upload.totals import Totals
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.batch import Batch


class Reading:
    """The reader of a source, and somebody who wants all that it reads."""

    def __init__(self, source: Any, size: int = 3, max_bytes: int = 10**6) -> None:
        self.now = 0.0
        self.ending = Ending()
        self.rejected: list[Entry] = []
        self.batches = Batches(Checker(), size, max_bytes)
        self.flights = Flights()
        self.queue = Queue()
        ledger = MemoryLedger()
        self.books = Books(ledger, self.flights, None, lambda: self.now, self.rejected.extend)
        self.reader = Reader(
            RowSource(source),
            self.batches,
            books=self.books,
            queue=self.queue,
            totals=Totals(lambda: self.now, lambda _: 0.0, 1, dry_run=False),
            ending=self.ending,
            share=LoopShare(1000),
        )
        self.ending.on_begin(self.reader.stop)

    def start(self) -> None:
        """Begin to read."""
        self.reader.start(Resumed())
        self.reader.go()

    async def next(self) -> Batch | None:
        """The next batch."""
        flight = await self.queue.get()
        if flight is None:
            return None
        self.queue.done()
        self.flights.close(flight)
        return flight.batch

    async def all(self) -> list[Batch]:
        """All that are still to come."""
        found = []
        while (batch := await self.next()) is not None:
            found.append(batch)
        return found

    async def end(self) -> list[Batch]:
        """Stop reading; returns what was read and given to nobody."""
        self.reader.stop()
        assert self.reader.task is not None
        await asyncio.wait([self.reader.task])
        self.reader.hand_over()
        return [flight.batch for flight in self.flights]


def cut(source: Any, size: int = 3, max_bytes: int = 10**6) -> list[Batch]:
    async def scenario() -> list[Batch]:
        reading = Reading(source, size, max_bytes)
        reading.start()
        return await reading.all()

    return asyncio.run(scenario())


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
    """The loop has its turn again before long, by a clock that only the rows move on."""

    def source(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
        for number in numbers(3000):
            loop.now += cost  # type: ignore[attr-defined]
            yield number

    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        reading, rounds = Reading(source(loop), size=1000), list[float]()
        reading.start()
        reader = asyncio.create_task(reading.all())
        while not reader.done():
            rounds.append(loop.time())
            await asyncio.sleep(0)
        assert [len(batch) for batch in reader.result()] == [1000] * 3
        return rounds

    with asyncio.Runner(loop_factory=StandingLoop) as runner:
        rounds = runner.run(scenario())
    late = [now for now in rounds if now > 1 + 1000 * cost]  # it has found its pace
    steps = [later - sooner for sooner, later in pairwise(late)]
    assert steps
    assert max(steps) <= 0.004


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still unless somebody moves it on."""

    now = 1.0

    def time(self) -> float:
        return self.now


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
        reading = Reading(source())
        reading.start()
        await asyncio.sleep(0.01)
        assert not taken
        await reading.next()
        assert len(taken) == reading.batches.read == 3
        await asyncio.sleep(0.01)
        assert len(taken) == 3
        await reading.next()
        assert len(taken) == 6
        await reading.end()

    asyncio.run(scenario())


def test_rejected_rows_keep_their_index() -> None:
    async def scenario() -> None:
        reading = Reading(["1", "", "2", "3", "x" * 31])
        reading.start()
        batches = await reading.all()
        assert [list(batch.indices) for batch in batches] == [[0, 2], [3]]
        assert [list(entry.indices) for entry in reading.rejected] == [[1], [4]]

    asyncio.run(scenario())


def test_rows_of_a_batch_can_be_taken_with_their_history() -> None:
    (batch,) = cut(numbers(5), size=5)
    batch = batch.changed(attempts=3, failures=2, doubtful=True)
    part = batch.take([1, 4])
    assert list(part.indices) == [1, 4]
    assert [row.phone for row in part.rows] == [numbers(5)[1], numbers(5)[4]]
    assert (part.attempts, part.failures, part.doubtful) == (3, 2, True)
    first, second = batch.halves()
    assert [*first.indices, *second.indices] == [0, 1, 2, 3, 4]
    assert isinstance(first.indices, range)
    assert isinstance(second.indices, range)
    assert batch.key
    assert {part.key, first.key, second.key} == {0}
    assert batch.take(range(5)) is batch


def test_a_batch_is_cut_again_where_batches_have_to_be_smaller_by_now() -> None:
    (batch,) = cut(numbers(5), size=5)

    def sizes(limit: int, pieces: Sequence[int]) -> bool:
        batches = Batches(Checker(), limit, 10**6)
        return [len(piece) for piece in batches.sized(batch)] == pieces

    assert sizes(5, [5])
    assert sizes(3, [3, 2])
    assert sizes(1, [1] * 5)


@pytest.mark.parametrize("source", ["+491", b"+491", {"phone": "+491"}, None, 5, Phone("1")])
def test_what_is_no_source(source: object) -> None:
    with pytest.raises(ConfigurationError, match="phones must be an iterable"):
        check_source(source)
