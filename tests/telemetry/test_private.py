"""No phone, no body and no key leaves with telemetry, whatever happens."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import AsyncSDKError, Phone, RetryPolicy
from asyncsdk.sandbox import FAULTS, Faults
from tests.client.provider import drained, serving
from tests.rig import connected
from tests.telemetry.collected import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = "s3cr3t-0f-th3-4cc0unt"
WORDS = ("Ms Wilhelmina", "order-7c1f", "my-own-header")


def listed(count: int, seed: int) -> list[Phone]:
    """Phones that look like those of people."""
    chance = random.Random(seed)
    some = [f"+49160{chance.randrange(10**7):07}" for _ in range(count)]
    return [Phone(number, a=WORDS[0], callback_data=WORDS[1]) for number in some]


def runs(source: Sequence[Phone]) -> Iterator[str]:
    """Every seven digits in a row of any of these."""
    for phone in source:
        digits = phone.phone.lstrip("+")
        yield from (digits[i : i + 7] for i in range(len(digits) - 6))


def assert_private(text: str, source: Sequence[Phone]) -> None:
    assert [run for run in {*runs(source)} if run in text] == []
    assert [word for word in (KEY, *WORDS) if word in text] == []


@pytest.mark.parametrize("name", ["none", *FAULTS])
async def test_nothing_of_a_list_and_nothing_of_the_key(name: str) -> None:
    got = Collected()
    source = listed(60, seed=5)
    options: dict[str, Any] = {
        "faults": Faults({} if name == "none" else {name: 0.6}, delay=3.0, limit=8, routes="all"),
        "api_key": KEY,
        "client": {"timeout": 1.0, "default_headers": {"X-Ours": WORDS[2]}, **got.client},
    }
    retry = RetryPolicy(attempts=2, base=0.1, max_wait=5.0)
    async with connected(**options) as rig:
        for unknown in ("report", "reconcile"):
            upload = rig.upload(
                [*source, source[0], "49160" * 9],
                batch_size=20,
                retry=retry,
                on_unknown=unknown,
                duplicates="skip",
                quiet_period=0.1,
            )
            with suppress(AsyncSDKError):
                await upload
        one = int(source[0].phone)
        client = rig.client
        for job in (
            client.phones.create_batch(rig.group_id, source),
            client.phones.create(rig.group_id, source[0]),
            # by mistake: what stands where an id should
            client.phones.delete(one),
            client.phones.update(one, source[0]),
            client.groups.get(one),
            drained(client.phones.list(one)),
            drained(client.groups.export(rig.group_id)),
        ):
            with suppress(AsyncSDKError):
                await job
    assert got.requests
    assert_private(got.text, source)


async def test_nothing_that_a_server_says() -> None:
    """It may say anything: the phones that it was sent, in headers and in words."""
    got = Collected()
    source = listed(3, seed=6)
    said = {"X-LOX24-REQUEST-ID": source[0].phone, "Location": f"/{source[1].phone}"}
    for status in (200, 302, 400, 500):
        problem = {"title": source[0].phone, "detail": KEY}
        async with (
            serving(status=status, headers=said, body=problem) as provider,
            provider.client(**got.client) as client,
        ):
            for job in (client.me(), client.phones.upload(7, source)):
                with suppress(AsyncSDKError):
                    await job
    assert got.requests
    assert_private(got.text, source)


async def test_nor_does_a_group_that_is_a_phone_by_mistake_reach_a_metric() -> None:
    got = Collected()
    source = listed(3, seed=7)
    async with connected(client=got.client) as rig:
        with suppress(AsyncSDKError):
            await rig.client.phones.upload(int(source[0].phone), source)
    for name in got.metrics:
        for attributes, _ in got.points(name):
            assert_private(str(attributes), source)
