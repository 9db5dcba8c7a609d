from __future__ import annotations

import asyncio
import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk.testing import SandboxThread

APP = Path(__file__).parents[2] / "examples" / "fastapi_app.py"


@pytest.fixture(autouse=True)
def _environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def served(path: Path = APP) -> AsyncIterator[aiohttp.ClientSession]:
    """The app in this file, by a server of its own."""
    spec = importlib.util.spec_from_file_location("fastapi_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = uvicorn.Config(module.app, port=0, log_level="error", ws="none", loop="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session
    finally:
        server.should_exit = True
        await serving


async def post(session: aiohttp.ClientSession, path: str, rows: list[Any]) -> tuple[int, Any]:
    async with session.post(path, json=rows) as reply:
        return reply.status, await reply.json()


async def get(session: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with session.get(path) as reply:
        return reply.status, await reply.json()


ROWS: list[Any] = ["+4915112345678", {"phone": "+4916012345678", "a": "Eva"}, "", {"fon": "1"}]


async def test_a_list_is_uploaded_and_each_bad_row_told(sandbox: SandboxThread) -> None:
    group = sandbox.add_group("web")
    async with served() as session:
        status, answer = await post(session, f"/groups/{group}/phones", ROWS)
    assert status == 200
    assert (answer["submitted"], answer["created"], answer["invalid"]) == (4, 2, 2)
    assert [row["index"] for row in answer["rejected"]] == [2, 3]
    assert all(row["reason"] for row in answer["rejected"])
    assert [commit.a for commit in sandbox.commits] == [None, "Eva"]


async def test_an_upload_that_cannot_go_on_still_answers_for_every_row() -> None:
    async with served() as session:
        status, answer = await post(session, "/groups/1/phones", ROWS)
    assert status == 502
    assert answer["submitted"] == 4 == answer["invalid"] + answer["failed"]


async def test_a_background_upload_can_be_followed(sandbox: SandboxThread) -> None:
    group = sandbox.add_group("web")
    async with served() as session:
        status, answer = await post(session, f"/groups/{group}/uploads", ROWS)
        assert status == 202
        status, progress = await get(session, f"/uploads/{answer['id']}")
        assert (status, progress["failed"]) == (200, 0)
        status, report = await get(session, f"/uploads/{answer['id']}/report")
        assert (status, report["created"]) == (200, 2)
        assert (await get(session, f"/uploads/{answer['id']}"))[0] == 404
    assert len(sandbox.commits) == 2
