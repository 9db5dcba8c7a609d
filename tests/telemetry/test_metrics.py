"""What is counted: names and units as the documentation has them, sums as the report has them."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from asyncsdk import AsyncSDKError, RetryPolicy
from asyncsdk.sandbox import FAULTS, Faults
from tests.failures.raw import answer, read_request, serving
from tests.rig import client_at, connected, numbers, phones
from tests.telemetry.collected import Collected

UNITS = {
    "http.client.request.duration": "s",
    "asyncsdk.phones": "{phone}",
    "asyncsdk.paused": "s",
    "asyncsdk.retries": "{request}",
    "asyncsdk.in_flight": "{request}",
}
ATTRIBUTES = {
    "http.request.method",
    "server.address",
    "server.port",
    "url.template",
    "http.response.status_code",
    "error.type",
    "asyncsdk.outcome",
    "asyncsdk.delivery",
}
"""All that a metric may say: none of them has more than a few values."""


async def test_names_and_units() -> None:
    got = Collected()
    async with connected(faults=Faults.script(["503-after"]), client=got.client) as rig:
        await rig.upload(numbers(20), batch_size=10, concurrency=1)
    metrics = got.metrics
    assert {name: metric.unit for name, metric in metrics.items()} == UNITS
    for name in metrics:
        for attributes, _ in got.points(name):
            assert set(attributes) <= ATTRIBUTES
    page = (Path(__file__).parents[2] / "docs/pages/how-to/telemetry.md").read_text("utf-8")
    for name, unit in UNITS.items():
        row = rf"^\| `{re.escape(name)}` \| `{re.escape(unit)}` \|"
        assert re.search(row, page, re.MULTILINE), name


async def test_durations_are_as_the_conventions_want_them() -> None:
    got = Collected()
    faults = Faults({"slow": 1.0}, delay=3.0)
    async with connected(faults=faults, client=got.client) as rig:
        await rig.upload(numbers(20), batch_size=10)
        await rig.client.me()
    port = int(rig.sandbox.url.rpartition(":")[2])
    points = {
        told["url.template"]: (told, p) for told, p in got.points("http.client.request.duration")
    }
    told, batch = points["/groups/{id}/phones/batch"]
    assert told == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.template": "/groups/{id}/phones/batch",
        "http.response.status_code": 201,
    }
    assert (batch.count, round(batch.sum)) == (2, 6)
    assert batch.explicit_bounds == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25),
        *(0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    )
    assert points["/me"][1].count == 1


@pytest.mark.parametrize("name", FAULTS)
async def test_what_is_counted_is_what_the_report_says(name: str) -> None:
    got = Collected()
    faults = Faults({name: 0.5}, delay=3.0, seed=2, limit=5)
    options: dict[str, Any] = {"faults": faults, "client": {"timeout": 1.0, **got.client}}
    source: list[object] = [*phones(40), "no number", "+49160", numbers(1)[0]]
    async with connected(**options) as rig:
        upload = rig.upload(
            source, batch_size=10, duplicates="skip", retry=RetryPolicy(attempts=3, base=0.1)
        )
        with suppress(AsyncSDKError):
            await upload
    report = upload.report
    for outcome in ("created", "invalid", "failed", "skipped"):
        counted = got.total("asyncsdk.phones", asyncsdk_outcome=outcome)
        assert counted == getattr(report, f"{outcome}_count"), outcome
    unknown = got.total("asyncsdk.phones", asyncsdk_outcome="failed", asyncsdk_delivery="unknown")
    assert unknown == report.unknown_count
    assert got.total("asyncsdk.retries") == report.retries
    requests = sum(point.count for _, point in got.points("http.client.request.duration"))
    assert requests == report.requests == len(got.requests)
    assert got.total("asyncsdk.in_flight") == 0


async def test_pauses_are_counted_as_they_pass() -> None:
    got = Collected()
    faults = Faults.script(["503-after", "ok", "429-after"], retry_after=20.0)
    async with connected(faults=faults, client=got.client) as rig:
        report = await rig.upload(numbers(40), batch_size=10, concurrency=1)
        assert report.throttled >= 40
        assert got.total("asyncsdk.paused") == pytest.approx(report.throttled)
        await rig.client.me()
        assert got.total("asyncsdk.paused") == pytest.approx(report.throttled)


async def test_requests_in_flight_are_counted_while_they_are() -> None:
    got = Collected()
    together, seen = asyncio.Barrier(3), []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            sent = await read_request(reader)
            if len(sent) > 1:
                await together.wait()
                seen.append(got.total("asyncsdk.in_flight"))
                await together.wait()
            writer.write(answer(sent))

    async with serving(handler) as url, client_at(url, **got.client) as client:
        await client.phones.create_batch(
            7, numbers(1)
        )  # until then nobody knows if the key is good
        report = await client.phones.upload(7, numbers(60), batch_size=10, concurrency=3)
    assert report.created_count == 60
    assert seen == [3] * 6
    assert got.total("asyncsdk.in_flight") == 0


async def test_a_dry_run_decides_nobodys_fate() -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        await rig.upload(numbers(40), batch_size=10, dry_run=True)
    assert not got.points("asyncsdk.phones")
    assert not got.requests
    (upload,) = got.spans
    assert upload.attributes is not None
    assert upload.attributes["asyncsdk.dry_run"] is True


async def test_what_a_journal_has_is_not_counted_again(tmp_path: Path) -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        journal = tmp_path / "list.journal"
        for _ in range(2):
            report = await rig.upload(numbers(40), batch_size=10, journal=journal)
            assert report.created_count == 40
    assert got.total("asyncsdk.phones") == 40
    assert len(got.named("asyncsdk.upload")) == 2


async def test_two_clients_share_their_metrics() -> None:
    got = Collected()
    for _ in range(2):
        async with connected(client=got.client) as rig:
            await rig.upload(numbers(4))
    assert got.total("asyncsdk.phones") == 8
