from __future__ import annotations

import asyncio
import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import pytest
import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk.testing import SandboxThread

APP = Path(__file__).parents[2] / "examples" / "fastapi_app.py"


@pytest.fixture(autouse=True)
def _environment(
    environment: dict[str, str],
    sandbox: SandboxThread,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SIGN_UPS", str(sandbox.add_group("sign-ups")))
    monkeypatch.setenv("UPLOADS", str(tmp_path / "uploads"))


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


async def post(session: aiohttp.ClientSession, path: str, rows: Any) -> tuple[int, Any]:
    async with session.post(path, json=rows) as reply:
        return reply.status, await reply.json()


async def get(session: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with session.get(path) as reply:
        return reply.status, await reply.json()


ROWS: list[Any] = ["+4915112345678", {"phone": "+4916012345678", "a": "Eva"}, "", {"fon": "1"}]


async def test_single_sign_ups_travel_together(sandbox: SandboxThread) -> None:
    async with served() as session:
        answers = await asyncio.gather(
            *(post(session, "/sign-ups", row) for row in ["+4915112345678", *ROWS[1:3]])
        )
    assert [status for status, _ in answers] == [201, 201, 422]
    assert [answer["outcome"] for _, answer in answers] == ["created", "created", "invalid"]
    assert answers[2][1]["reason"]
    assert sorted(commit.phone for commit in sandbox.commits) == [
        "+4915112345678",
        "+4916012345678",
    ]
    assert len([r for r in sandbox.requests if r.method == "POST"]) <= 2


async def test_a_list_is_uploaded_and_each_bad_row_told(sandbox: SandboxThread) -> None:
    group = sandbox.add_group("web")
    async with served() as session:
        status, answer = await post(session, f"/groups/{group}/phones", ROWS)
    assert status == 200
    assert (answer["submitted"], answer["created"]) == (4, 2)
    assert list(answer["rejected"]) == ["2", "3"]
    assert all(row["reason"] for row in answer["rejected"].values())
    assert [commit.a for commit in sandbox.commits] == [None, "Eva"]


async def test_an_upload_that_cannot_go_on_still_answers_for_every_row() -> None:
    async with served() as session:
        status, answer = await post(session, "/groups/1/phones", ROWS)
    assert status == 502
    assert answer["submitted"] == 4 == len(answer["rejected"])


async def finished(session: aiohttp.ClientSession, upload: str) -> Any:
    """What is said of an upload that has come to its end."""
    async with asyncio.timeout(30):
        while True:
            status, answer = await get(session, f"/uploads/{upload}")
            assert status == 200
            if answer["complete"]:
                return answer
            await asyncio.sleep(0.02)


async def test_any_worker_can_say_how_far_an_upload_is(sandbox: SandboxThread) -> None:
    group = sandbox.add_group("web")
    async with served() as one, served() as other:
        status, answer = await post(one, f"/groups/{group}/uploads", ROWS)
        assert status == 202
        found = await finished(other, answer["id"])
        assert (found["submitted"], found["created"]) == (4, 2)
        assert found == await finished(one, answer["id"])
        assert (await get(other, f"/uploads/{uuid4()}"))[0] == 404
        assert (await get(other, "/uploads/..%2Fsecret"))[0] in {404, 422}
    assert len(sandbox.commits) == 2


async def test_what_one_worker_left_the_next_one_takes_up(sandbox: SandboxThread) -> None:
    group = sandbox.add_group("web")
    rows = [f"+49160{number:07}" for number in range(3_000)]
    async with served() as session:
        _, answer = await post(session, f"/groups/{group}/uploads", rows)
    async with served() as session:
        found = await finished(session, answer["id"])
    assert found["created"] == 3_000 == len(sandbox.commits)
