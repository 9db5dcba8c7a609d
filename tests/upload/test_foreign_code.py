"""Whatever the caller's sources and callbacks do: the upload ends, and its account is whole."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import threading
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
import pytest

from asyncsdk import ConfigurationError, Phone, Progress, UploadReport, UploadStopped
from tests.rig import Rig, assert_accounts, client_of, connected, known, phones
from tests.upload.foreign import (
    CANCELLED,
    EXPIRING,
    GOOD,
    BrokenSourceError,
    Stubborn,
    ended,
    raises,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from asyncsdk import Upload

pytestmark = pytest.mark.timeout(30)  # those that hang do so in virtual time

PLENTY = phones(3000)


async def stopped(upload: Upload, seconds: float = 60.0) -> UploadStopped:
    """What stops an upload, within so many seconds."""
    with pytest.raises(UploadStopped) as caught:
        await ended(upload, seconds)
    assert caught.value.report == upload.report
    assert not upload.report.complete
    assert not upload.report.ok
    return caught.value


# a source that is cancelled from within


@pytest.mark.parametrize("batch", [4, 5000])
@pytest.mark.parametrize("kind", CANCELLED)
async def test_a_cancellation_that_nobody_here_asked_for_is_an_error(
    rig: Rig, kind: str, batch: int
) -> None:
    upload = rig.upload(CANCELLED[kind](PLENTY), batch_size=batch)
    error = await stopped(upload)
    assert isinstance(error.cause, asyncio.CancelledError)
    assert error.report.submitted == GOOD
    assert error.report.stopped_by == "error"
    assert_accounts(error.report, rig.sandbox, PLENTY)


@pytest.mark.parametrize("kind", CANCELLED)
async def test_whoever_iterates_is_told_too(rig: Rig, kind: str) -> None:
    upload, seen = rig.upload(CANCELLED[kind](PLENTY), batch_size=5), list[int]()

    async def consume() -> None:
        async for result in upload:
            seen.append(result.index)

    with pytest.raises(UploadStopped) as caught:
        await ended(consume())
    assert isinstance(caught.value.cause, asyncio.CancelledError)
    assert sorted(seen) == list(range(upload.report.submitted))


async def test_what_a_source_makes_of_it_is_the_cause(rig: Rig) -> None:
    async def rows() -> AsyncIterator[Phone]:
        yield PLENTY[0]
        try:
            async for _ in CANCELLED["a cancelled task"](PLENTY):  # type: ignore[attr-defined]
                pass
        except asyncio.CancelledError:
            raise BrokenSourceError from None

    assert isinstance((await stopped(rig.upload(rows()))).cause, BrokenSourceError)


async def test_a_source_that_gets_over_it_goes_on(rig: Rig) -> None:
    async def rows() -> AsyncIterator[Phone]:
        for row in PLENTY[:50]:
            task = asyncio.create_task(asyncio.sleep(100))
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            yield row

    report = await ended(rig.upload(rows(), batch_size=10))
    assert isinstance(report, UploadReport)
    assert report.ok
    assert report.created_count == 50


@pytest.mark.parametrize("error", [BrokenSourceError(), RuntimeError("boom"), GeneratorExit()])
async def test_any_other_error_stops_it_likewise(rig: Rig, error: BaseException) -> None:
    caught = await stopped(rig.upload(raises(error)(PLENTY), batch_size=5))
    assert caught.cause is error
    assert_accounts(caught.report, rig.sandbox, PLENTY)


# a scope around the yields


@pytest.mark.parametrize("latency", [0.1, 0.4, 3.0])
@pytest.mark.parametrize("kind", EXPIRING)
async def test_a_scope_around_the_yields_that_fires_stops_it(kind: str, latency: float) -> None:
    source, expected = EXPIRING[kind]
    async with connected(latency=latency) as rig:
        upload = rig.upload(source(PLENTY * 10), batch_size=2, concurrency=2)
        error = await stopped(upload)
        assert isinstance(error.cause, expected)
        assert error.report.elapsed == pytest.approx(5, abs=latency + 1.1)
        assert_accounts(error.report, rig.sandbox, PLENTY * 10)


MARK: ContextVar[str] = ContextVar("mark", default="")


async def with_a_variable(rows: list[Phone]) -> AsyncIterator[Phone]:
    token = MARK.set("set")
    try:
        for row in rows:
            assert MARK.get() == "set"
            yield row
    finally:
        MARK.reset(token)


async def with_a_variable_for_each(rows: list[Phone]) -> AsyncIterator[Phone]:
    for row in rows:
        token = MARK.set(row.phone)
        yield row
        assert MARK.get() == row.phone
        MARK.reset(token)


async def in_a_cancel_scope(rows: list[Phone]) -> AsyncIterator[Phone]:
    with anyio.CancelScope():
        for row in rows:
            await anyio.lowlevel.checkpoint()
            yield row


async def in_a_task_group(rows: list[Phone]) -> AsyncIterator[Phone]:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.1)
        for row in rows:
            yield row


async def in_time(rows: list[Phone]) -> AsyncIterator[Phone]:
    with anyio.fail_after(1000):
        for row in rows:
            await anyio.sleep(0.001)
            yield row


async def in_a_timeout_of_asyncio(rows: list[Phone]) -> AsyncIterator[Phone]:
    async with asyncio.timeout(1000), asyncio.TaskGroup():
        for row in rows:
            yield row


async def in_one_for_each(rows: list[Phone]) -> AsyncIterator[Phone]:
    for row in rows:
        with anyio.fail_after(100):
            await anyio.lowlevel.checkpoint()
            yield row


def with_a_variable_and_not_async(rows: list[Phone]) -> Iterator[Phone]:
    token = MARK.set("set")
    for row in rows:
        assert MARK.get() == "set"
        yield row
    MARK.reset(token)


SCOPED = [
    with_a_variable,
    with_a_variable_for_each,
    in_a_cancel_scope,
    in_a_task_group,
    in_time,
    in_a_timeout_of_asyncio,
    in_one_for_each,
    with_a_variable_and_not_async,
]


@pytest.mark.parametrize("source", SCOPED)
async def test_a_good_source_with_a_scope_around_its_yields_is_uploaded(
    rig: Rig, source: Callable[[list[Phone]], AsyncIterator[Phone]]
) -> None:
    report = await ended(rig.upload(source(PLENTY), batch_size=100, concurrency=8))
    assert isinstance(report, UploadReport)
    assert report.ok
    assert_accounts(report, rig.sandbox, PLENTY)


@pytest.mark.parametrize("end", ["stop", "cancel", "break", "deadline"])
@pytest.mark.parametrize("source", SCOPED)
async def test_its_scope_is_left_well_when_the_upload_ends_before_it(
    source: Callable[[list[Phone]], AsyncIterator[Phone]],
    end: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected(latency=1.0) as rig:
        deadline = 3.5 if end == "deadline" else None
        upload = rig.upload(source(PLENTY), batch_size=10, concurrency=4, deadline=deadline)
        if end == "break":
            async for _ in upload:
                break
        else:
            upload.start()
            await asyncio.sleep(3.2)
            if end == "cancel":
                upload.cancel()
        await ended(upload.stop())
        await ended(upload.wait_closed())
        report = upload.report
    assert not report.complete
    assert report.submitted < len(PLENTY)
    if end != "break":
        assert_accounts(report, rig.sandbox, PLENTY)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING], caplog.text


@pytest.mark.parametrize("kind", ["generator", "async generator", "iterator"])
async def test_all_rows_are_drawn_in_one_task_and_in_the_callers_context(
    rig: Rig, kind: str
) -> None:
    tasks, marks = set[object](), set[str]()

    def note() -> None:
        tasks.add(asyncio.current_task())
        marks.add(MARK.get())

    def generator() -> Iterator[Phone]:
        note()
        for row in PLENTY:
            note()
            yield row
        note()

    async def asynchronous() -> AsyncIterator[Phone]:
        try:
            for row in generator():
                note()
                await asyncio.sleep(0)
                note()
                yield row
        finally:
            note()

    class Rows:
        def __init__(self) -> None:
            self._rows = generator()

        def __aiter__(self) -> Rows:
            note()
            return self

        async def __anext__(self) -> Phone:
            note()
            try:
                return next(self._rows)
            except StopIteration:
                raise StopAsyncIteration from None

    sources = {"generator": generator, "async generator": asynchronous, "iterator": Rows}
    MARK.set("the caller's")
    report = await rig.upload(cast("Any", sources[kind])(), batch_size=50, concurrency=8)
    assert report.ok
    assert marks == {"the caller's"}
    assert len(tasks) == 1
    assert None not in tasks


async def test_what_a_source_sets_stays_with_it(rig: Rig) -> None:
    MARK.set("mine")

    async def rows() -> AsyncIterator[Phone]:
        MARK.set("the source's")
        yield PLENTY[0]

    assert (await rig.upload(rows())).ok
    assert MARK.get() == "mine"


# a source that does not end when it is told to


STUBBORN = ["in_finally", "never_in_finally", "swallowing", "retrying", "iterating"]


@pytest.mark.parametrize("kind", STUBBORN)
async def test_the_deadline_holds_against_a_stubborn_source(
    rig: Rig, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = Stubborn()
    upload = rig.upload(getattr(stubborn, kind)(PLENTY), batch_size=5, deadline=1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        report = await ended(upload, 8.0)
        assert isinstance(report, UploadReport)
        took = loop.time() - began
    finally:
        await stubborn.release()
    assert took <= 3.5
    assert report.stopped_by == "deadline"
    assert_accounts(report, rig.sandbox, PLENTY)
    warned = [r for r in caplog.records if r.levelno >= logging.WARNING and r.name == "asyncsdk"]
    left_behind = any("source" in record.getMessage() for record in warned)
    assert left_behind is (kind != "retrying")  # which yields a row in time, and ends there


@pytest.mark.parametrize("way", ["cancel", "stop", "async with", "aclose", "timeout"])
@pytest.mark.parametrize("kind", STUBBORN)
async def test_other_ways_to_end_it_hold_too(rig: Rig, kind: str, way: str) -> None:
    stubborn = Stubborn()
    async with client_of(rig.sandbox) as client:
        upload = client.phones.upload(
            rig.group_id, getattr(stubborn, kind)(PLENTY), batch_size=5, rate=None
        )
        upload.start()
        await asyncio.sleep(1)

        async def leave() -> None:
            if way == "cancel":
                upload.cancel()
                await upload.wait_closed()
            elif way == "stop":
                await upload.stop()
            elif way == "async with":
                async with upload:
                    pass
            elif way == "aclose":
                await client.aclose()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await upload

        try:
            await ended(leave(), 4.0)
        finally:
            await stubborn.release()
        assert_accounts(upload.report, rig.sandbox, PLENTY)
        assert not upload.report.complete


# what is closed, and what is not


async def test_a_receive_stream_is_left_open_with_the_rest_in_it(rig: Rig) -> None:
    send, receive = anyio.create_memory_object_stream[Phone](len(PLENTY))
    for row in PLENTY:
        send.send_nowait(row)
    async with send, receive:
        upload = rig.upload(receive, batch_size=5, rate=None, concurrency=1)
        async for _ in upload:
            break
        await upload.wait_closed()
        read = upload.report.submitted + 0
        assert read < len(PLENTY)
        assert receive.receive_nowait() == PLENTY[read]
        rest = receive.statistics().current_buffer_used
        assert rest == len(PLENTY) - read - 1


async def test_a_receive_stream_that_ends_serves_two_uploads_in_turn() -> None:
    async with connected(latency=1.0) as rig:
        send, receive = anyio.create_memory_object_stream[Phone](len(PLENTY))
        async with receive:
            async with send:
                for row in PLENTY[:200]:
                    send.send_nowait(row)
            first = rig.upload(receive, batch_size=5, concurrency=2).start()
            await asyncio.sleep(3.5)
            one = await first.stop()
            other = await rig.upload(receive, batch_size=50)
        assert one.submitted + other.submitted == 200
        created = {commit.callback_data for commit in rig.sandbox.commits}
        unsent = {result.phone.callback_data for result in one.failed}
        assert len(created | unsent) == 200
        assert not created & unsent


class Closable:
    """Rows with every method that closes something."""

    def __init__(self, rows: list[Phone]) -> None:
        self.rows = iter(rows)
        self.closed = list[str]()

    def close(self) -> None:
        self.closed.append("close")

    async def aclose(self) -> None:
        self.closed.append("aclose")


class ClosableIterator(Closable):
    def __iter__(self) -> ClosableIterator:
        return self

    def __next__(self) -> Phone:
        return next(self.rows)


class ClosableStream(Closable):
    def __aiter__(self) -> ClosableStream:
        return self

    async def __anext__(self) -> Phone:
        await asyncio.sleep(0.01)
        try:
            return next(self.rows)
        except StopIteration:
            raise StopAsyncIteration from None


@pytest.mark.parametrize("whole", [True, False], ids=["to its end", "stopped"])
@pytest.mark.parametrize("kind", [ClosableIterator, ClosableStream])
async def test_what_is_no_generator_is_not_closed(
    kind: type[Closable],
    whole: bool,  # noqa: FBT001 - a parameter
) -> None:
    async with connected(latency=0.5) as rig:
        source = kind(PLENTY)
        upload = rig.upload(source, batch_size=5 if not whole else 500, concurrency=2).start()
        if not whole:
            await asyncio.sleep(1.2)
            await upload.stop()
        report = await upload
        assert report.complete is whole
        assert source.closed == []
        assert len(list(source.rows)) == len(PLENTY) - report.submitted


@pytest.mark.parametrize("way", ["stop", "cancel", "deadline", "402"])
@pytest.mark.parametrize("kind", ["generator", "async generator"])
async def test_generators_are_closed_by_the_time_it_has_ended(kind: str, way: str) -> None:
    closed = list[str]()

    def generator() -> Iterator[Phone]:
        try:
            yield from PLENTY
        finally:
            closed.append("generator")

    async def asynchronous() -> AsyncIterator[Phone]:
        try:
            for row in PLENTY:
                yield row
        finally:
            await asyncio.sleep(0.1)
            closed.append("async generator")

    async with connected(latency=1.0) as rig:
        source: object = {"generator": generator, "async generator": asynchronous}[kind]()
        deadline = 3.0 if way == "deadline" else None
        upload = rig.upload(source, batch_size=5, concurrency=2, deadline=deadline).start()
        await asyncio.sleep(2.5)
        if way == "cancel":
            upload.cancel()
        elif way == "stop":
            await upload.stop()
        elif way == "402":
            rig.sandbox.faults._script = ["402"] * 9
        with suppress(UploadStopped):
            await upload
        await upload.wait_closed()
        assert closed == [kind]


# an `on_progress` that is async


class Called:
    """An `on_progress` in every form in which it may be async."""

    def __init__(self) -> None:
        self.times = 0

    async def method(self, progress: Progress) -> None:
        await asyncio.sleep(0)
        assert progress.read >= 0
        self.times += 1

    async def two(self, _: str, progress: Progress) -> None:
        await self.method(progress)

    async def __call__(self, progress: Progress) -> None:
        await self.method(progress)

    def awaitable(self, progress: Progress) -> Awaitable[None]:
        return self.method(progress)

    def future(self, progress: Progress) -> asyncio.Future[None]:
        return asyncio.ensure_future(self.method(progress))


FORMS: dict[str, Callable[[Called], Callable[[Progress], object]]] = {
    "function": lambda called: called.method,
    "partial": lambda called: partial(called.two, "x"),
    "partial of a partial": lambda called: partial(partial(called.two), "x"),
    "object": lambda called: called,
    "lambda": lambda called: lambda progress: called.two("x", progress),
    "returns an awaitable": lambda called: called.awaitable,
    "returns a future": lambda called: called.future,
}


async def refusal_of(rig: Rig, on_progress: Callable[[Progress], object]) -> BaseException | None:
    """Why an upload with this `on_progress` is refused, at once or when it begins; or None."""
    try:
        await rig.upload(phones(50), batch_size=10, on_progress=on_progress)
    except ConfigurationError as error:
        return error
    except UploadStopped as error:
        return error.cause
    return None


@pytest.mark.parametrize("form", FORMS)
async def test_an_async_on_progress_is_awaited_or_refused(form: str) -> None:
    called = Called()
    async with connected(latency=0.2) as rig:
        refusal = await refusal_of(rig, FORMS[form](called))
    if refusal is None:
        assert called.times > 1
    else:
        assert isinstance(refusal, ConfigurationError)
        assert "on_progress" in str(refusal)


async def test_errors_of_an_async_on_progress_never_end_it(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Progress) -> None:
        await asyncio.sleep(0)
        raise BrokenSourceError

    with suppress(ConfigurationError):
        assert (await rig.upload(phones(50), batch_size=10, on_progress=fail)).ok
        assert "BrokenSourceError" in caplog.text


# stopped from within


class Meddler:
    """What a callback or a source does, once, to the upload that it belongs to."""

    def __init__(self, action: str) -> None:
        self.upload: Upload
        self.tasks = list[asyncio.Task[UploadReport]]()
        self.acted = False
        acts: dict[str, Callable[[], object]] = {
            "cancel": self._cancel,
            "stop": self._stop,
            "cancel and stop": self._cancel_and_stop,
            "raise": partial(_raise, BrokenSourceError()),
            "raise a cancellation": partial(_raise, asyncio.CancelledError()),
        }
        self._act = acts[action]

    def __call__(self, *_: object) -> None:
        if not self.acted:
            self.acted = True
            self._act()

    def _cancel(self) -> None:
        self.upload.cancel()

    def _stop(self) -> None:
        self.tasks.append(asyncio.create_task(self.upload.stop()))

    def _cancel_and_stop(self) -> None:
        self._stop()
        self._cancel()


def _raise(error: BaseException) -> None:
    raise error


def acting_after(act: Callable[[], object], rows: list[Phone], count: int) -> Iterator[Phone]:
    """The rows; after so many of them it acts."""
    for i, row in enumerate(rows):
        if i == count:
            act()
        yield row


async def acting_later(act: Callable[[], object], rows: list[Phone]) -> AsyncIterator[Phone]:
    for row in acting_after(act, rows, 101):
        await asyncio.sleep(0.01)
        yield row


async def _meddled(rig: Rig, action: str, where: str) -> Upload:
    """An upload that is ended by its own callback or source; run to its end."""
    meddler = Meddler(action)
    soon = partial(asyncio.get_running_loop().call_soon, meddler)
    sources: dict[str, object] = {
        "on_progress": acting_later(bool, PLENTY),
        "source": acting_later(meddler, PLENTY),
        "soon": acting_later(soon, PLENTY),
        "generator": acting_after(meddler, PLENTY, 101),
    }

    def tell(progress: Progress) -> None:
        if progress.created >= 20 and where == "on_progress":
            meddler()

    upload = meddler.upload = rig.upload(
        sources[where], batch_size=10, concurrency=3, on_progress=tell
    )
    for work in (upload, *meddler.tasks):
        with suppress(UploadStopped):
            await ended(work)
    assert meddler.acted
    return upload


@pytest.mark.parametrize("latency", [0.0, 0.3])
@pytest.mark.parametrize("action", ["cancel", "stop", "cancel and stop"])
@pytest.mark.parametrize("where", ["on_progress", "source", "soon", "generator"])
async def test_it_may_be_ended_by_its_own_callback_or_source(
    where: str, action: str, latency: float, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(latency=latency) as rig:
        upload = await _meddled(rig, action, where)
        await asyncio.sleep(5)
    assert not upload.report.complete
    assert upload.report.submitted < len(PLENTY)
    assert upload.report.stopped_by in {"stop", "cancelled"}
    assert_accounts(upload.report, rig.sandbox, PLENTY)
    assert "AssertionError" not in caplog.text


@pytest.mark.parametrize("action", ["raise", "raise a cancellation"])
@pytest.mark.parametrize("where", ["on_progress", "generator"])
async def test_whatever_they_raise_the_account_is_whole(where: str, action: str) -> None:
    async with connected(latency=0.3) as rig:
        upload = await _meddled(rig, action, where)
    if where == "generator":
        assert not upload.report.complete
    elif action == "raise":
        assert upload.report.complete
    assert_accounts(upload.report, rig.sandbox, PLENTY)


# awaited while it is iterated


@pytest.mark.parametrize("at", [1, 7, 25, 60])
async def test_awaiting_it_within_its_own_loop_gives_the_report(rig: Rig, at: int) -> None:
    upload, seen = rig.upload(phones(100), batch_size=10, concurrency=2), list[int]()

    async def consume() -> None:
        async for result in upload:
            seen.append(result.index)
            if len(seen) == at:
                report = await upload
                assert report.complete
                assert report.submitted == report.created_count == 100

    await ended(consume())
    kept = [result.index for result in known(upload.report)]
    assert sorted([*seen, *kept]) == list(range(100))


@pytest.mark.parametrize("taken", [0, 1, 15])
async def test_awaiting_it_after_a_few_results_gives_the_report(rig: Rig, taken: int) -> None:
    upload = rig.upload(phones(100), batch_size=10, concurrency=2)
    results = aiter(upload)
    seen = [(await anext(results)).index for _ in range(taken)]
    report = await ended(upload)
    assert isinstance(report, UploadReport)
    assert (report.submitted, report.created_count) == (100, 100)
    with suppress(ConfigurationError):  # where nothing was taken, it need not be one any more
        seen += [result.index async for result in results]
    assert sorted([*seen, *(r.index for r in known(upload.report))]) == list(range(100))
    assert len(rig.sandbox.requests) == 10


async def test_another_task_may_await_it_while_it_is_iterated(rig: Rig) -> None:
    upload = rig.upload(phones(100), batch_size=10, concurrency=2)
    results = aiter(upload)
    seen = [(await anext(results)).index]
    waiting = asyncio.create_task(ended(upload))
    await asyncio.sleep(1)
    seen += [result.index async for result in results]
    assert (await waiting) == upload.report
    assert sorted([*seen, *(r.index for r in known(upload.report))]) == list(range(100))


# as a task


async def by_create_task(upload: Any) -> object:
    return await asyncio.create_task(upload)


async def by_task_group(upload: Any) -> object:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(upload)
    return task.result()


async def by_gather(upload: Any) -> object:
    return (await asyncio.gather(upload, asyncio.sleep(0)))[0]


async def by_wait_for(upload: Any) -> object:
    return await asyncio.wait_for(upload, 1000)


async def by_ensure_future(upload: Any) -> object:
    return await asyncio.ensure_future(upload)


async def by_shield(upload: Any) -> object:
    return await asyncio.shield(upload)


async def by_as_completed(upload: Any) -> object:
    (one,) = asyncio.as_completed([upload])
    return await one


async def by_another_thread(upload: Any) -> object:
    """Not by the loop's own threads: its clock would stand still for them."""
    loop, results = asyncio.get_running_loop(), list[object]()

    def run() -> None:
        results.append(asyncio.run_coroutine_threadsafe(upload, loop).result(20))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():  # noqa: ASYNC110 - a thread sets no event of the loop
        await asyncio.sleep(0.01)
    return results[0]


TASKS = [
    by_create_task,
    by_task_group,
    by_gather,
    by_wait_for,
    by_ensure_future,
    by_shield,
    by_as_completed,
    by_another_thread,
]


@pytest.mark.parametrize("run", TASKS)
async def test_everything_that_takes_an_awaitable_takes_an_upload(
    rig: Rig, run: Callable[[object], Awaitable[object]]
) -> None:
    upload = rig.upload(phones(50), batch_size=10)
    report = await run(upload)
    assert isinstance(report, UploadReport)
    assert report.ok
    assert report == upload.report
    assert_accounts(report, rig.sandbox, phones(50))


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("make", [asyncio.create_task, asyncio.ensure_future])
async def test_cancelling_such_a_task_cancels_the_upload(
    make: Callable[[Any], asyncio.Task[object]],
    started: bool,  # noqa: FBT001 - a parameter
) -> None:
    async with connected(latency=1.0) as rig:
        upload = rig.upload(PLENTY, batch_size=10, concurrency=2)
        if started:
            upload.start()
        task = make(upload)
        await asyncio.sleep(2.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ended(task)
        assert upload.report.stopped_by == "cancelled"
        assert_accounts(upload.report, rig.sandbox, PLENTY)
        requests = len(rig.sandbox.requests)
        await asyncio.sleep(10)
        assert len(rig.sandbox.requests) == requests


async def in_a_group_that_fails(uploads: list[Upload]) -> None:
    async with asyncio.TaskGroup() as group:
        for upload in uploads:
            group.create_task(cast("Any", upload))
        await asyncio.sleep(2.5)
        raise BrokenSourceError


async def test_a_task_group_that_fails_cancels_the_uploads_in_it() -> None:
    async with connected(latency=1.0) as rig:
        uploads = [rig.upload(PLENTY, batch_size=10, concurrency=2) for _ in range(3)]
        with pytest.raises(ExceptionGroup):
            await in_a_group_that_fails(uploads)
        for upload in uploads:
            report = upload.report
            assert report.stopped_by == "cancelled"
            counts = (report.created_count, report.invalid_count, report.failed_count)
            assert report.submitted == sum(counts)


# one that nobody awaits


def told_in(caplog: pytest.LogCaptureFixture, *words: str) -> bool:
    """Whether somebody who reads the log is told of this."""
    return any(
        record.levelno >= logging.WARNING
        and record.name.startswith("asyncsdk")
        and all(word in record.getMessage() + str(record.exc_text) for word in words)
        for record in caplog.records
    )


@pytest.mark.parametrize("held", [True, False], ids=["held", "let go"])
@pytest.mark.parametrize(
    "error", [BrokenSourceError("no such table"), KeyError("phone"), OSError(5, "no such table")]
)
async def test_a_started_upload_that_dies_unheard_says_so(
    rig: Rig,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    held: bool,  # noqa: FBT001 - a parameter
) -> None:
    upload = rig.upload(raises(error)(PLENTY), batch_size=5)
    upload.start()
    if not held:
        del upload
    await asyncio.sleep(5)
    gc.collect()
    await asyncio.sleep(1)
    text = "phone" if isinstance(error, KeyError) else "no such table"
    assert told_in(caplog, type(error).__name__, text)


async def test_so_does_one_that_the_server_stops(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as rig, client_of(rig.sandbox, api_key="wrong") as client:
        client.phones.upload(rig.group_id, phones(10)).start()
        await asyncio.sleep(5)
        gc.collect()
    assert told_in(caplog, "AuthenticationError", "API key")


class MuteError(Exception):
    """An error that fails when it is asked what it says."""

    def __str__(self) -> str:
        raise BrokenSourceError

    __repr__ = __str__


async def test_an_error_that_cannot_say_what_it_is(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    error = await stopped(rig.upload(raises(MuteError())(PLENTY), batch_size=5))
    assert "MuteError" in str(error)
    assert "MuteError" in str(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own
    assert "an upload stops: MuteError" in caplog.text
