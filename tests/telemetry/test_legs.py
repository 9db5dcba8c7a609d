"""No trace has more than 500 spans of an upload, however long it is."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from asyncsdk.sandbox import Faults
from tests.rig import connected, numbers
from tests.telemetry.collected import Collected


def traces(got: Collected) -> Counter[int]:
    """How many spans each trace has."""
    return Counter(span.context.trace_id for span in got.spans if span.context)


@pytest.mark.parametrize("requests", [490, 500, 3_000])
async def test_a_long_upload_is_many_short_traces(requests: int) -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        report = await rig.upload(numbers(requests), batch_size=1, concurrency=4)
    assert report.created_count == report.requests == len(got.requests) == requests
    (upload,) = got.named("asyncsdk.upload")
    legs = got.named("asyncsdk.upload.leg")
    assert max(traces(got).values()) <= 500
    assert len(traces(got)) == 1 + len(legs) == -(-requests // 490)
    assert [(leg.attributes or {})["asyncsdk.leg"] for leg in legs] == [*range(1, len(legs) + 1)]
    for leg in legs:
        assert leg.parent is None
        assert [link.context for link in leg.links] == [upload.context]
    below = Counter(span.parent.span_id for span in got.requests if span.parent)
    for leg in legs:
        assert leg.context is not None
        assert leg.attributes is not None
        assert below[leg.context.span_id] == leg.attributes["asyncsdk.requests"]
    assert below.total() == requests


async def test_a_leg_lasts_as_long_as_its_requests() -> None:
    got = Collected()
    faults = Faults({"slow": 0.2}, delay=2.0, seed=3)
    async with connected(faults=faults, client=got.client) as rig:
        await rig.upload(numbers(1_100), batch_size=1, concurrency=16)
    ends = {s.context.span_id: s.end_time for s in got.spans if s.context}
    for span in got.requests:
        assert span.parent is not None
        assert ends[span.parent.span_id] is not None
        assert span.end_time is not None
        assert span.end_time <= (ends[span.parent.span_id] or 0)


async def test_those_of_a_sender_that_is_open_for_days_end_soon_after_their_requests() -> None:
    """A span is seen only once it has ended."""
    got = Collected()
    async with connected(client=got.client) as rig:
        async with rig.client.phones.sender(rig.group_id, rate=None) as sender:
            for number in numbers(5):
                await sender.add(number)
                await asyncio.sleep(700)
            assert [s.name for s in got.seen.ended].count("asyncsdk.upload.leg") == 4
        assert len(got.named("asyncsdk.upload.leg")) == 4
    assert len(got.requests) == 5


async def test_one_that_is_left_out_of_a_sample_is_so_in_whole() -> None:
    got = Collected(ParentBased(ALWAYS_OFF))
    async with connected(client=got.client) as rig:
        await rig.upload(numbers(600), batch_size=1)
    assert not got.spans
    assert got.total("asyncsdk.phones") == 600
