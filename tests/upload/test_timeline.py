from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.sandbox import Faults
from asyncsdk.timeline import Timeline
from tests.leaping import run_leaping
from tests.rig import connected, numbers

MOMENTS = st.lists(st.floats(0, 100_000), max_size=50).map(sorted)


@given(MOMENTS)
def test_nothing_is_lost_when_slots_merge(moments: list[float]) -> None:
    timeline = Timeline(1000.0)
    for moment in moments:
        timeline.settled(1000.0 + moment, 3)
        timeline.request(1000.0 + moment, moment / 1000, again=True)
    history = timeline.history(moments[-1] if moments else 0.0)
    assert len(history.slots) <= 240
    assert sum(slot.settled for slot in history.slots) == 3 * len(moments)
    assert sum(slot.requests for slot in history.slots) == len(moments)
    assert sum(slot.retries for slot in history.slots) == len(moments)
    assert sum(count for _, count in history.classes()) == len(moments)


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0, 90)), max_size=20))
def test_pauses_that_overlap_are_counted_once(pauses: list[tuple[float, float]]) -> None:
    timeline = Timeline(0.0)
    covered, end = 0.0, 0.0
    for start, seconds in sorted(pauses):
        timeline.paused(start, start + seconds)
        covered += max(0.0, start + seconds - max(start, end))
        end = max(end, start + seconds)
    history = timeline.history(end)
    assert sum(slot.paused for slot in history.slots) == pytest.approx(covered)
    assert all(slot.paused <= history.width * 1.001 for slot in history.slots)


def test_latencies_are_known_to_a_fifth() -> None:
    timeline = Timeline(0.0)
    for at in range(1000):
        timeline.request(0.0, at / 1000, again=False)
    history = timeline.history(1.0)
    assert history.latency(0.5) == pytest.approx(0.5, rel=0.2)
    assert history.latency(0.99) == pytest.approx(0.99, rel=0.2)
    assert Timeline(0.0).history(1.0).latency(0.5) is None
    assert Timeline(0.0).history(1.0).classes() == []


def test_a_report_knows_its_course() -> None:
    async def scenario() -> None:
        async with connected(faults=Faults.script(["ok", "429-after"])) as rig:
            upload = rig.upload(numbers(500), batch_size=100, concurrency=1)
            report = await upload
        (history,) = report.history
        assert sum(slot.settled for slot in history.slots) == 500
        assert sum(slot.requests for slot in history.slots) == report.requests
        assert sum(slot.retries for slot in history.slots) == report.retries == 1
        assert sum(slot.paused for slot in history.slots) == pytest.approx(report.throttled)
        assert upload.progress.paused_by == "HTTP 429"
        assert len((report + report).history) == 2

    run_leaping(scenario())
