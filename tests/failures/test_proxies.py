"""A proxy that does not connect to the server: whether that passes, and what to do about it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from asyncsdk import AsyncSDKError, Client, NotSentError
from asyncsdk.http.certainty import Verdict, verdict_of_error
from tests.failures.raw import serving
from tests.leaping import run_leaping

REFUSALS = [
    (407, Verdict.STOP, "check its user and password"),
    (403, Verdict.STOP, "check what it allows"),
    (502, Verdict.OUTAGE, "no connection: the proxy answered HTTP 502"),
    (503, Verdict.OUTAGE, "no connection: the proxy answered HTTP 503"),
]


@pytest.mark.parametrize(("status", "verdict", "advice"), REFUSALS)
async def test_its_refusal_says_what_to_check(
    status: int, verdict: Verdict, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT gateway.test:443 ")
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async with serving(refuse) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("//", "//user:secret@"))
        async with Client(1, "key", base_url="https://gateway.test", trust_env=True) as client:
            with pytest.raises(AsyncSDKError, match=advice) as caught:
                await client.phones.create_batch(1, ["+491600000001"])
    assert isinstance(caught.value, NotSentError)
    assert verdict_of_error(caught.value) is verdict
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("borrowed", [False, True])
def test_one_that_never_answers_is_not_waited_for_without_end(
    *, borrowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep_waiting(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serving(keep_waiting))
            monkeypatch.setenv("HTTPS_PROXY", url)
            session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=True))
            given = {"session": session} if borrowed else {"trust_env": True}
            client = await stack.enter_async_context(
                Client(1, "key", base_url="https://gateway.test", **given)
            )
            began = asyncio.get_running_loop().time()
            with pytest.raises(NotSentError):
                await client.phones.create_batch(1, ["+491600000001"])
            assert asyncio.get_running_loop().time() - began <= 10.0 + borrowed * 60.0 + 1.0

    run_leaping(scenario())
