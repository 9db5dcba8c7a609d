"""What the other operations raise, in the provider's words, and when they are asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InsufficientFundsError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    UnprocessableError,
)
from asyncsdk.sandbox import Faults
from tests.client.provider import REQUEST_ID, drained, serving
from tests.rig import connected, phones

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from asyncsdk import Client


OPERATIONS: dict[str, Callable[[Client], Coroutine[Any, Any, object]]] = {
    "me": lambda client: client.me(),
    "groups.create": lambda client: client.groups.create("n"),
    "groups.get": lambda client: client.groups.get(7),
    "groups.list": lambda client: drained(client.groups.list()),
    "groups.update": lambda client: client.groups.update(7, name="n"),
    "groups.delete": lambda client: client.groups.delete(7),
    "groups.export": lambda client: drained(client.groups.export(7)),
    "phones.list": lambda client: drained(client.phones.list(7)),
    "phones.create": lambda client: client.phones.create(7, "1"),
    "phones.update": lambda client: client.phones.update(7, "1"),
    "phones.delete": lambda client: client.phones.delete(7),
}

ONCE = {"groups.create", "phones.create", "groups.export"}
"""A POST may have been processed; whoever reads a stream has seen its beginning."""

FINAL: list[tuple[int, type[ApiError]]] = [
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, InsufficientFundsError),
    (403, AccountInactiveError),
    (404, NotFoundError),
    (409, ConflictError),
    (422, UnprocessableError),
]

PASSING: list[tuple[int, type[ApiError]]] = [
    (429, RateLimitedError),
    (500, ServerError),
    (502, ServerError),
    (503, ServerError),
]

UNPROCESSED = {429, 503}
"""Statuses that say that nothing was done: then a POST is repeated, too."""

WORDS = {"hydra:title": "An error occurred", "hydra:description": "no such luck"}


def is_the_providers(error: ApiError, status: int, kind: type[ApiError]) -> bool:
    """Whether it says all that the reply said."""
    told = type(error) is kind and "no such luck" in str(error)
    return told and (error.status, error.request_id) == (status, REQUEST_ID)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("status", "kind"), FINAL + PASSING, ids=str)
async def test_a_refusal_is_typed_and_asked_again_where_it_may_pass_and_that_is_safe(
    status: int, kind: type[ApiError], operation: str
) -> None:
    async with serving(status=status, body=WORDS) as provider, provider.client() as client:
        with pytest.raises(ApiError) as caught:
            await OPERATIONS[operation](client)
    assert is_the_providers(caught.value, status, kind)
    safe = operation not in ONCE or (status in UNPROCESSED and operation != "groups.export")
    again = (status, kind) in PASSING and safe
    assert len(provider.asked) == (5 if again else 1)


@pytest.mark.parametrize("fault", ["429-after", "503", "500", "reset-before", "reset-after", "408"])
async def test_a_failure_that_passes_is_not_seen(fault: str) -> None:
    async with connected(faults=Faults.script([fault] * 2, routes="all")) as rig:
        assert (await rig.client.groups.get(rig.group_id)).name == "people"
        assert len(rig.sandbox.requests) == 3


async def test_retry_after_is_a_minimum_here_too() -> None:
    faults = Faults.script(["429-after"], routes="all", retry_after=30.0)
    async with connected(faults=faults) as rig:
        await rig.client.me()
        first, second = rig.arrivals
        assert 30.0 <= second - first <= 30.6


async def test_more_patience_than_there_is_ends_it() -> None:
    faults = Faults.script(["429-after"], routes="all", retry_after=1000.0)
    async with connected(faults=faults) as rig:
        with pytest.raises(RateLimitedError) as caught:
            await rig.client.me()
        assert caught.value.retry_after == 1000.0
        assert len(rig.sandbox.requests) == 1


@pytest.mark.parametrize("operation", ["phones.create", "groups.create"])
async def test_a_post_without_an_answer_is_not_sent_again(operation: str) -> None:
    async with connected(faults=Faults.script(["reset-after"], routes="all")) as rig:
        with pytest.raises(OutcomeUnknownError):
            await OPERATIONS[operation](rig.client)
        assert len(rig.sandbox.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"5", {}, {"name": "n"}, {"id": None}, b"\xff"], ids=repr
)
@pytest.mark.parametrize("operation", ["me", "groups.get", "groups.create", "phones.create"])
async def test_a_reply_that_makes_no_sense(operation: str, body: object) -> None:
    async with serving(status=200, body=body) as provider, provider.client() as client:
        with pytest.raises(ProtocolError):
            await OPERATIONS[operation](client)


@pytest.mark.parametrize("operation", ["groups.get", "groups.create"])
async def test_a_group_without_a_name_is_none(operation: str) -> None:
    async with serving(status=200, body={"id": 7}) as provider, provider.client() as client:
        with pytest.raises(ProtocolError, match="is no Group"):
            await OPERATIONS[operation](client)


@pytest.mark.parametrize("body", [b"", b"<html>", b"5", {}, b"\xff"], ids=repr)
@pytest.mark.parametrize("operation", ["groups.list", "phones.list"])
async def test_a_list_that_is_none(operation: str, body: object) -> None:
    async with serving(status=200, body=body) as provider, provider.client() as client:
        with pytest.raises(ProtocolError):
            await OPERATIONS[operation](client)


async def test_an_export_that_is_cut_short_raises() -> None:
    async with connected(faults=Faults.script(["ok", "truncate"], routes="all")) as rig:
        await rig.upload(phones(500))
        seen = []

        async def read() -> None:
            async for phone in rig.client.groups.export(rig.group_id):
                seen.append(phone)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(OutcomeUnknownError):
            await read()
        assert len(seen) < 500


async def test_an_export_may_be_left_early() -> None:
    async with connected() as rig:
        await rig.upload(phones(20_000))
        export = rig.client.groups.export(rig.group_id)
        async for phone in export:
            assert phone.phone == phones(1)[0].phone
            break
        await export.aclose()
        assert (await rig.client.me()).id


async def test_a_list_that_fails_on_its_second_page_has_given_the_first() -> None:
    async with connected(faults=Faults.script(["ok", "404"], routes="all"), page_size=2) as rig:
        for i in range(4):
            rig.sandbox.add_group(f"group {i}")
        groups = rig.client.groups.list()
        assert [(await anext(groups)).name for _ in range(2)] == ["people", "group 0"]
        with pytest.raises(NotFoundError):
            await anext(groups)


UNHEARD = ["reset-after", "timeout-after", "500-after", "502-after"]


@pytest.mark.parametrize("lost", UNHEARD)
@pytest.mark.parametrize("then", [[], ["503"], ["reset-before"]])
async def test_what_an_unanswered_request_has_deleted_is_deleted(
    lost: str, then: list[str]
) -> None:
    async with connected(faults=Faults.script(["ok", lost, *then], routes="all")) as rig:
        phone = await rig.client.phones.create(rig.group_id, "+491601234567")
        await rig.client.phones.delete(phone.id or 0)
        assert not rig.sandbox.phones(rig.group_id)
    async with connected(faults=Faults.script([lost, *then], routes="all")) as rig:
        await rig.client.groups.delete(rig.group_id)
        assert [group.deleted_at is None for group in rig.sandbox.groups] == [False]


@pytest.mark.parametrize("before", ["ok", "503", "429"])
async def test_what_was_not_there_to_be_deleted_is_not_found(before: str) -> None:
    async with connected(faults=Faults.script([before], routes="all")) as rig:
        for delete in (rig.client.phones.delete, rig.client.groups.delete):
            with pytest.raises(NotFoundError):
                await delete(99)
