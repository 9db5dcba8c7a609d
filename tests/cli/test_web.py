"""`asyncsdk web`: the page of one person, at their own machine."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pexpect
import pytest
from yarl import URL

from tests.rig import numbers

from .kit import COMMAND, PLAIN, environment, run, whole_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{32}")


@contextmanager
def serving(sandbox: SandboxThread | None, *words: object) -> Iterator[URL]:
    """The first address of the page, while it is served."""
    command = [*COMMAND, "web", "--no-browser", *map(str, words)]
    env = PLAIN if sandbox is None else environment(sandbox)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = ADDRESS.search(process.stdout.readline())
            assert found
            yield URL(found[0])
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


@pytest.fixture
async def visitor() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def look(session: aiohttp.ClientSession, url: URL, **how: Any) -> tuple[int, str]:
    async with session.get(url, **how) as reply:
        return reply.status, await reply.text()


async def test_only_who_has_its_address_gets_in(
    sandbox: SandboxThread, tmp_path: Path, visitor: aiohttp.ClientSession
) -> None:
    sandbox.add_group("spring")
    with serving(sandbox, "--folder", tmp_path) as url:
        for path in ("/", "/jobs/" + "0" * 32, "/api/jobs", "/api/groups", "/assets/page.js"):
            status, text = await look(visitor, url.with_path(path).with_query(None))
            assert status == 403, path
            assert "which the terminal shows" in text
            assert "spring" not in text
        for token in ("", "x" * 32, "\N{SNOWMAN}"):
            assert (await look(visitor, url.with_query(token=token)))[0] == 403
        async with visitor.get(url, allow_redirects=False) as reply:
            assert {"HttpOnly", "SameSite=strict"} <= set(reply.headers["Set-Cookie"].split("; "))
            assert "token" not in reply.headers["Location"]
        status, text = await look(visitor, url)
        assert (status, "spring" in text) == (200, True)
        # A page of another site whose name leads here, as after rebinding.
        other = {"Host": f"evil.example:{url.port}"}
        assert (await look(visitor, url, headers=other))[0] == 400


async def test_a_list_that_was_under_way_goes_on(
    sandbox: SandboxThread, tmp_path: Path, visitor: aiohttp.ClientSession
) -> None:
    group = sandbox.add_group("spring")
    with serving(sandbox, "--folder", tmp_path, "--rate", "1/1s") as url:
        await look(visitor, url)
        api = url.with_path("/api/jobs").with_query(name="list.csv", group_id=str(group))
        async with visitor.post(api, data="\n".join(numbers(2000)).encode()) as reply:
            job = URL(f"{api.with_query(None)}/{(await reply.json())['id']}")
        await visitor.post(job / "check")
        await _until(visitor, job, "checked")
        await visitor.post(job / "start")
        while not sandbox.commits:
            await asyncio.sleep(0.05)
    assert len(sandbox.commits) < 2000
    with serving(sandbox, "--folder", tmp_path, "--rate", "none") as url:
        await look(visitor, url)
        await _until(visitor, url.with_path(job.path).with_query(None), "done")
    assert sorted(commit.phone for commit in sandbox.commits) == numbers(2000)


async def _until(visitor: aiohttp.ClientSession, job: URL, state: str) -> None:
    while True:
        async with visitor.get(job) as reply:
            if (await reply.json())["state"] == state:
                return
        await asyncio.sleep(0.05)


async def test_with_a_sandbox_it_needs_nothing(visitor: aiohttp.ClientSession) -> None:
    with serving(None, "--sandbox") as url:
        status, text = await look(visitor, url)
        assert status == 200
        assert ">example (0)</option>" in text


def test_it_asks_for_credentials(sandbox: SandboxThread, tmp_path: Path) -> None:
    env = whole_environment(sandbox)
    number, key = env.pop("ASYNCSDK_CLIENT_ID"), env.pop("ASYNCSDK_API_KEY")
    words = ["web", "--no-browser", "--folder", str(tmp_path / "page")]
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *words], env=env, encoding="utf-8", timeout=60)
    child.expect("Client id")
    child.sendline(number)
    child.expect("API key")
    child.sendline("wrong")
    child.expect("once more")
    child.expect("Client id")
    child.sendline(number)
    child.expect("API key")
    child.sendline(key)
    child.expect(ADDRESS.pattern)
    shown = child.before or ""
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert key not in shown
    assert not any(key.encode() in path.read_bytes() for path in tmp_path.rglob("*.sqlite*"))


def test_wrong_credentials_end_it_before_it_is_served(sandbox: SandboxThread) -> None:
    result = run("web", "--no-browser", sandbox=sandbox, env={"ASYNCSDK_API_KEY": "wrong"})
    assert result.exit_code == 2
    assert len([one for one in sandbox.requests if one.status == 401]) == 1


def test_without_credentials_and_without_a_terminal() -> None:
    result = run("web", "--no-browser")
    assert result.exit_code == 2
    assert "ASYNCSDK_CLIENT_ID" in result.output


def test_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("web", "--sandbox", "--no-browser", "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "--port 0 takes a free one" in result.output
