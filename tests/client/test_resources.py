"""Every other operation: the account, groups, and single phones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    ConfigurationError,
    CreatedPhone,
    NotFoundError,
    Phone,
    ProtocolError,
    UnprocessableError,
)
from asyncsdk.sandbox import STYLES
from tests.client.provider import drained, serving
from tests.rig import connected, numbers, phones

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from asyncsdk import Client
    from tests.rig import Rig


async def test_me(rig: Rig) -> None:
    account = await rig.client.me()
    assert (account.id, account.currency, account.balance_amount) == (1234567, "EUR", 100.0)
    assert account.balance_changed_at is not None
    assert account.balance_changed_at.isoformat() == "2025-01-01T00:00:00+00:00"
    assert [(r.method, r.path) for r in rig.sandbox.requests] == [("GET", "/me")]


@pytest.mark.parametrize("style", STYLES)
async def test_groups_from_birth_to_death(style: str) -> None:
    async with connected(style=style) as rig:
        groups = rig.client.groups
        made = await groups.create("new", description="d", name_a="Anrede", name_e=None)
        assert (made.name, made.description, made.name_a, made.name_b) == (
            "new",
            "d",
            "Anrede",
            None,
        )
        assert made.count_items == 0
        await rig.client.phones.create(made.id, "+491601")
        changed = await groups.update(made.id, description="other", name_b="Name")
        assert (changed.name, changed.description, changed.name_b) == ("new", "other", "Name")
        assert await groups.get(made.id) == changed
        assert changed.count_items == 1
        assert [group.name async for group in groups.list()] == ["people", "new"]
        await groups.delete(made.id)
        assert [group.name async for group in groups.list()] == ["people"]
        with pytest.raises(NotFoundError):
            await groups.get(made.id)
    path = f"/groups/{made.id}"
    assert [(r.method, r.path) for r in rig.sandbox.requests if r.path != "/groups"] == [
        ("POST", f"{path}/phones"),
        ("PUT", path),
        ("GET", path),
        ("DELETE", path),
        ("GET", path),
    ]


@pytest.mark.parametrize("count", [0, 29, 30, 31, 75])
async def test_groups_come_page_after_page(count: int) -> None:
    async with connected() as rig:
        for i in range(1, count):
            rig.sandbox.add_group(f"group {i}")
        if not count:
            await rig.client.groups.delete(rig.group_id)
        before = len(rig.sandbox.requests)
        listed = [group async for group in rig.client.groups.list()]
        assert len({group.id for group in listed}) == len(listed) == count
        assert len(rig.sandbox.requests) - before == max(1, -(-count // 30))


async def test_pages_are_asked_for_as_they_are_needed() -> None:
    async with connected() as rig:
        for i in range(99):
            rig.sandbox.add_group(f"group {i}")
        async for _ in rig.client.groups.list():
            break
        assert len(rig.sandbox.requests) == 1


async def test_the_key_does_not_follow_a_page_to_another_server() -> None:
    async with serving() as elsewhere, serving() as provider, provider.client() as client:
        view = {"hydra:next": f"{elsewhere.url}/groups?page=2"}
        provider.body = {"hydra:member": [{"id": 1, "name": "n"}], "hydra:view": view}
        pages = client.groups.list()
        assert (await anext(pages)).id == 1
        with pytest.raises(ProtocolError, match="another server"):
            await anext(pages)
        assert not elsewhere.asked


async def test_a_page_that_leads_to_itself_ends_the_list() -> None:
    async with serving() as provider, provider.client() as client:
        view = {"hydra:next": "/groups"}
        provider.body = {"hydra:member": [{"id": 1, "name": "n"}], "hydra:view": view}
        assert len([group async for group in client.groups.list()]) <= 2
        assert len(provider.asked) <= 2


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "n" * 51},
        {"name": None},
        {"name": 5},
        {"name": "n", "description": "d" * 256},
        {"name": "n", "name_c": "c" * 51},
        {"name": "n", "colour": "red"},
        {"name": "n\ud800"},
        {"name": "n", "name_c": "\udfff"},
    ],
)
async def test_a_group_that_cannot_be_is_not_sent(rig: Rig, fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="group"):
        await rig.client.groups.create(**fields)
    with pytest.raises(ConfigurationError, match="group"):
        await rig.client.groups.update(rig.group_id, **fields)
    assert not rig.sandbox.requests


@pytest.mark.parametrize("style", STYLES)
async def test_phones_from_birth_to_death(style: str) -> None:
    async with connected(style=style) as rig:
        client, group_id = rig.client.phones, rig.group_id
        bare = await client.create(group_id, "+491601")
        full = await client.create(group_id, Phone("+491602", "A", "B", "C", "D", "E", "cb"))
        mapped = await client.create(group_id, {"phone": "+491603", "b": "only"})
        assert (bare.phone, bare.a, full.e, full.callback_data) == ("+491601", None, "E", "cb")
        assert [phone async for phone in client.list(group_id)] == [bare, full, mapped]
        assert full.id is not None
        changed = await client.update(full.id, Phone("+491609", a="new"))
        assert (changed.id, changed.phone, changed.a, changed.b) == (
            full.id,
            "+491609",
            "new",
            None,
        )
        assert mapped.id is not None
        await client.delete(mapped.id)
        assert [phone async for phone in client.list(group_id)] == [bare, changed]
        with pytest.raises(NotFoundError):
            await client.delete(mapped.id)
        with pytest.raises(NotFoundError):
            await client.update(mapped.id, "+491601")
    paths = [(r.method, r.path) for r in rig.sandbox.requests if r.method in {"PUT", "DELETE"}]
    assert paths[:2] == [("PUT", f"/phones/{full.id}"), ("DELETE", f"/phones/{mapped.id}")]


@pytest.mark.parametrize("count", [0, 1, 10, 25])
async def test_phones_come_page_after_page_where_the_server_makes_pages(count: int) -> None:
    async with connected(phones_page_size=10) as rig:
        await rig.upload(phones(count))
        listed = [phone.phone async for phone in rig.client.phones.list(rig.group_id)]
    assert listed == numbers(count)


@pytest.mark.parametrize("phone", ["", "1" * 31, {"phone": "1", "a": "x" * 1531}, {"b": "x"}])
async def test_a_phone_that_cannot_be_is_not_sent(rig: Rig, phone: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await rig.client.phones.create(rig.group_id, phone)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await rig.client.phones.update(5, phone)
    assert not rig.sandbox.requests


async def test_a_phone_that_the_server_refuses(rig: Rig) -> None:
    with pytest.raises(UnprocessableError) as caught:
        await rig.client.phones.create(rig.group_id, "nobody")
    (violation,) = caught.value.problem.violations
    assert violation.path == "phone"
    assert violation.message in str(caught.value)
    assert len(rig.sandbox.requests) == 1


async def test_the_export(rig: Rig) -> None:
    rows = [
        Phone("+491601", "Ada", 'quote " and ; and ,', "line\nbreak", None, "ö", "cb"),
        Phone("+491602"),
    ]
    await rig.upload(rows)
    exported = [phone async for phone in rig.client.groups.export(rig.group_id)]
    listed = [phone async for phone in rig.client.phones.list(rig.group_id)]
    assert [phone.phone for phone in exported] == ["+491601", "+491602"]
    assert [(p.id, p.a or None, p.b or None, p.c or None) for p in exported] == [
        (p.id, p.a, p.b, p.c) for p in listed
    ]
    assert all(isinstance(phone, CreatedPhone) for phone in exported)


@pytest.mark.parametrize("count", [0, 1, 5000])
async def test_an_export_of_any_size(rig: Rig, count: int) -> None:
    await rig.upload(phones(count))
    exported = [phone.phone async for phone in rig.client.groups.export(rig.group_id)]
    assert sorted(str(number) for number in exported) == numbers(count)


IDS: dict[str, Callable[[Client, Any], Coroutine[Any, Any, object]]] = {
    "groups.get": lambda client, bad: client.groups.get(bad),
    "groups.update": lambda client, bad: client.groups.update(bad, name="n"),
    "groups.delete": lambda client, bad: client.groups.delete(bad),
    "groups.export": lambda client, bad: drained(client.groups.export(bad)),
    "phones.list": lambda client, bad: drained(client.phones.list(bad)),
    "phones.create": lambda client, bad: client.phones.create(bad, "1"),
    "phones.update": lambda client, bad: client.phones.update(bad, "1"),
    "phones.delete": lambda client, bad: client.phones.delete(bad),
    "phones.create_batch": lambda client, bad: client.phones.create_batch(bad, ["1"]),
}


@pytest.mark.parametrize("bad", [0, -1, "7", 7.0, None, True, "../me"], ids=repr)
@pytest.mark.parametrize("operation", IDS)
async def test_an_id_that_cannot_be_is_not_sent(rig: Rig, operation: str, bad: object) -> None:
    with pytest.raises(ConfigurationError, match="must be a whole number"):
        await IDS[operation](rig.client, bad)
    assert not rig.sandbox.requests
