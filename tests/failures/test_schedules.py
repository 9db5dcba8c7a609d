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

from asyncsdk import Adaptive, FailureLimit, Outcome, Phone, RetryPolicy, UploadStopped
from asyncsdk.sandbox import FAULTS, STYLES, Faults
from tests.leaping import run_leaping
from tests.rig import assert_accounts, connected, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from asyncsdk import PhoneResult, Upload, UploadReport
    from tests.rig import Rig

SCHEDULES = 2000

QUIET = 20.0
"""Longer than a "late" batch takes, and than a request's timeout."""

# Without echoes and ids the commit log cannot be compared by id; the table test has it.
NAMES = sorted(set(FAULTS) - {"no-echo"})

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
        on_unknown=draw(st.sampled_from(["report", "reconcile"])),
        ending=draw(st.sampled_from(ENDINGS)),
        moment=draw(st.floats(0.0, 12.0)),
        asynchronous=draw(st.booleans()),
    )


def rows_of(schedule: Schedule) -> list[Phone]:
    """Each number occurs twice, as phones of their own, unless an order by number must be found."""
    numbers = [phone.phone for phone in phones(schedule.rows)]
    copies = 1 if "reorder" in schedule.shares else 2
    return [
        Phone("nobody" if i in schedule.bad else numbers[i // copies], callback_data=str(i))
        for i in range(schedule.rows)
    ]


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
        assert_accounts(report, rig.sandbox, source)
    copies = Counter(commit.callback_data for commit in rig.sandbox.commits)
    assert all(count == 1 for count in copies.values())
    created = {
        r.phone.callback_data for r in [*seen, *report.results()] if r.outcome is Outcome.CREATED
    }
    assert created <= set(copies)


async def play(schedule: Schedule) -> None:
    faults = Faults(schedule.shares, seed=schedule.seed, limit=schedule.limit, delay=3.0)
    box = {"faults": faults, "style": schedule.style, "latency": schedule.latency}
    async with connected(**box, client={"timeout": 2.0}) as rig:
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
