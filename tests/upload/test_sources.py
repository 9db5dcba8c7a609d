"""What an upload may be fed with, of any size, and what happens when it breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Phone, UploadStopped
from tests.rig import assert_accounts, connected, known, numbers, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.rig import Rig

ROWS = phones(7)


class BrokenSourceError(Exception):
    """What a caller's own source may raise."""


class Rows:
    """An async iterable that is no generator."""

    def __init__(self) -> None:
        self._left = iter(ROWS)

    def __aiter__(self) -> Rows:
        return self

    async def __anext__(self) -> Phone:
        try:
            return next(self._left)
        except StopIteration:
            raise StopAsyncIteration from None


def generator() -> Iterator[Phone]:
    yield from ROWS


async def asynchronous() -> AsyncIterator[Phone]:
    for phone in ROWS:
        await asyncio.sleep(0.1)
        yield phone


SOURCES: dict[str, Callable[[], object]] = {
    "list": lambda: ROWS,
    "tuple": lambda: tuple(ROWS),
    "iterator": lambda: iter(ROWS),
    "generator": generator,
    "async generator": asynchronous,
    "async iterator": Rows,
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_every_kind_of_source(rig: Rig, kind: str) -> None:
    report = await rig.upload(SOURCES[kind](), batch_size=3, concurrency=2)
    assert report.ok
    assert sorted(map(str, rig.batches)) == ["1", "3", "3"]
    assert_accounts(report, rig.sandbox, ROWS)


async def test_every_kind_of_row(rig: Rig) -> None:
    rows = ["+491601", {"phone": "+491602", "a": "Ada", "callback_data": "x"}, Phone("+491603")]
    report = await rig.upload(rows)
    assert [result.phone for result in report.created] == [
        Phone("+491601"),
        Phone("+491602", a="Ada", callback_data="x"),
        Phone("+491603"),
    ]
    assert [(c.phone, c.a, c.callback_data) for c in rig.sandbox.commits] == [
        ("+491601", None, None),
        ("+491602", "Ada", "x"),
        ("+491603", None, None),
    ]


async def test_a_bad_row_never_sinks_its_batch(rig: Rig) -> None:
    good = numbers(4)
    rows = [good[0], 5, good[1], {"phone": "1" * 31}, {"a": "no number"}, good[2], None, good[3]]
    report = await rig.upload(rows)
    assert [result.index for result in report.created] == [0, 2, 5, 7]
    assert [result.index for result in report.invalid] == [1, 3, 4, 6]
    assert all(str(result.error) for result in report.invalid)
    assert {result.delivery for result in report.invalid} == {Delivery.NOT_SENT}
    assert rig.stored == good
    assert len(rig.sandbox.requests) == 1


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 21])
@pytest.mark.parametrize("lazy", [False, True], ids=["list", "generator"])
async def test_odd_sizes(rig: Rig, size: int, concurrency: int, lazy: bool) -> None:  # noqa: FBT001
    source = phones(size)
    report = await rig.upload(
        (row for row in source) if lazy else source, batch_size=10, concurrency=concurrency
    )
    assert report.ok
    assert report.submitted == size
    assert sum(count or 0 for count in rig.batches) == size
    assert len(rig.batches) == -(-size // 10)
    assert_accounts(report, rig.sandbox, source)


async def test_nothing_but_bad_rows_sends_nothing(rig: Rig) -> None:
    report = await rig.upload([""] * 25, batch_size=10)
    assert report.complete
    assert not report.ok
    assert report.invalid_count == 25
    assert not rig.sandbox.requests


async def test_bytes_bound_a_batch_too(rig: Rig) -> None:
    source = [Phone(number, a="x" * 1000, callback_data=str(i)) for i, number in enumerate(PLENTY)]
    report = await rig.upload(source, max_batch_bytes=5000)
    assert report.ok
    assert rig.batches == [4] * 5
    assert_accounts(report, rig.sandbox, source)


PLENTY = numbers(20)


@pytest.mark.parametrize("asynchronously", [False, True], ids=["generator", "async generator"])
@pytest.mark.parametrize("good", [0, 9, 10, 25])
async def test_a_source_that_raises_stops_the_upload(
    rig: Rig,
    good: int,
    asynchronously: bool,  # noqa: FBT001
) -> None:
    source = phones(40)
    broken = BrokenSourceError("the file is gone")

    def rows() -> Iterator[Phone]:
        yield from source[:good]
        raise broken

    async def arows() -> AsyncIterator[Phone]:
        for row in rows():
            yield row

    upload = rig.upload(arows() if asynchronously else rows(), batch_size=10, concurrency=3)
    with pytest.raises(UploadStopped) as caught:
        await upload
    assert caught.value.cause is broken
    assert caught.value.__cause__ is broken
    report = caught.value.report
    assert report == upload.report
    assert report.submitted == good
    assert not report.complete
    assert {result.delivery for result in report.failed} <= {Delivery.NOT_SENT}
    assert_accounts(report, rig.sandbox, source)


async def test_what_is_in_flight_when_the_source_raises_is_waited_for() -> None:
    source = phones(40)

    async def rows() -> AsyncIterator[Phone]:
        for i, row in enumerate(source):
            if i == 35:
                await asyncio.sleep(10.0)  # the first reply is there, the next two are not
                raise BrokenSourceError
            yield row

    async with connected(latency=9.0) as rig:
        with pytest.raises(UploadStopped) as caught:
            await rig.upload(rows(), batch_size=10, concurrency=4)
    report = caught.value.report
    assert report.submitted == 35
    assert report.unknown_count == 0
    assert (report.created_count, report.failed_count) == (30, 5)
    assert report.elapsed == pytest.approx(18.0, abs=0.1)
    assert_accounts(report, rig.sandbox, source)


async def test_a_generator_is_closed_when_an_upload_ends_early(rig: Rig) -> None:
    closed = []

    def rows() -> Iterator[Phone]:
        try:
            yield from phones(100)
        finally:
            closed.append("generator")

    async def arows() -> AsyncIterator[Phone]:
        try:
            for row in phones(100):
                yield row
        finally:
            closed.append("async generator")

    for source in (rows(), arows()):
        upload = rig.upload(source, batch_size=5, concurrency=1)
        async for _ in upload:
            break
        await upload.stop()
        assert len(known(upload.report)) == upload.report.submitted - 1
    assert closed == ["generator", "async generator"]


class BeginsAnew:
    """An iterator that begins anew whenever it is asked for an iterator, as many textbooks do."""

    def __init__(self, rows: list[Phone]) -> None:
        self._rows = rows
        self._next = 0

    def __iter__(self) -> BeginsAnew:
        self._next = 0
        return self

    def __next__(self) -> Phone:
        if self._next == len(self._rows):
            raise StopIteration
        self._next += 1
        return self._rows[self._next - 1]


class BeginsAnewAsync:
    """The same, to be awaited."""

    def __init__(self, rows: list[Phone]) -> None:
        self._rows = BeginsAnew(rows)

    def __aiter__(self) -> BeginsAnewAsync:
        iter(self._rows)
        return self

    async def __anext__(self) -> Phone:
        await asyncio.sleep(0)
        try:
            return next(self._rows)
        except StopIteration:
            raise StopAsyncIteration from None


class NextAlone:
    """Its iterator has nothing but `__next__`, which is all that a loop needs."""

    def __init__(self, rows: list[Phone]) -> None:
        self._iterator = type("", (), {"__next__": BeginsAnew(rows).__next__})()

    def __iter__(self) -> Any:
        return self._iterator


class NextAloneAsync:
    """The same, to be awaited."""

    def __init__(self, rows: list[Phone]) -> None:
        self._iterator = type("", (), {"__anext__": BeginsAnewAsync(rows).__anext__})()

    def __aiter__(self) -> Any:
        return self._iterator


@pytest.mark.parametrize("limit", [1, 50, 500])
@pytest.mark.parametrize("kind", [BeginsAnew, BeginsAnewAsync, NextAlone, NextAloneAsync])
async def test_an_iterator_is_asked_for_once(rig: Rig, kind: Any, limit: int) -> None:
    source = phones(120)
    report = await rig.upload(kind(source), batch_size=limit)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)
