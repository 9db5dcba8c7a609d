"""Random mixtures of all faults, with random endings: the accounts hold, whatever happens.

Time is virtual, and everything runs in one loop, so that thousands of schedules fit into CI.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsdk import Adaptive, FailureLimit, Outcome, Phone, Rate, RetryPolicy, UploadStopped
from asyncsdk.numbers import tail
from asyncsdk.sandbox import FAULTS, STYLES, Faults
from tests.effort import effort
from tests.leaping import run_leaping
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from asyncsdk import PhoneResult, Upload, UploadReport
    from tests.rig import Rig

SCHEDULES = effort(700, 4000)

QUIET = 20.0
"""Longer than a "late" batch takes, and than a request's timeout."""

NAMES = sorted(FAULTS)

LONG = "x" * 2000
"""A column that is too long for the server, and not looked at before."""

SPLITS: list[dict[str, Any]] = [
    {},
    {},
    {"max_batch": 4},
    {"whole_batch_errors": True},
    {"whole_batch_errors": True, "row_paths": None},
    {"whole_batch_errors": True, "row_paths": "{i}.{field}", "max_batch": 3},
]
"""How the server refuses batches with a row that it does not take, and those that are too large."""

ENDINGS = ("none", "none", "cancel", "stop", "deadline", "limit", "break", "source", "handle")


class BrokenSourceError(Exception):
    """What a caller's own source may raise."""


@frozen
class Schedule:
    """One run: what is uploaded, what goes wrong, and how it ends."""

    rows: int
    bad: frozenset[int]
    batch: int
    concurrency: int | Adaptive
    shares: dict[str, float]
    limit: int
    seed: int
    style: str
    latency: float
    on_unknown: str
    ending: str
    moment: float
    asynchronous: bool
    rate: Rate | None
    normalize: str | None
    split: int
    duplicates: str
    existing: str
    held: frozenset[int]
    """Rows whose numbers the group holds from before, in another spelling."""

    @property
    def box(self) -> dict[str, Any]:
        """The options of its sandbox."""
        faults = Faults(self.shares, seed=self.seed, limit=self.limit, delay=3.0)
        box = {"faults": faults, "style": self.style, "latency": self.latency}
        return {**box, **SPLITS[self.split]}

    @property
    def law(self) -> dict[str, bool]:
        """What the law of accounts has to allow for."""
        return {"resent": self.on_unknown == "resend", "ids": "no-echo" not in self.shares}


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    rows = draw(st.integers(0, 60))
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    return Schedule(
        rows=rows,
        bad=draw(st.frozensets(st.integers(0, 59), max_size=5)),
        batch=draw(st.integers(1, 15)),
        concurrency=draw(st.integers(1, 6) | st.just(Adaptive(1, 6))),
        shares={name: draw(st.sampled_from([0.1, 0.2, 0.25])) for name in names},
        limit=draw(st.integers(0, 12)),
        seed=draw(st.integers(0, 1000)),
        style=draw(st.sampled_from(sorted(STYLES))),
        latency=draw(st.sampled_from([0.0, 0.3, 1.5])),
        on_unknown=draw(st.sampled_from(["report", "reconcile", "reconcile", "resend"])),
        ending=draw(st.sampled_from(ENDINGS)),
        moment=draw(st.floats(0.0, 12.0)),
        asynchronous=draw(st.booleans()),
        rate=draw(st.sampled_from([None, None, Rate(5, per=1.0), Rate(40, per=1.0)])),
        normalize=draw(st.sampled_from([None, "DE"])),
        split=draw(st.integers(0, len(SPLITS) - 1)),
        duplicates=draw(st.sampled_from(["send", "send", "skip"])),
        existing=draw(st.sampled_from(["send", "send", "skip"])),
        held=draw(st.frozensets(st.integers(0, 59), max_size=20)),
    )


def rows_of(schedule: Schedule) -> list[Phone]:
    """Each number occurs twice, as phones of their own, unless an order by number must be found."""
    numbers = [phone.phone for phone in phones(schedule.rows)]
    copies = 1 if "reorder" in schedule.shares else 2
    return [_row(schedule, i, numbers[i // copies]) for i in range(schedule.rows)]


def _row(schedule: Schedule, index: int, number: str) -> Phone:
    """A phone, or what the server finds bad: no number, or a column that is too long."""
    spelled = f"0{number[3:]}" if schedule.normalize and index % 2 else number
    if index not in schedule.bad:
        return Phone(spelled, callback_data=str(index))
    if index % 2:
        return Phone(spelled, a=LONG, callback_data=str(index))
    return Phone("nobody", callback_data=str(index))


def source_of(schedule: Schedule) -> Iterator[Phone] | AsyncIterator[Phone]:
    breaks = int(schedule.moment * 5) if schedule.ending == "source" else None

    def rows() -> Iterator[Phone]:
        for i, phone in enumerate(rows_of(schedule)):
            if i == breaks:
                raise BrokenSourceError
            yield phone

    async def asynchronous() -> AsyncIterator[Phone]:
        for phone in rows():
            await asyncio.sleep(0.01)
            yield phone

    return asynchronous() if schedule.asynchronous else rows()


def options_of(schedule: Schedule) -> dict[str, Any]:
    return {
        "batch_size": schedule.batch,
        "concurrency": schedule.concurrency,
        "on_unknown": schedule.on_unknown,
        "quiet_period": QUIET,
        "retry": RetryPolicy(attempts=15, base=0.1, max_wait=10_000.0),
        "deadline": schedule.moment + 0.001 if schedule.ending == "deadline" else None,
        "stop_when": FailureLimit(count=3) if schedule.ending == "limit" else None,
        "rate": schedule.rate,
        "normalize": schedule.normalize,
        "duplicates": schedule.duplicates,
        "existing": schedule.existing,
        "validate": False,
    }


async def run(schedule: Schedule, upload: Upload) -> list[PhoneResult]:
    """Run the upload to the ending that is planned; returns the results that were iterated."""
    seen: list[PhoneResult] = []
    with suppress(UploadStopped):
        if schedule.ending == "break":
            async for result in upload:
                seen.append(result)
                if len(seen) > schedule.moment * 5:
                    break
        elif schedule.ending == "cancel":
            with suppress(TimeoutError):
                async with asyncio.timeout(schedule.moment):
                    await upload
        elif schedule.ending == "handle":
            upload.start()
            await asyncio.sleep(schedule.moment)
            upload.cancel()
            assert not (await upload).complete or upload.report.submitted == schedule.rows
        elif schedule.ending == "stop":
            upload.start()
            await asyncio.sleep(schedule.moment)
            await upload.stop()
        else:
            await upload
    return seen


def judge(schedule: Schedule, report: UploadReport, seen: list[PhoneResult], rig: Rig) -> None:
    source = rows_of(schedule)
    assert not ({r.index for r in seen} & {r.index for r in report.results()})
    if seen:
        assert report.submitted == len(seen) + len(list(report.results()))
    else:
        assert_accounts(report, rig.sandbox, source, **schedule.law)
    copies = Counter(commit.callback_data for commit in rig.sandbox.commits)
    assert schedule.on_unknown == "resend" or all(count == 1 for count in copies.values())
    created = {
        r.phone.callback_data for r in [*seen, *report.results()] if r.outcome is Outcome.CREATED
    }
    assert created <= set(copies)
    judge_skipping(schedule, [*seen, *report.results()])


def held_of(schedule: Schedule) -> list[str]:
    """What the group holds from before: `0049 160 …`, where the list has `+49160…` or `0160…`."""
    numbers = [phone.phone for phone in phones(schedule.rows)]
    return [f"0049 {numbers[i][3:]}" for i in sorted(schedule.held) if i < schedule.rows]


def judge_skipping(schedule: Schedule, results: list[PhoneResult]) -> None:
    """Nothing is sent that was to be skipped."""
    sent = Counter(tail(r.phone.phone) for r in results if r.outcome is Outcome.CREATED)
    if schedule.existing == "skip":
        assert not sent.keys() & set(map(tail, held_of(schedule)))
    if schedule.duplicates == "skip":
        assert all(count == 1 for count in sent.values())
    skipping = "skip" in {schedule.duplicates, schedule.existing}
    assert skipping or all(r.outcome is not Outcome.SKIPPED for r in results)


async def play(schedule: Schedule) -> None:
    async with connected(**schedule.box, client={"timeout": 2.0}) as rig:
        rig.sandbox.hold(rig.group_id, held_of(schedule))
        upload = rig.upload(source_of(schedule), **options_of(schedule))
        seen = await run(schedule, upload)
        report = upload.report
        await asyncio.sleep(QUIET)  # what the server still does is in its log before it is asked
        assert len(asyncio.all_tasks()) <= 1 + len(rig.sandbox.groups) + 5
    judge(schedule, report, seen, rig)
    if schedule.ending == "none" and not schedule.shares:
        assert report.failed_count == 0


@settings(max_examples=SCHEDULES)
@given(schedules())
def test_the_accounts_hold_under_every_schedule(schedule: Schedule) -> None:
    run_leaping(play(schedule))
