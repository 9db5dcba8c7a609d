"""The public API as a type checker sees it. Nothing here runs: mypy is the test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import assert_type

from asyncsdk import (
    Account,
    Adaptive,
    BatchMember,
    BatchResponse,
    Client,
    CreatedPhone,
    Delivery,
    FailureLimit,
    Group,
    Normalize,
    Outcome,
    Phone,
    PhoneResult,
    Problem,
    Progress,
    Rate,
    RateLimitedError,
    RetryPolicy,
    Sender,
    UnsubscribeReason,
    Upload,
    UploadReport,
    UploadStopped,
    UploadSummary,
)
from asyncsdk.sources import read


async def a_client() -> None:
    assert_type(Client.from_env(), Client)
    async with Client("1234567", "key", base_url="https://h", timeout=5) as client:
        assert_type(client, Client)
        assert_type(await client.phones.create_batch(7, ["+491"]), BatchResponse)
    assert_type(await client.aclose(), None)
    Client(1234567, "key")
    Client("1", "key", "https://h")  # type: ignore[call-arg]
    Client("1", "key", timeout="5")  # type: ignore[arg-type]


class TypedClient(Client):
    """A subclass keeps its type."""


async def a_subclass() -> None:
    assert_type(TypedClient.from_env(), TypedClient)
    async with TypedClient("1", "key") as client:
        assert_type(client, TypedClient)


async def the_other_operations(client: Client) -> None:
    assert_type(await client.me(), Account)
    assert_type(await client.groups.create("n", description=None), Group)
    assert_type(await client.groups.get(7), Group)
    assert_type(await client.groups.update(7, name="n"), Group)
    assert_type(await client.groups.delete(7), None)
    assert_type(client.groups.list(), AsyncIterator[Group])
    assert_type(client.groups.export(7), AsyncGenerator[CreatedPhone, None])
    assert_type(await client.phones.create(7, {"phone": "+491"}), CreatedPhone)
    assert_type(await client.phones.update(5, Phone("+491")), CreatedPhone)
    assert_type(await client.phones.delete(5), None)
    assert_type(client.phones.list(7), AsyncIterator[CreatedPhone])
    assert_type(client.set_credentials(1, "key"), None)
    assert_type(client.closed, bool)
    await client.groups.get("7")  # type: ignore[arg-type]
    await client.phones.create(7, 491)  # type: ignore[arg-type]


def a_batch(reply: BatchResponse) -> None:
    assert_type(reply.members, tuple[BatchMember, ...])
    member = reply.members[0]
    assert_type(member.status, int | None)
    assert_type(member.created, CreatedPhone | None)
    assert_type(member.problem, Problem | None)


async def sources(client: Client) -> None:
    def phones() -> Iterator[Phone]:
        yield Phone("+491")

    async def aphones() -> AsyncIterator[str]:
        yield "+491"

    client.phones.upload(7, phones())
    client.phones.upload(7, aphones())
    client.phones.upload(7, ["+491", Phone("+492"), {"phone": "+493", "a": None}])
    client.phones.upload(7, [{"phone": "+491"}])
    client.phones.upload(7, 5)  # type: ignore[arg-type]
    client.phones.upload(7, [5])  # type: ignore[list-item]
    client.phones.upload("7", ["+491"])  # type: ignore[arg-type]


async def an_upload(client: Client) -> None:
    upload = client.phones.upload(
        7,
        ["+491"],
        batch_size=500,
        concurrency=Adaptive(min=1, max=64),
        rate=Rate(10, per=1.0),
        retry=RetryPolicy(attempts=3),
        on_unknown="reconcile",
        duplicates="skip",
        existing="skip",
        normalize=Normalize("DE", bare="national", country="Land", mobile_only=True),
        stop_when=FailureLimit(ratio=0.1),
        journal="upload.journal",
        on_progress=print,
    )
    client.phones.upload(7, [], 500)  # type: ignore[call-arg]
    client.phones.upload(7, [], on_unknown="ask")  # type: ignore[arg-type]
    client.phones.upload(7, [], existing="merge")  # type: ignore[arg-type]
    assert_type(upload, Upload)
    assert_type(upload.progress, Progress)
    assert_type(upload.report, UploadReport)
    assert_type(upload.start(), Upload)
    assert_type(await upload, UploadReport)
    assert_type(await upload.stop(), UploadReport)
    async for result in upload:
        assert_type(result, PhoneResult)


def a_report(report: UploadReport) -> None:
    assert_type(report.created, Sequence[PhoneResult])
    assert_type(report.invalid[0], PhoneResult)
    assert_type(report.failed[1:], Sequence[PhoneResult])
    assert_type(report + report, UploadReport)
    assert_type(report.submitted, int)
    assert_type(report.elapsed, float)
    assert_type(report.ok, bool)
    assert_type(report.skipped[0], PhoneResult)
    assert_type(report.skipped_count, int)
    assert_type(report.summary(), UploadSummary)
    assert_type(report.summary()["skipped_count"], int)
    report.summary()["skiped_count"]  # type: ignore[typeddict-item]
    report.to_frame(only="skipped")
    assert_type(report.to_dict(), dict[str, object])
    report.to_csv("x.csv", only="invalid")
    assert_type(report.group_id, int | None)
    assert_type(report.to_rejects("rejects.csv", read("x.csv")), int)
    report.to_jsonl("x.jsonl", only=[Outcome.FAILED])
    report.ok = True  # type: ignore[misc]


def a_result(result: PhoneResult) -> None:
    assert_type(result.index, int)
    assert_type(result.phone, Phone)
    assert_type(result.outcome, Outcome)
    assert_type(result.delivery, Delivery)
    assert_type(result.created, CreatedPhone | None)
    assert_type(result.error, Problem | None)
    if result.created is not None:
        assert_type(result.created.id, int | None)
        assert_type(result.created.unsubscribe_reason, UnsubscribeReason | None)
    result.index = 5  # type: ignore[misc]


async def senders(client: Client) -> None:
    async with client.phones.sender(7, linger=0.1, batch_size=10, journal="x.journal") as sender:
        assert_type(sender, Sender)
        assert_type(await sender.add("+49"), PhoneResult)
        await sender.add({"phone": "+49"})
        await sender.add(5)  # type: ignore[arg-type]
        assert_type(sender.pending, int)
        assert_type(sender.report, UploadReport)
        assert_type(sender.progress.total, int | None)
    client.phones.sender(7, size=10)  # type: ignore[call-arg]


def errors(error: UploadStopped, limited: RateLimitedError) -> None:
    assert_type(error.report, UploadReport)
    assert_type(error.cause, BaseException | None)
    assert_type(limited.retry_after, float | None)
    assert_type(limited.status, int)
