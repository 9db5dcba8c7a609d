"""Single phones of many callers: each hears what became of its own, and all are in one account."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from collections import Counter
from contextlib import suppress
from types import NoneType
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsdk import (
    Adaptive,
    AuthenticationError,
    ConfigurationError,
    Delivery,
    FailureLimit,
    NotFoundError,
    Outcome,
    Phone,
    Rate,
    RetryPolicy,
    UploadStopped,
)
from asyncsdk.sandbox import Faults, RequestLimit
from tests.effort import effort
from tests.leaping import run_leaping
from tests.rig import Rig, assert_accounts, connected, numbers, phones
from tests.upload.test_rate import busiest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk import PhoneResult, UploadReport
    from asyncsdk.upload.sender import Sender

LINGER = 0.05


def sender_of(rig: Rig, **options: Any) -> Sender:
    return rig.client.phones.sender(rig.group_id, **options)


async def added(sender: Sender, rows: Sequence[Any]) -> list[PhoneResult]:
    """The results of rows that are added at the same moment."""
    return await asyncio.gather(*(sender.add(row) for row in rows))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_phone_goes_up_and_its_caller_hears_of_it(rig: Rig) -> None:
    async with sender_of(rig) as sender:
        result = await sender.add(Phone("+491600000001", a="Ada"))
        assert sender.pending == 0
        assert sender.progress.created == 1
    assert result.outcome is Outcome.CREATED
    assert result.phone == Phone("+491600000001", a="Ada")
    assert result.created is not None
    assert rig.stored == ["+491600000001"]
    assert sender.report.ok
    assert [r.index for r in sender.report.created] == [0]


async def test_the_phones_of_all_callers_travel_together(rig: Rig) -> None:
    async with sender_of(rig) as sender:
        results = await added(sender, phones(700))
    assert rig.batches == [700]
    assert [r.index for r in results] == list(range(700))
    assert [r.phone for r in results] == phones(700)
    assert_accounts(sender.report, rig.sandbox, phones(700))


@pytest.mark.parametrize("linger", [0.0, 0.05, 3.0])
async def test_a_batch_leaves_once_its_first_phone_has_waited(rig: Rig, linger: float) -> None:
    async with sender_of(rig, linger=linger) as sender:
        await rig.client.me()
        began = now()
        first = asyncio.create_task(sender.add("+491600000001"))
        await asyncio.sleep(linger * 0.9)
        second = asyncio.create_task(sender.add("+491600000002"))
        await first
        assert linger <= now() - began <= linger + 0.02
        await second
    assert rig.batches[1:] == ([2] if linger else [1, 1])


async def test_a_full_batch_waits_for_nothing(rig: Rig) -> None:
    async with sender_of(rig, linger=60.0, batch_size=10) as sender:
        began = now()
        await added(sender, phones(30))
        assert now() - began < 1
        late = asyncio.create_task(sender.add("+491700000000"))
        await asyncio.sleep(59)
        assert not late.done()
        await late
    assert rig.batches == [10, 10, 10, 1]


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2500])
async def test_odd_numbers(rig: Rig, count: int) -> None:
    async with sender_of(rig) as sender:
        results = await added(sender, phones(count))
    assert {r.outcome for r in results} == {Outcome.CREATED}
    assert_accounts(sender.report, rig.sandbox, phones(count))


async def test_nobody_adds_anything(rig: Rig) -> None:
    async with sender_of(rig) as sender:
        assert sender.report.submitted == 0
    assert sender.report.ok
    assert rig.batches == []


async def test_a_bad_row_is_its_callers_alone(rig: Rig) -> None:
    rows: list[Any] = [None, 1.5, b"+49", [], object(), {"phone": ""}, "x" * 200, {"tel": "+49"}]
    async with sender_of(rig) as sender:
        for row in rows * 40:  # more than it takes to be sure that a source is no list of phones
            assert (await sender.add(row)).outcome is Outcome.INVALID
        good = await sender.add("+491600000001")
    assert good.outcome is Outcome.CREATED
    assert rig.stored == ["+491600000001"]
    assert sender.report.invalid_count == 320


async def test_rows_that_raise_sink_nobody_elses(rig: Rig) -> None:
    class Hostile(dict[str, str]):
        def __iter__(self) -> Any:
            raise ValueError

        keys = items = values = __getitem__ = __iter__  # type: ignore[assignment]

    async with sender_of(rig) as sender:
        hostile, good = await added(sender, [Hostile(phone="+49"), "+491600000001"])
    assert hostile.outcome is Outcome.INVALID
    assert good.outcome is Outcome.CREATED


async def test_a_caller_that_waits_no_more_withdraws_nothing(rig: Rig) -> None:
    async with sender_of(rig) as sender:
        tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(5)]
        await asyncio.sleep(LINGER / 2)
        for task in tasks[:3]:
            task.cancel()
        await asyncio.wait(tasks)
        assert sender.pending == 0
    assert [task.cancelled() for task in tasks] == [True] * 3 + [False] * 2
    assert_accounts(sender.report, rig.sandbox, phones(5))
    assert sender.report.created_count == 5


async def test_no_more_are_pending_than_may_be() -> None:
    async with connected(latency=1.0) as rig, sender_of(rig, max_pending=10) as sender:
        tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(35)]
        most = 0
        while not all(task.done() for task in tasks):
            most = max(most, sender.pending)
            await asyncio.sleep(0.01)
        assert most == 10
    assert [task.result().index for task in tasks] == list(range(35))  # first come first served
    assert rig.batches == [10, 10, 10, 5]


async def test_who_is_cancelled_before_it_had_a_place_is_not_sent() -> None:
    async with connected(latency=1.0) as rig:
        async with sender_of(rig, max_pending=2) as sender:
            tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(4)]
            await asyncio.sleep(LINGER)
            tasks[2].cancel()
            await asyncio.wait(tasks)
        assert sender.report.submitted == 3
        assert rig.stored == [phone.phone for i, phone in enumerate(phones(4)) if i != 2]


async def test_leaving_the_block_sends_what_waits(rig: Rig) -> None:
    async with sender_of(rig, linger=1_000.0) as sender:
        tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(7)]
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks)
    assert {r.outcome for r in results} == {Outcome.CREATED}
    assert sender.report.complete
    assert_accounts(sender.report, rig.sandbox, phones(7))


async def test_an_error_in_the_block_loses_nothing(rig: Rig) -> None:
    with pytest.raises(ZeroDivisionError):
        async with sender_of(rig, linger=1_000.0) as sender:
            tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(7)]
            await asyncio.sleep(0)
            raise ZeroDivisionError
    await asyncio.gather(*tasks)
    assert_accounts(sender.report, rig.sandbox, phones(7))


async def test_a_pause_is_waited_for_when_the_block_is_left() -> None:
    async with connected(faults=Faults.script(["429-after"] * 3, retry_after=20.0)) as rig:
        async with sender_of(rig) as sender:
            tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(3)]
            await asyncio.sleep(1)
        assert sender.report.ok
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("name", ["401", "402", "403", "404", "301"])
async def test_a_dying_sender_tells_everybody(name: str) -> None:
    faults = Faults.script(["ok", *[name] * 100], routes="all")
    async with connected(faults=faults, latency=0.5) as rig:
        sender = sender_of(rig, batch_size=10, concurrency=1, max_pending=50)
        with pytest.raises(UploadStopped) as stopped:
            async with sender:
                await sender.add("+491700000000")
                tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(80)]
                await asyncio.wait(tasks)
                heard = [task.exception() or task.result() for task in tasks]
                with pytest.raises(UploadStopped):
                    await sender.add("+491700000001")
        results = heard[:50]
        assert {r.outcome for r in results} == {Outcome.FAILED}  # type: ignore[union-attr]
        assert {r.delivery for r in results[10:]} == {Delivery.NOT_SENT}  # type: ignore[union-attr]
        assert all(r.error is not None for r in results)  # type: ignore[union-attr]
        # Who had no place yet is in no account, and hears that.
        assert {type(error) for error in heard[50:]} == {UploadStopped}
        assert stopped.value.report.submitted == 51
        assert stopped.value.report.created_count == len(rig.stored) == 1


async def test_a_wrong_key_costs_one_request() -> None:
    async with connected(client={"api_key": "wrong"}) as rig:
        with pytest.raises(UploadStopped) as stopped:
            async with sender_of(rig) as sender:
                results = await added(sender, phones(20))
                assert {r.outcome for r in results} == {Outcome.FAILED}
        assert isinstance(stopped.value.cause, AuthenticationError)
        assert len(rig.sandbox.requests) == 1


async def test_its_own_error_is_the_one_that_is_raised(rig: Rig) -> None:
    sender = rig.client.phones.sender(999_999)
    with pytest.raises(ZeroDivisionError):
        async with sender:
            await sender.add("+491600000001")
            raise ZeroDivisionError
    assert isinstance(sender.report.failed[0].error, object)
    with pytest.raises(UploadStopped) as stopped:
        await sender.add("+491600000001")
    assert isinstance(stopped.value.cause, NotFoundError)


async def test_a_client_that_is_closed_tells_everybody() -> None:
    async with connected(latency=5.0) as rig:
        sender = await sender_of(rig, batch_size=2, concurrency=1).__aenter__()
        tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(6)]
        await asyncio.sleep(1)
        await rig.client.aclose()
        results = await asyncio.gather(*tasks)
        assert [r.delivery for r in results[:2]] == [Delivery.UNKNOWN] * 2
        assert [r.delivery for r in results[2:]] == [Delivery.NOT_SENT] * 4
        with pytest.raises(ConfigurationError, match="takes no more phones"):
            await sender.add("+491600000001")
        await sender.aclose()
    assert_accounts(sender.report, rig.sandbox, phones(6))


@pytest.mark.parametrize(
    ("options", "stopped_by"),
    [({"deadline": 2.0}, "deadline"), ({"stop_when": FailureLimit(count=2)}, "stop_when")],
)
async def test_a_sender_that_has_ended_says_why(
    rig: Rig, options: dict[str, Any], stopped_by: str
) -> None:
    async with sender_of(rig, **options) as sender:
        await added(sender, ["", "", "+491600000001"])
        await asyncio.sleep(3)
        with pytest.raises(ConfigurationError, match=stopped_by):
            await sender.add("+491600000002")
    assert str(sender.report.stopped_by) == stopped_by


async def test_misuse_is_told(rig: Rig) -> None:
    sender = sender_of(rig)
    with pytest.raises(ConfigurationError, match="async with"):
        await sender.add("+491600000001")
    with pytest.raises(ConfigurationError, match="async with"):
        _ = sender.report
    async with sender:
        with pytest.raises(ConfigurationError, match="opened before"):
            await sender.__aenter__()
        other: list[BaseException] = []

        def elsewhere() -> None:
            try:
                asyncio.run(sender.add("+491600000001"))
            except ConfigurationError as error:
                other.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert "another event loop" in str(other[0])
    with pytest.raises(ConfigurationError, match="closed"):
        await sender.add("+491600000001")
    await sender.aclose()
    with pytest.raises(TypeError, match="phones"):
        sender_of(rig, phones=[])
    with pytest.raises(ConfigurationError, match="max_pending"):
        sender_of(rig, max_pending=0)
    with pytest.raises(ConfigurationError, match="linger"):
        sender_of(rig, linger=-1)
    with pytest.raises(ConfigurationError, match="batch_size"):
        sender_of(rig, batch_size=0)


async def test_one_that_is_left_open_warns(rig: Rig) -> None:
    sender = await sender_of(rig).__aenter__()
    await rig.client.aclose()
    with pytest.warns(ResourceWarning, match="aclose"):
        del sender
        for _ in range(3):
            await asyncio.sleep(0.1)
            gc.collect()


async def test_options_are_those_of_an_upload(rig: Rig) -> None:
    async with sender_of(
        rig, columns={"phone": "Mobil"}, normalize="DE", duplicates="skip", keep_created=False
    ) as sender:
        first = await sender.add({"Mobil": "0160 1234567", "Name": "Ada"})
        second = await sender.add({"Mobil": "+49 160 1234567"})
    assert first.number == "+491601234567"
    assert second.outcome is Outcome.SKIPPED
    assert rig.stored == ["+491601234567"]
    assert sender.report.created_count == 1
    assert list(sender.report.created) == []


async def test_a_dry_run_sends_nothing_and_holds_no_permit() -> None:
    async with connected(client={"rate": Rate(1, per=1.0)}) as rig:
        async with sender_of(rig, dry_run=True) as sender:
            for phone in phones(10):
                assert (await sender.add(phone)).outcome is Outcome.SKIPPED
        began = now()
        await rig.client.me()
        assert now() - began < 0.1
    assert rig.batches == [None]


async def test_a_permit_that_is_not_used_is_given_back() -> None:
    """Each of these batches comes to nothing after its permit was waited for."""
    async with connected(client={"rate": Rate(3, per=1.0)}) as rig:
        for _ in range(5):
            async with sender_of(rig) as sender:
                await added(sender, ["", "", ""])
        upload = sender_of(rig)
        async with upload as sender:
            tasks = [asyncio.create_task(sender.add(phone)) for phone in phones(3)]
            await asyncio.sleep(LINGER)
        await asyncio.gather(*tasks)
        began = now()
        await rig.client.phones.upload(rig.group_id, phones(30), batch_size=1, rate=None)
        assert now() - began <= 30 / 3 * 1.1 + 1
    assert busiest(rig.arrivals, 1.0) <= 3


async def test_many_handlers_and_a_tight_limit() -> None:
    """A thousand phones a second, ten requests a second: each waits for no more than its turn."""
    latency = 0.02
    limit = RequestLimit(10, per=1.0)
    async with connected(
        client={"rate": Rate(10, per=1.0)}, request_limit=limit, latency=latency
    ) as rig:
        taken: list[float] = []

        async def handler(sender: Sender, number: int) -> None:
            for turn in range(effort(20, 50)):
                began = now()
                row = Phone(numbers(1)[0], callback_data=str(number * 1000 + turn))
                result = await sender.add(row)
                assert result.outcome is Outcome.CREATED
                taken.append(now() - began)
                await asyncio.sleep(max(0.0, began + 0.2 - now()))

        async with sender_of(rig) as sender:
            await asyncio.gather(*(handler(sender, number) for number in range(200)))
    assert sender.report.ok
    assert sender.report.retries == 0
    assert len(rig.stored) == len(taken) == sender.report.created_count
    assert busiest(rig.arrivals, 1.0) <= 10
    turn = 0.1
    taken.sort()
    assert taken[len(taken) // 2] <= LINGER + turn / 2 + latency + 0.01
    assert taken[int(len(taken) * 0.99)] <= LINGER + turn + latency + 0.01


async def test_a_pause_gathers_phones_in_one_batch() -> None:
    """No batches are cut while none may leave."""
    faults = Faults.script(["429-after"], retry_after=5.0)
    async with connected(faults=faults) as rig, sender_of(rig) as sender:
        tasks = []
        for phone in phones(40):
            tasks.append(asyncio.create_task(sender.add(phone)))
            await asyncio.sleep(0.1)
        await asyncio.gather(*tasks)
    assert rig.batches[0] == rig.batches[1]
    assert len(rig.batches) == 3
    assert_accounts(sender.report, rig.sandbox, phones(40))


@pytest.mark.parametrize("name", ["reset-after", "500-after", "500"])
async def test_what_is_unknown_is_looked_up_while_the_sender_is_open(name: str) -> None:
    async with (
        connected(faults=Faults.script(["ok", name])) as rig,
        sender_of(rig, on_unknown="reconcile", quiet_period=5.0) as sender,
    ):
        await sender.add(Phone("+491700000000", callback_data="0"))
        rows = [Phone(n, callback_data=str(i)) for i, n in enumerate(numbers(6), 1)]
        first = asyncio.create_task(added(sender, rows[:3]))
        await asyncio.sleep(1)
        later = asyncio.create_task(added(sender, rows[3:]))
        results = await first + await later
        assert {r.outcome for r in results} == {Outcome.CREATED}
        await sender.add(Phone("+491700000001", callback_data="7"))
    assert sorted(commit.callback_data or "" for commit in rig.sandbox.commits) == list("01234567")


@frozen
class Play:
    """A sender that meets faults, callers that come and go, and how it ends."""

    shares: dict[str, float]
    seed: int
    gaps: list[float]
    """Seconds between two callers."""
    cancelled: set[int]
    rate: Rate | None
    ending: str
    options: dict[str, Any]


plays = st.builds(
    Play,
    shares=st.dictionaries(
        st.sampled_from(["reset-before", "reset-after", "503", "429", "413", "500", "truncate"]),
        st.sampled_from([0.05, 0.2]),
        max_size=3,
    ),
    seed=st.integers(0, 10_000),
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.2]), min_size=1, max_size=60),
    cancelled=st.sets(st.integers(0, 59)),
    rate=st.sampled_from([None, Rate(1, per=0.1), Rate(5, per=1.0), Rate(20, per=1.0)]),
    ending=st.sampled_from(["leave", "error", "close", "deadline"]),
    options=st.fixed_dictionaries(
        {
            "batch_size": st.sampled_from([1, 3, 1000]),
            "on_unknown": st.sampled_from(["report", "reconcile", "resend"]),
            "max_pending": st.sampled_from([1, 5, 1000]),
            "duplicates": st.sampled_from(["send", "skip"]),
            "concurrency": st.sampled_from([1, 8, Adaptive(max=6)]),
        }
    ),
)


async def played(play: Play, rig: Rig, sender: Sender) -> list[asyncio.Task[PhoneResult]]:
    """The callers, once each has heard something."""
    tasks: list[asyncio.Task[PhoneResult]] = []

    async def add_all() -> None:
        for row, gap in zip(phones(len(play.gaps)), play.gaps, strict=True):
            tasks.append(asyncio.create_task(sender.add(row)))
            await asyncio.sleep(gap)
            if len(tasks) - 1 in play.cancelled:
                tasks[-1].cancel()
        if play.ending == "close":
            await rig.client.aclose()
        elif play.ending != "error":
            await asyncio.wait(tasks)

    with suppress(ZeroDivisionError, UploadStopped):
        async with sender:
            await add_all()
            assert 1 / (play.ending != "error")
    await asyncio.wait(tasks)
    return tasks


def judge(play: Play, rig: Rig, report: UploadReport, tasks: list[asyncio.Task[Any]]) -> None:
    """What each caller heard, what the account says and what was stored are one story."""
    kept = {r.index: r for r in report.results()}
    assert sorted(kept) == list(range(report.submitted))
    ended = [task for task in tasks if not task.cancelled()]
    heard = [task.result() for task in ended if task.exception() is None]
    assert all(kept[result.index] == result for result in heard)
    assert len({result.index for result in heard}) == len(heard)
    for task in ended:
        assert isinstance(task.exception(), (UploadStopped, ConfigurationError, NoneType))
    # The rows are in the account in the order in which they had their places.
    rows = [int(kept[i].phone.callback_data or -1) for i in range(report.submitted)]
    assert rows == sorted(rows)
    stored = Counter(int(commit.callback_data or -1) for commit in rig.sandbox.commits)
    assert stored.keys() <= set(rows)  # what is in no account was not sent
    most = math.inf if play.options["on_unknown"] == "resend" else 1
    for index, row in enumerate(rows):
        result = kept[index]
        if result.outcome is Outcome.CREATED:
            assert 1 <= stored[row] <= most
        else:
            assert stored[row] <= (most if result.delivery is Delivery.UNKNOWN else 0)


@settings(max_examples=effort(60, 1500))
@given(plays)
def test_each_hears_what_the_account_says(play: Play) -> None:
    async def scenario() -> None:
        faults = Faults(play.shares, seed=play.seed)
        async with connected(faults=faults, client={"rate": play.rate}, latency=0.03) as rig:
            deadline = 1.0 if play.ending == "deadline" else None
            retry = RetryPolicy(attempts=3)
            options = {"quiet_period": 0.2, "retry": retry, "deadline": deadline}
            sender = sender_of(rig, **options, **play.options)
            tasks = await played(play, rig, sender)
            judge(play, rig, sender.report, tasks)

    run_leaping(scenario())


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_permit_is_not_held_while_phones_are_looked_up(requests: int) -> None:
    """With one request a second it would be the only one, and the look-up waits for it."""
    faults = Faults.script(["ok", "reset-after", "ok", "reset-after"])
    async with (
        connected(faults=faults, latency=0.7, client={"rate": Rate(requests, per=1.0)}) as rig,
        sender_of(rig, on_unknown="reconcile", quiet_period=2.0) as sender,
    ):
        tasks = []
        for phone in phones(60):
            tasks.append(asyncio.create_task(sender.add(phone)))
            await asyncio.sleep(0.15)
        async with asyncio.timeout(200):
            results = await asyncio.gather(*tasks)
    assert {r.outcome for r in results} == {Outcome.CREATED}
    assert_accounts(sender.report, rig.sandbox, phones(60))
    assert busiest(rig.arrivals, 1.0) <= requests


@pytest.mark.parametrize("concurrency", [1, 2, 8, Adaptive(1, 4)])
@pytest.mark.parametrize("rate", [Rate(1, per=1.0), Rate(2, per=2.0)])
@pytest.mark.parametrize("back", ["halves", "refused for now"])
async def test_what_comes_back_and_what_is_new_share_the_least_rate(
    back: str, rate: Rate, concurrency: int | Adaptive
) -> None:
    """A batch that has its permit before a worker has room must not keep it from the others."""
    box: dict[str, Any] = {"max_batch": 1}
    if back == "refused for now":
        box = {"faults": Faults({"item-503": 0.7}, seed=2, limit=20)}
    async with connected(client={"rate": rate}, **box) as rig:
        sender = sender_of(
            rig, linger=0.0, batch_size=10, concurrency=concurrency, retry=RetryPolicy(50, base=0.1)
        )
        source = phones(40)

        async def later(index: int) -> PhoneResult:
            await asyncio.sleep(max(0, index - 20) * 0.7)
            return await sender.add(source[index])

        async with asyncio.timeout(400), sender:
            results = await asyncio.gather(*map(later, range(40)))
    assert {result.outcome for result in results} == {Outcome.CREATED}
    assert len(rig.sandbox.commits) == 40
    assert busiest(rig.arrivals, rate.per) <= rate.requests
