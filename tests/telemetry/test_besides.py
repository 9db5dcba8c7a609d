"""Beside what else watches: aiohttp's own instrumentation, faulty processors, the switch."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.utils import (
    suppress_http_instrumentation,
    suppress_instrumentation,
)
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler

from asyncsdk import Client, ConfigurationError
from asyncsdk.telemetry import Telemetry, harmless
from tests.client.provider import drained, serving
from tests.rig import assert_accounts, connected, numbers, phones
from tests.telemetry.collected import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def instrumented(got: Collected) -> Iterator[None]:
    """aiohttp watches its requests itself, and tells the same backend."""
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=got.tracer_provider, meter_provider=got.meter_provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


async def use(rig: Any) -> None:
    await rig.upload(numbers(30), batch_size=10)
    await rig.client.me()
    await drained(rig.client.groups.export(rig.group_id))
    await drained(rig.client.phones.list(rig.group_id))


async def test_no_request_is_seen_twice() -> None:
    got = Collected()
    with instrumented(got):
        async with connected(client=got.client) as rig:
            await use(rig)
    sent = len(rig.sandbox.requests)
    assert len(got.requests) == sent
    assert {s.instrumentation_scope.name for s in got.spans if s.instrumentation_scope} == {
        "asyncsdk"
    }
    counted = {
        n: sum(p.count for _, p in got.points(n)) for n, m in got.metrics.items() if "duration" in n
    }
    assert counted == {"http.client.request.duration": sent}


async def test_and_no_traceparent_goes_out_by_that() -> None:
    got = Collected()
    with instrumented(got):
        async with serving() as provider, provider.client(**got.client) as client:
            provider.body = {"id": 1}
            await client.me()
    assert "traceparent" not in {name.lower() for name in provider.asked[0].headers}


async def test_requests_of_others_are_seen_by_it_as_before() -> None:
    got = Collected()
    with instrumented(got):
        async with connected(client=got.client) as rig:
            session = rig.client._requests.transport.sessions.get(reusing=True)

            async def source() -> Any:
                async with session.get(rig.sandbox.url) as reply:
                    await reply.read()
                yield numbers(1)[0]

            await rig.upload(source())
    others = [
        s
        for s in got.requests
        if s.instrumentation_scope and s.instrumentation_scope.name != "asyncsdk"
    ]
    assert len(others) == 1


async def test_who_wants_nothing_seen_for_a_while_has_it_so() -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        with suppress_instrumentation():
            await rig.client.me()
        with suppress_http_instrumentation():
            await rig.client.me()
        assert not got.requests
        await rig.client.me()
    assert len(got.requests) == 1


# -- the switch --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["off", "OFF", " off ", "0", "false", "no"])
async def test_off_means_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_OTEL", word)
    got = Collected()
    async with connected(client=got.client) as rig:
        await use(rig)
    assert not got.spans
    assert not got.metrics


@pytest.mark.parametrize("word", ["", "on", "1", "true"])
async def test_on_is_as_if_nothing_was_said(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_OTEL", word)
    got = Collected()
    async with connected(client=got.client) as rig:
        await rig.client.me()
    assert len(got.spans) == 1


def test_a_word_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_OTEL", "of")
    with pytest.raises(ConfigurationError, match="ASYNCSDK_OTEL must be on or off, not 'of'"):
        Client("1", "key")


@pytest.mark.parametrize(
    "options",
    [
        {"tracer_provider": "x"},
        {"meter_provider": 7},
        {"propagate": "yes"},
        {"tracer_provider": Collected().meter_provider},
    ],
)
def test_what_is_no_provider_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Telemetry(**options)


@pytest.mark.parametrize("wrong", [True, "off", Telemetry, Collected().tracer_provider])
def test_what_is_no_telemetry_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"telemetry must be a Telemetry\(...\) or None"):
        Client("1", "key", telemetry=wrong)


def test_a_client_shows_what_it_showed_before() -> None:
    telemetry = Collected().telemetry()
    assert repr(Client("1", "key", telemetry=telemetry)) == repr(Client("1", "key"))


def test_from_env_takes_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_CLIENT_ID", "1")
    monkeypatch.setenv("ASYNCSDK_API_KEY", "key")
    with pytest.raises(ConfigurationError, match="telemetry"):
        Client.from_env(telemetry="on")  # type: ignore[arg-type]


# -- harm --------------------------------------------------------------------------------------


class _FaultySampler(Sampler):
    def should_sample(self, *_: object, **__: object) -> Any:
        msg = "a sampler of somebody's own"
        raise LookupError(msg)

    def get_description(self) -> str:
        return "faulty"


class _FaultyProcessor(SpanProcessor):
    def __init__(self, when: str) -> None:
        self._when = when

    def on_start(self, *_: object, **__: object) -> None:
        self._fail("start")

    def on_end(self, *_: object) -> None:
        self._fail("end")

    def _fail(self, when: str) -> None:
        if when == self._when:
            msg = "a processor of somebody's own"
            raise LookupError(msg)


@pytest.mark.parametrize("what", ["sampler", "start", "end"])
async def test_what_watches_harms_nothing(
    what: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harmless, "_told", set())
    got = Collected(_FaultySampler()) if what == "sampler" else Collected()
    if what != "sampler":
        got.tracer_provider.add_span_processor(_FaultyProcessor(what))
    source = phones(30)
    with caplog.at_level(logging.WARNING, "asyncsdk"):
        async with connected(client=got.client) as rig:
            report = await rig.upload(source, batch_size=10)
            await rig.client.me()
    assert report.created_count == 30
    assert_accounts(report, rig.sandbox, source)
    told = [record.message for record in caplog.records if record.name == "asyncsdk"]
    assert told == ["telemetry failed, and nothing else did: LookupError (said once)"]
    assert got.total("asyncsdk.in_flight") == 0
    assert got.total("asyncsdk.phones") == 30
