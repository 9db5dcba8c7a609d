"""`create_batch`: one POST, exactly as the provider's page has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import asyncsdk
from asyncsdk import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InsufficientFundsError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    Phone,
    ProtocolError,
    RateLimitedError,
    ServerError,
    UnprocessableError,
)
from asyncsdk.sandbox import Faults
from tests.client.provider import REQUEST_ID, serving
from tests.rig import connected, numbers

if TYPE_CHECKING:
    from tests.rig import Rig

CREATED = {
    "@context": "/contexts/Phone",
    "@id": "/groups/7/phones/batch",
    "hydra:member": [{"status": 201, "body": {"id": "5", "phone": "+491601", "a": "Ada"}}],
    "hydra:totalItems": 1,
}


async def test_the_request() -> None:
    async with serving(status=201, body=CREATED) as provider, provider.client() as client:
        await client.phones.create_batch(
            7, ["+491601", Phone("+491602", "Ada", e="5", callback_data="x"), {"phone": "3"}]
        )
    (asked,) = provider.asked
    headers = asked.headers
    assert (asked.method, asked.path) == ("POST", "/groups/7/phones/batch")
    assert headers["X-LOX24-AUTH-TOKEN"] == "1234567:key"
    assert headers["Accept"] == "application/ld+json"
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(asked.body))
    agent = rf"asyncsdk/{re.escape(asyncsdk.__version__)} \(Python \d+\.\d+\.\d+.*\)"
    assert re.fullmatch(agent, headers["User-Agent"])
    assert [
        {name: value for name, value in row.items() if value is not None} for row in asked.json
    ] == [
        {"phone": "+491601"},
        {"phone": "+491602", "a": "Ada", "e": "5", "callback_data": "x"},
        {"phone": "3"},
    ]


async def test_an_upload_asks_for_the_shorter_reply_and_reads_the_longer() -> None:
    async with serving(status=201, body=CREATED) as provider, provider.client() as client:
        report = await client.phones.upload(7, ["+491601"])
    (asked,) = provider.asked
    assert asked.headers["Accept"] == "application/json, application/ld+json;q=0.5"
    assert report.created_count == 1


async def test_a_base_url_with_a_path() -> None:
    async with serving(status=201, body=CREATED) as provider:
        for base in (f"{provider.url}/v2", f"{provider.url}/v2/"):
            async with provider.client(base_url=base) as client:
                await client.phones.create_batch(7, ["+491601"])
    assert [asked.path for asked in provider.asked] == ["/v2/groups/7/phones/batch"] * 2


async def test_the_reply() -> None:
    async with serving(status=201, body=CREATED) as provider, provider.client() as client:
        reply = await client.phones.create_batch(7, ["+491601"])
    assert (reply.status, reply.request_id) == (201, REQUEST_ID)
    (member,) = reply.members
    assert (member.status, member.problem) == (201, None)
    assert member.created is not None
    assert (member.created.id, member.created.phone, member.created.a) == (5, "+491601", "Ada")


async def test_members_come_in_the_order_of_the_reply_good_or_bad(rig: Rig) -> None:
    reply = await rig.client.phones.create_batch(rig.group_id, [*numbers(2), "nobody", "1" * 31])
    assert [member.status for member in reply.members] == [201, 201, 422, 422]
    assert [member.created is None for member in reply.members] == [False, False, True, True]
    assert all("phone" in str(member.problem) for member in reply.members[2:])
    assert rig.stored == numbers(2)


async def test_an_empty_list_is_still_one_post() -> None:
    async with (
        serving(status=201, body={"hydra:member": []}) as provider,
        provider.client() as client,
    ):
        reply = await client.phones.create_batch(7, [])
    assert reply.members == ()
    assert [asked.json for asked in provider.asked] == [[]]


ERRORS: list[tuple[int, type[ApiError]]] = [
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, InsufficientFundsError),
    (403, AccountInactiveError),
    (404, NotFoundError),
    (409, ConflictError),
    (413, PayloadTooLargeError),
    (422, UnprocessableError),
    (429, RateLimitedError),
    (500, ServerError),
    (502, ServerError),
    (503, ServerError),
    (504, ServerError),
    (418, ApiError),
]

WORDS: dict[str, Any] = {
    "hydra": {"@type": "hydra:Error", "hydra:title": "Oh", "hydra:description": "no such luck"},
    "plain": {"title": "Oh", "detail": "no such luck", "status": 400},
    "code": {"code": 400, "message": "no such luck"},
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("status", "kind"), ERRORS, ids=str)
async def test_each_refusal_is_typed_and_told_in_the_providers_words(
    status: int, kind: type[ApiError], words: str
) -> None:
    async with serving(status=status, body=WORDS[words]) as provider, provider.client() as client:
        with pytest.raises(ApiError) as caught:
            await client.phones.create_batch(7, ["+491601"])
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.request_id) == (status, REQUEST_ID)
    assert "no such luck" in str(error.problem)
    assert "no such luck" in str(error)
    assert REQUEST_ID in str(error)
    assert "key" not in repr(error)
    assert len(provider.asked) == 1


async def test_a_refusal_that_says_nothing_is_typed_all_the_same() -> None:
    async with (
        serving(status=502, body=b"<html>Bad gateway</html>") as provider,
        provider.client() as client,
    ):
        with pytest.raises(ServerError, match="502"):
            await client.phones.create_batch(7, ["+491601"])
    assert len(provider.asked) == 1


async def test_retry_after_is_told() -> None:
    async with (
        serving(status=429, headers={"Retry-After": "17"}) as provider,
        provider.client() as client,
    ):
        with pytest.raises(RateLimitedError) as caught:
            await client.phones.create_batch(7, ["+491601"])
    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset-before", OutcomeUnknownError),
        ("reset-after", OutcomeUnknownError),
        ("timeout-after", OutcomeUnknownError),
        ("truncate", OutcomeUnknownError),
        ("bad-gzip", OutcomeUnknownError),
        ("garbage", OutcomeUnknownError),
        ("not-json", ProtocolError),
        ("truncate-nolength", ProtocolError),
        ("301", ProtocolError),
    ],
)
async def test_what_is_no_reply_is_never_sent_again(fault: str, kind: type[Exception]) -> None:
    async with connected(faults=Faults.script([fault]), client={"timeout": 5.0}) as rig:
        with pytest.raises(kind) as caught:
            await rig.client.phones.create_batch(rig.group_id, numbers(2))
    assert type(caught.value) is kind
    assert len(rig.sandbox.requests) == 1


async def test_a_server_that_is_down() -> None:
    async with connected() as rig:
        await rig.sandbox.stop()
        with pytest.raises(NotSentError):
            await rig.client.phones.create_batch(rig.group_id, numbers(2))


@pytest.mark.parametrize("row", [5, None, {"number": "1"}, {"phone": True}, b"1"])
async def test_what_is_no_phone_is_not_sent(rig: Rig, row: Any) -> None:
    with pytest.raises(ConfigurationError, match="item 1 is no phone"):
        await rig.client.phones.create_batch(rig.group_id, ["+491601", row])
    assert not rig.sandbox.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed_and_the_key_goes_nowhere_else(status: int) -> None:
    async with serving() as elsewhere, serving(status=status) as provider:
        provider.headers = {"Location": f"{elsewhere.url}/groups/7/phones/batch"}
        async with provider.client() as client:
            with pytest.raises(ProtocolError) as caught:
                await client.phones.create_batch(7, ["+491601"])
            with pytest.raises(ProtocolError):
                await client.me()
            with pytest.raises(ProtocolError):
                [phone async for phone in client.groups.export(7)]
    assert caught.value.status == status
    assert "key" not in repr(caught.value).replace("API key", "")
    assert len(provider.asked) == 3
    assert not elsewhere.asked


@pytest.mark.parametrize("status", [429, 503])
async def test_a_refusal_for_now_pauses_whatever_else_the_client_does(status: int) -> None:
    faults = Faults.script([f"{status}-after"], retry_after=60)
    async with connected(faults=faults) as rig:
        await rig.client.me()
        with pytest.raises(ApiError):
            await rig.client.phones.create_batch(rig.group_id, numbers(3))
        report = await rig.upload(numbers(20), batch_size=5)
        assert report.ok
        *_, refused, first = rig.arrivals[:3]
        assert 60 <= first - refused <= 62
