"""What users of the SDK get for their own tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import aiohttp
import pytest

from asyncsdk.testing import Faults, SandboxThread
from tests.rig import rows

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["asyncsdk.testing"]


async def status(sandbox: SandboxThread, path: str = "/me", **kwargs: object) -> int:
    headers = {"X-LOX24-AUTH-TOKEN": f"{sandbox.client_id}:{sandbox.api_key}"}
    method = "POST" if kwargs else "GET"
    async with (
        aiohttp.ClientSession(sandbox.url, headers=headers) as session,
        session.request(method, path, **kwargs) as reply,  # type: ignore[arg-type]
    ):
        return reply.status


async def test_the_fixture_serves_a_loop_of_another_thread(lox24_sandbox: SandboxThread) -> None:
    group_id = lox24_sandbox.add_group("people")
    assert await status(lox24_sandbox, f"/groups/{group_id}/phones/batch", json=rows(3)) == 201
    assert len(lox24_sandbox.commits) == 3
    assert len(lox24_sandbox.phones(group_id)) == 3
    assert lox24_sandbox.groups[0].count_items == 3
    assert [record.phones for record in lox24_sandbox.requests] == [3]


def test_the_fixture_serves_a_test_without_a_loop(lox24_sandbox: SandboxThread) -> None:
    assert asyncio.run(status(lox24_sandbox)) == 200


async def test_the_factory_takes_options(
    lox24_sandbox_factory: Callable[..., SandboxThread],
) -> None:
    broken = lox24_sandbox_factory(faults=Faults({"503": 1.0}, routes="all"))
    whole = lox24_sandbox_factory(client_id="42")
    assert (await status(broken), await status(whole)) == (503, 200)
    assert whole.client_id == "42"


async def test_a_thread_ends_with_its_context() -> None:
    with SandboxThread() as sandbox:
        assert await status(sandbox) == 200
        sandbox.drop_connections()
        assert await status(sandbox) == 200
    assert "lox24-sandbox" not in {thread.name for thread in threading.enumerate()}
    assert len(sandbox.requests) == 2
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.drop_connections()
    sandbox.stop()


def test_a_port_that_is_taken() -> None:
    with (
        SandboxThread() as sandbox,
        pytest.raises(OSError, match="address already in use"),
        SandboxThread(port=int(sandbox.url.rpartition(":")[2])),
    ):
        pass  # pragma: no cover
    assert "lox24-sandbox" not in {thread.name for thread in threading.enumerate()}


def test_without_pytest_the_error_says_what_to_install() -> None:
    told = python("import sys; sys.modules['pytest'] = None; import asyncsdk.testing")
    assert "pip install pytest" in told


def python(script: str) -> str:
    """What this script prints, to both streams."""
    done = subprocess.run(  # noqa: S603 - the scripts are the ones above
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout
