"""The client's life: it opens late, closes once, and says when it was not closed."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, ConfigurationError
from asyncsdk.config import ClientConfig
from tests.client.provider import connections
from tests.rig import Rig, client_of, numbers, phones

if TYPE_CHECKING:
    from collections.abc import Callable

# from the environment


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("CLIENT_ID", "API_KEY", "BASE_URL"):
        monkeypatch.delenv(f"ASYNCSDK_{name}", raising=False)
    return monkeypatch


async def test_from_the_environment(rig: Rig, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("ASYNCSDK_CLIENT_ID", f" {rig.sandbox.client_id}\n")
    variables.setenv("ASYNCSDK_API_KEY", rig.sandbox.api_key)
    variables.setenv("ASYNCSDK_BASE_URL", rig.sandbox.url)
    async with Client.from_env(timeout=5) as client:
        assert (await client.me()).id == int(rig.sandbox.client_id)


def test_without_a_base_url_it_is_the_providers(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("ASYNCSDK_CLIENT_ID", "1")
    variables.setenv("ASYNCSDK_API_KEY", "key")
    variables.setenv("ASYNCSDK_BASE_URL", "")
    assert repr(Client.from_env()) == "<Client 1 at https://api.lox24.eu>"


@pytest.mark.parametrize("missing", ["CLIENT_ID", "API_KEY"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(
    variables: pytest.MonkeyPatch, missing: str, value: str | None
) -> None:
    settings = {"CLIENT_ID": "1", "API_KEY": "key", missing: value}
    for name, text in settings.items():
        if text is not None:
            variables.setenv(f"ASYNCSDK_{name}", text)
    with pytest.raises(ConfigurationError, match=f"ASYNCSDK_{missing}"):
        Client.from_env()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "abc"}, "client_id"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "with\nnewline"}, "api_key"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"timeout": 0}, "timeout"),
        ({"connect_timeout": -1}, "connect_timeout"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Client(**{"client_id": "1", "api_key": "key", **settings})


# opening and closing


async def test_no_socket_before_the_first_call(rig: Rig) -> None:
    async with client_of(rig.sandbox) as client:
        client.phones.upload(rig.group_id, phones(5)).cancel()
        client.groups.list()
        await asyncio.sleep(1)
        assert connections(rig.sandbox) == 0
        await client.me()
        assert connections(rig.sandbox) == 1
    await asyncio.sleep(1)
    assert connections(rig.sandbox) == 0


async def test_an_upload_that_is_never_awaited_warns(rig: Rig) -> None:
    async with client_of(rig.sandbox) as client:
        with pytest.warns(RuntimeWarning, match="was never awaited: nothing was sent"):
            client.phones.upload(rig.group_id, phones(5))
        assert not rig.sandbox.requests


async def test_closing_again_does_nothing(rig: Rig) -> None:
    client = client_of(rig.sandbox)
    await client.me()
    assert not client.closed
    await client.aclose()
    await client.aclose()
    assert client.closed
    assert "closed" in repr(client)


async def test_closing_one_that_was_never_used() -> None:
    client = Client("1", "key")
    await client.aclose()
    assert client.closed


async def test_use_after_close_is_refused(rig: Rig) -> None:
    async with client_of(rig.sandbox) as client:
        pass
    calls = [
        client.me,
        lambda: client.phones.create_batch(rig.group_id, numbers(1)),
        lambda: anext(client.phones.list(rig.group_id)),
        lambda: anext(client.groups.export(rig.group_id)),
        client.__aenter__,
        client.phones.upload(rig.group_id, phones(1))._wait,
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="closed"):
            await call()
    assert not rig.sandbox.requests


async def test_one_that_is_left_open_warns(rig: Rig) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = client_of(rig.sandbox)
        await client.me()
        del client
        gc.collect()
        await asyncio.sleep(1)
    ours = [one for one in caught if "Client" in str(one.message)]
    assert {one.category for one in caught} == {ResourceWarning}  # aiohttp has its own
    (told,) = (str(one.message) for one in ours)
    advice = "use 'async with', or await its aclose()"
    assert told == f"<Client 1234567 at {rig.sandbox.url}> was not closed: {advice}"


async def test_one_that_was_never_used_or_was_closed_does_not_warn(rig: Rig) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        unused = client_of(rig.sandbox)
        async with client_of(rig.sandbox) as closed:
            await closed.me()
        del unused, closed
        gc.collect()
    assert caught == []


def test_one_that_could_not_be_made_does_not_warn() -> None:
    with pytest.raises(ConfigurationError):
        Client("", "")
    gc.collect()


async def test_after_other_credentials_it_shows_those(rig: Rig) -> None:
    rig.client.set_credentials("7654321", "another-key")
    assert "7654321" in repr(rig.client)
    assert "1234567" not in repr(rig.client)
    assert "another-key" not in repr(rig.client)


@pytest.mark.parametrize(
    "take",
    [pickle.dumps, copy.deepcopy, lambda one: pickle.dumps(one, protocol=2)],
)
@pytest.mark.parametrize("opened", [False, True])
async def test_nothing_that_holds_the_key_is_pickled(
    rig: Rig,
    take: Callable[[object], object],
    opened: bool,  # noqa: FBT001 - a parameter
) -> None:
    client = rig.client if opened else Client("1234567", "an-api-key")
    if opened:
        await client.me()
    held: list[object] = [client, client._requests.credentials]
    if take is not copy.deepcopy:  # what it meets first there may be an event loop
        held += [client.phones, client.groups, client._requests]
    for one in [*held, ClientConfig("1234567", "an-api-key")]:
        with pytest.raises(TypeError) as caught:
            take(one)
        assert "an-api-key" not in str(caught.value)
    with pytest.raises(TypeError, match="from_env"):
        take(client)
