"""Each request is one span, as the HTTP conventions have it, below what made it."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode, format_trace_id, get_current_span

from asyncsdk import AsyncSDKError, RetryPolicy
from asyncsdk.sandbox import FAULTS, Faults
from asyncsdk.telemetry.routes import ROUTES, route_of
from tests.client.provider import drained, serving
from tests.rig import assert_accounts, client_at, connected, numbers, phones
from tests.telemetry.collected import Collected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from tests.rig import Rig

    Job = Callable[[Rig], Coroutine[Any, Any, object]]

BATCH = "POST /groups/{id}/phones/batch"


async def test_an_upload_and_its_requests() -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        await rig.upload(numbers(25), batch_size=10)
    (upload,) = got.named("asyncsdk.upload")
    assert upload.kind.name == "INTERNAL"
    assert upload.parent is None
    assert upload.attributes is not None
    assert dict(upload.attributes) == {
        "asyncsdk.group.id": rig.group_id,
        "asyncsdk.phones.created": 25,
        "asyncsdk.phones.invalid": 0,
        "asyncsdk.phones.failed": 0,
        "asyncsdk.phones.unknown": 0,
        "asyncsdk.phones.skipped": 0,
        "asyncsdk.requests": 3,
        "asyncsdk.retries": 0,
        "asyncsdk.paused": 0.0,
        "asyncsdk.dry_run": False,
    }
    requests = got.named(BATCH)
    assert {span.kind.name for span in requests} == {"CLIENT"}
    assert {span.parent and span.parent.span_id for span in requests} == {upload.context.span_id}
    port = int(rig.sandbox.url.rpartition(":")[2])
    assert sorted((dict(span.attributes or {}) for span in requests), key=str) == [
        {
            "http.request.method": "POST",
            "server.address": "127.0.0.1",
            "server.port": port,
            "url.template": "/groups/{id}/phones/batch",
            "http.response.status_code": 201,
            "asyncsdk.batch.size": size,
        }
        for size in (10, 10, 5)
    ]
    assert {span.status.status_code for span in got.spans} == {StatusCode.UNSET}
    assert {
        span.instrumentation_scope.name for span in got.spans if span.instrumentation_scope
    } == {"asyncsdk"}


async def test_every_operation_has_a_route() -> None:
    got = Collected()
    async with connected(client=got.client) as rig:
        client, groups = rig.client, rig.client.groups
        await client.me()
        made = await groups.create("new")
        await groups.get(made.id)
        await groups.update(made.id, name="newer")
        assert await drained(groups.list()) == 2
        phone = await client.phones.create(made.id, "+491601")
        assert phone.id is not None
        await client.phones.update(phone.id, "+491602")
        await client.phones.create_batch(made.id, numbers(3))
        assert await drained(client.phones.list(made.id)) == 4
        assert await drained(groups.export(made.id)) == 4
        await client.phones.delete(phone.id)
        await rig.upload(numbers(3), on_unknown="reconcile", existing="skip")
        await groups.delete(made.id)
    told = [span.name for span in got.requests]
    assert len(told) == len(rig.sandbox.requests)
    assert {name.partition(" ")[2] for name in told} == ROUTES
    for request, name in zip(rig.sandbox.requests, told, strict=True):
        path = request.path.partition("?")[0]
        assert name == f"{request.method} {re.sub(r'/[0-9]+', '/{id}', path)}"
    sizes = [(span.attributes or {})["asyncsdk.batch.size"] for span in got.named(BATCH)]
    assert sizes == [3, 3]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/me", "/me"),
        ("/groups/1/phones/batch", "/groups/{id}/phones/batch"),
        ("/phones/491601234567", "/phones/{id}"),
        ("/phones/+491601234567", None),
        ("/groups/1/phones/491601234567", None),
        ("/groups/1/phones/batch/1/2/3", None),
        ("/", None),
        ("", None),
    ],
)
def test_what_is_no_route_is_none(path: str, route: str | None) -> None:
    assert route_of(path) == route


@pytest.mark.parametrize("prefix", ["", "/lox24/v1", "/groups/7"])
async def test_a_route_begins_below_the_base_url(prefix: str) -> None:
    got = Collected()
    async with serving(status=404) as provider:
        for url in (provider.url + prefix, provider.url + prefix + "/"):
            async with client_at(url, **got.client) as client:
                for job in (client.me(), client.phones.upload(7, numbers(1))):
                    with suppress(AsyncSDKError):
                        await job
    assert {span.name for span in got.requests} == {"GET /me", BATCH}


async def test_pages_that_the_server_links_to_say_nothing_of_their_own() -> None:
    got = Collected()
    async with serving() as provider, provider.client(**got.client) as client:
        view = {"hydra:next": "/groups/of/+491601234567?key=s3cr3t"}
        provider.body = {"hydra:member": [{"id": 1, "name": "n"}], "hydra:view": view}
        await drained(client.groups.list())
    assert {span.name for span in got.requests} == {"GET /groups", "GET"}
    assert "1601234567" not in got.text
    assert "s3cr3t" not in got.text


# -- what goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_goes_wrong_each_span_ends_once_and_says_so(name: str) -> None:
    got = Collected()
    faults = Faults({name: 0.7}, delay=3.0, seed=1, limit=6, routes="all")
    options: dict[str, Any] = {"faults": faults, "client": {"timeout": 1.0, **got.client}}
    source = phones(30)
    async with connected(**options) as rig:
        upload = rig.upload(
            source, batch_size=10, retry=RetryPolicy(attempts=3, base=0.1), on_unknown="resend"
        )
        with suppress(AsyncSDKError):
            await upload
        assert_accounts(upload.report, rig.sandbox, source, resent=True, ids=False)
        for job in (rig.client.me(), drained(rig.client.groups.export(rig.group_id))):
            with suppress(AsyncSDKError):
                await job
    requests = got.requests
    batches = got.named(BATCH)
    assert len(batches) == upload.report.requests
    resent = [
        s.attributes["http.request.resend_count"]
        for s in batches
        if s.attributes and "http.request.resend_count" in s.attributes
    ]
    assert len(resent) == upload.report.retries
    for span in requests:
        attributes = span.attributes or {}
        status = attributes.get("http.response.status_code")
        failed = span.status.status_code is StatusCode.ERROR
        assert failed == ("error.type" in attributes)
        if isinstance(status, int) and status >= 400:
            assert attributes["error.type"] == str(status)
        assert failed or isinstance(status, int)
    (whole,) = got.named("asyncsdk.upload")
    stopped = upload.error
    assert (whole.attributes or {}).get("error.type") == (stopped and type(stopped).__name__)
    assert got.total("asyncsdk.in_flight") == 0


async def test_a_server_that_is_not_there() -> None:
    got = Collected()
    async with serving() as provider:
        url = provider.url
    async with client_at(url, **got.client) as client:
        with pytest.raises(AsyncSDKError):
            await client.phones.create_batch(7, numbers(1))
    (span,) = got.spans
    assert span.attributes is not None
    assert span.attributes["error.type"] == "NotSentError"
    assert "http.response.status_code" not in span.attributes
    assert not span.events  # they would have the words of the error


async def hang(rig: Rig) -> None:
    """Cancelled while requests are under way."""
    task = asyncio.ensure_future(rig.upload(numbers(30), batch_size=5))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])


async def left(rig: Rig) -> None:
    """The consumer goes."""
    async for _ in rig.upload(numbers(30), batch_size=5, concurrency=1):
        break


async def killed_source(rig: Rig) -> None:
    """The source is cancelled from within."""

    async def source() -> AsyncIterator[str]:
        yield numbers(1)[0]
        raise asyncio.CancelledError

    with pytest.raises(AsyncSDKError):
        await rig.upload(source(), batch_size=1)


async def raising_source(rig: Rig) -> None:
    """The source raises, and says what it had."""

    def source() -> Iterator[str]:
        yield numbers(1)[0]
        msg = f"not after {numbers(1)[0]}"
        raise LookupError(msg)

    with pytest.raises(AsyncSDKError):
        await rig.upload(source(), batch_size=1)


async def deadline(rig: Rig) -> None:
    """Time is up."""
    await rig.upload(numbers(30), batch_size=5, deadline=1)


async def closed_client(rig: Rig) -> None:
    """The client is closed under it."""
    rig.upload(numbers(30), batch_size=5).start()
    await asyncio.sleep(1)
    await rig.client.aclose()


async def half_an_export(rig: Rig) -> None:
    """Whoever reads has seen enough."""
    await rig.client.phones.create_batch(rig.group_id, numbers(1))
    async with aclosing(rig.client.groups.export(rig.group_id)) as export:
        async for _ in export:
            break


async def never_begun(rig: Rig) -> None:
    """Cancelled before it had its turn."""
    upload = rig.upload(numbers(3)).start()
    upload.cancel()
    await upload.wait_closed()


@pytest.mark.parametrize(
    "job",
    [
        hang,
        left,
        killed_source,
        raising_source,
        deadline,
        closed_client,
        half_an_export,
        never_begun,
    ],
)
async def test_however_it_ends_each_span_ends_once(job: Job) -> None:
    got = Collected()
    faults = Faults({"slow": 1.0}, delay=5.0)
    async with connected(faults=faults, client=got.client) as rig:
        await job(rig)
        assert not get_current_span().get_span_context().is_valid
    assert len(got.named("asyncsdk.upload")) <= 1
    assert bool(got.requests) == (job is not never_begun)
    assert got.total("asyncsdk.in_flight") == 0
    for number in numbers(30):
        assert number[-7:] not in got.text


async def test_a_cancelled_request_says_so() -> None:
    got = Collected()
    async with connected(faults=Faults({"slow": 1.0}), client=got.client) as rig:
        await hang(rig)
    under_way = sum(count or 0 for count in rig.batches)
    (upload,) = got.named("asyncsdk.upload")
    assert upload.attributes is not None
    assert upload.attributes["asyncsdk.stopped_by"] == "cancelled"
    assert upload.attributes["asyncsdk.phones.unknown"] == under_way > 0
    assert upload.status.status_code is StatusCode.UNSET
    assert {(s.attributes or {}).get("error.type") for s in got.requests} == {"CancelledError"}


# -- whose it is -------------------------------------------------------------------------------


async def awaited(rig: Rig) -> None:
    await rig.upload(numbers(3), batch_size=1)


async def iterated(rig: Rig) -> None:
    assert await drained(aiter(rig.upload(numbers(3), batch_size=1))) == 3


async def in_a_task(rig: Rig) -> None:
    await asyncio.create_task(rig.upload(numbers(3), batch_size=1))


async def started(rig: Rig) -> None:
    upload = rig.upload(numbers(3), batch_size=1).start()
    await asyncio.sleep(1)
    await upload


async def sent_singly(rig: Rig) -> None:
    async with rig.client.phones.sender(rig.group_id) as sender:
        await asyncio.gather(*map(sender.add, numbers(3)))


async def asked(rig: Rig) -> None:
    await rig.client.me()
    await drained(rig.client.groups.list())
    await drained(rig.client.groups.export(rig.group_id))


@pytest.mark.parametrize("job", [awaited, iterated, in_a_task, started, sent_singly, asked])
async def test_what_the_caller_does_is_above_it(job: Job) -> None:
    got = Collected()
    tracer = got.tracer_provider.get_tracer("caller")
    async with connected(client=got.client) as rig:
        with tracer.start_as_current_span("caller") as caller:
            await job(rig)
            assert get_current_span() is caller
        await rig.client.me()
    above = {s.context.span_id: s for s in got.spans if s.context}
    *ours, after = got.requests
    assert after.parent is None
    uploads = got.named("asyncsdk.upload")
    for span in ours:
        assert span.parent is not None
        assert above[span.parent.span_id].name == ("asyncsdk.upload" if uploads else "caller")
    assert [upload.parent for upload in uploads] in ([], [caller.get_span_context()])


async def test_a_source_with_spans_of_its_own_has_its_requests_below_them() -> None:
    got = Collected()
    tracer = got.tracer_provider.get_tracer("caller")
    async with connected(client=got.client) as rig:

        async def source() -> AsyncIterator[str]:
            with tracer.start_as_current_span("look up"):
                await rig.client.me()
            yield numbers(1)[0]

        await rig.upload(source())
    (look,) = got.named("look up")
    (me,) = got.named("GET /me")
    (batch,) = got.named(BATCH)
    (upload,) = got.named("asyncsdk.upload")
    assert me.parent == look.context
    assert look.parent == batch.parent == upload.context


@pytest.mark.parametrize("propagate", [False, True])
async def test_the_provider_hears_of_traces_only_where_that_is_wanted(propagate: bool) -> None:  # noqa: FBT001 - a parameter
    got = Collected()
    telemetry = got.telemetry(propagate=propagate)
    async with serving() as provider, provider.client(telemetry=telemetry) as client:
        provider.body = {"id": 1}
        await client.me()
    (span,) = got.spans
    assert span.context is not None
    headers = {name.lower(): text for name, text in provider.asked[0].headers.items()}
    assert ("traceparent" in headers) == propagate
    assert "baggage" not in headers
    if propagate:
        assert headers["traceparent"].split("-")[1] == format_trace_id(span.context.trace_id)
