"""Trust: certificates, private authorities, and proxies named by the environment."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from asyncsdk import Client, NotSentError, RetryPolicy, UploadStopped
from asyncsdk.sandbox import Sandbox
from tests.failures.raw import answer, serving
from tests.rig import numbers

if TYPE_CHECKING:
    import asyncio


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_wrong_certificate_stops_at_once_with_one_clear_error(
    server_side: ssl.SSLContext,
) -> None:
    async with Sandbox(ssl=server_side) as sandbox:
        group = sandbox.add_group("people")
        async with Client(sandbox.client_id, sandbox.api_key, base_url=sandbox.url) as client:
            with pytest.raises(UploadStopped, match="certificate is not trusted") as stopped:
                await client.phones.upload(group, numbers(100), batch_size=10)
    assert stopped.value.report.submitted == stopped.value.report.failed_count
    assert not stopped.value.report.unknown_count
    assert not sandbox.requests


async def test_it_says_how_to_name_an_authority_where_that_helps(authority: trustme.CA) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    given: list[tuple[trustme.LeafCert, ssl.SSLContext | None, bool]] = [
        (authority.issue_cert("127.0.0.1"), None, True),
        (trustme.CA().issue_cert("127.0.0.1"), trusting, True),
        (authority.issue_cert("gateway.example"), trusting, False),
        (authority.issue_cert("127.0.0.1", not_after=long_ago), trusting, False),
    ]
    for certificate, trust, helps in given:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        async with (
            Sandbox(ssl=context) as sandbox,
            Client(sandbox.client_id, sandbox.api_key, base_url=sandbox.url, ssl=trust) as client,
        ):
            with pytest.raises(NotSentError, match="certificate is not trusted") as refused:
                await client.me()
        assert ("SSL_CERT_FILE" in str(refused.value)) is helps


async def test_a_private_authority_can_be_given(
    authority: trustme.CA, server_side: ssl.SSLContext
) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with Sandbox(ssl=server_side) as sandbox:
        group = sandbox.add_group("people")
        async with Client(
            sandbox.client_id, sandbox.api_key, base_url=sandbox.url, ssl=context
        ) as client:
            report = await client.phones.upload(group, numbers(100), batch_size=10, rate=None)
    assert report.ok


@pytest.mark.parametrize("honoured", [True, False])
async def test_the_proxy_of_the_environment(
    honoured: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n", 1)[0].decode())
        writer.write(answer(["+491"]))
        await writer.drain()

    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(proxy) as url:
        monkeypatch.setenv("http_proxy", url)
        async with Client(
            1, "key", base_url="http://gateway.invalid", trust_env=honoured
        ) as client:
            policy = RetryPolicy(max_wait=1.0)
            upload = client.phones.upload(7, ["+491"], retry=policy)
            with suppress(UploadStopped):
                await upload
    assert upload.report.ok is honoured
    wanted = "POST http://gateway.invalid/groups/7/phones/batch HTTP/1.1"
    assert asked == ([wanted] if honoured else [])
