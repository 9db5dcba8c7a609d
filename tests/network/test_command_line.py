"""The command line goes by the proxy that its environment names, and by none otherwise."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from asyncsdk.sandbox import Sandbox
from tests.network.squid import squid


async def me(environment: dict[str, str]) -> int | None:
    """The exit code of a command that makes one request."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asyncsdk.cli", "me"),
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


@pytest.mark.parametrize("named", ["HTTP_PROXY", "http_proxy", None])
def test_a_command_behind_a_proxy(named: str | None) -> None:
    async def scenario() -> None:
        async with Sandbox() as sandbox, squid("open") as proxy:
            credentials = {
                "ASYNCSDK_BASE_URL": sandbox.url,
                "ASYNCSDK_CLIENT_ID": sandbox.client_id,
                "ASYNCSDK_API_KEY": sandbox.api_key,
            }
            assert await me(credentials | ({named: proxy.url()} if named else {})) == 0
            assert len(sandbox.requests) == 1
            assert ("200 GET" in proxy.log) == (named is not None)

    asyncio.run(scenario())
