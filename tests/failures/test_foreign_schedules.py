"""Random schedules once more, with sources and callbacks that misbehave on top of the faults."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsdk import UploadStopped
from tests.effort import effort
from tests.failures.test_schedules import (
    QUIET,
    BrokenSourceError,
    Schedule,
    held_of,
    judge,
    options_of,
    rows_of,
    schedules,
)
from tests.leaping import run_leaping
from tests.rig import connected
from tests.upload.foreign import CANCELLED, EXPIRING, Stubborn, raises

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from asyncsdk import Phone, Progress, Upload

SCHEDULES = effort(300, 3000)

STUBBORN = ("in_finally", "never_in_finally", "swallowing", "retrying", "iterating")
CALLBACKS = ("none", "counts", "raises", "cancels itself", "stops", "cancels", "awaits a stop")
PATIENCE = 60.0
"""Seconds after which every upload is over: with a deadline, whatever its source does."""


async def _endless(rows: Iterable[Phone]) -> AsyncIterator[Phone]:
    for row in rows:
        yield row
    await asyncio.sleep(10**6)


MAKERS: dict[str, Callable[[Iterable[Phone]], object]] = {
    "good": list,
    "endless": _endless,
    "raises": raises(BrokenSourceError()),
    "exits": raises(GeneratorExit()),
    **CANCELLED,
    **{name: make for name, (make, _) in EXPIRING.items()},
}


def source_of(kind: str, rows: list[Phone], stubborn: Stubborn) -> object:
    """A source of this kind."""
    make = getattr(stubborn, kind) if kind in STUBBORN else MAKERS[kind]
    return make(rows)


@frozen
class Foreign:
    """A schedule, and the foreign code in it."""

    schedule: Schedule
    source: str
    callback: str
    calls: int


@st.composite
def foreign_schedules(draw: st.DrawFn) -> Foreign:
    schedule = draw(schedules())
    return Foreign(
        schedule=evolve(schedule, ending=draw(st.sampled_from(["cancel", "stop", "deadline"]))),
        source=draw(st.sampled_from(sorted([*MAKERS, *STUBBORN]))),
        callback=draw(st.sampled_from(CALLBACKS)),
        calls=draw(st.integers(1, 4)),
    )


def callback_of(foreign: Foreign, upload: Callable[[], Upload]) -> Callable[[Progress], object]:
    """What is called with the progress, and does something the so-manieth time."""
    calls = 0

    def act(progress: Progress) -> object:
        nonlocal calls
        calls += 1
        settled = progress.created + progress.invalid + progress.failed
        assert settled <= progress.read
        if calls < foreign.calls:
            return None
        match foreign.callback:
            case "raises":
                raise BrokenSourceError
            case "cancels itself":
                raise asyncio.CancelledError
            case "cancels":
                upload().cancel()
            case "stops":
                return asyncio.ensure_future(upload().stop())
            case "awaits a stop":
                return upload().stop()
        return None

    return act


async def play(foreign: Foreign) -> None:
    schedule, stubborn = foreign.schedule, Stubborn()
    rows = rows_of(schedule)
    async with connected(**schedule.box, client={"timeout": 2.0}) as rig:
        rig.sandbox.hold(rig.group_id, held_of(schedule))
        options: dict[str, Any] = options_of(schedule)
        if foreign.callback != "none":
            options["on_progress"] = callback_of(foreign, lambda: upload)
        upload = rig.upload(source_of(foreign.source, rows, stubborn), **options)
        upload.start()
        with suppress(UploadStopped, TimeoutError):
            if schedule.ending == "deadline":
                await asyncio.wait_for(upload.wait_closed(), schedule.moment + PATIENCE)
            else:
                await asyncio.sleep(schedule.moment)
                if schedule.ending == "stop":
                    await upload.stop()
                upload.cancel()
        await asyncio.wait_for(upload.wait_closed(), PATIENCE)
        report = upload.report
        await stubborn.release()
        await asyncio.sleep(QUIET)
    judge(schedule, report, [], rig)
    troubled = foreign.source not in {"good", "in_finally", "retrying"}
    if troubled and schedule.rows > report.submitted:
        assert not report.complete
    assert upload.report.submitted == report.submitted


@settings(max_examples=SCHEDULES)
@given(foreign_schedules())
def test_the_accounts_hold_whatever_sources_and_callbacks_do(foreign: Foreign) -> None:
    run_leaping(play(foreign))
