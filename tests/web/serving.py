"""Serves the application of the tests by uvicorn, in processes of its own, and talks to it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from asyncsdk.testing import SandboxThread

ROOT = Path(__file__).parents[2]
AT_REST = {"draft", "checked", "stopped", "done", "undone", "undo_stopped"}


class Server:
    """uvicorn with so many workers; a context manager that ends it."""

    def __init__(
        self, sandbox: SandboxThread, folder: Path, workers: int = 1, **options: Any
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [
            *(sys.executable, "-m", "uvicorn", "tests.web.main:app", "--port", str(self.port)),
            *("--log-level", "warning", "--workers", str(workers)),
        ]
        self._environment = os.environ | {
            "ASYNCSDK_BASE_URL": sandbox.url,
            "ASYNCSDK_CLIENT_ID": sandbox.client_id,
            "ASYNCSDK_API_KEY": sandbox.api_key,
            "UPLOADS": str(folder),
            "UPLOAD_OPTIONS": json.dumps({"look_every": 0.5, **options}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, cwd=ROOT, env=self._environment)

    def end(self) -> int:
        """End it as a deploy does. Returns its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that serve: not the one that looks after them, nor what helps it."""
        found: list[int] = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text().split())
        return [pid for pid in found if b"spawn_main" in _command_of(pid)]

    @asynccontextmanager
    async def visited(self, user: str = "ann", **headers: str) -> AsyncIterator[Visitor]:
        """A user of the page, once it answers."""
        async with visiting(self.port, user, **headers) as visitor:
            await visitor.until_served()
            yield visitor


class ServerHere:
    """The same in the event loop of the test, which spares it the start of a process."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="warning", ws="none", loop="none")
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0)

    async def end(self) -> None:
        if self._serving is not None:
            self._server.should_exit = True
            await self._serving

    @property
    def port(self) -> int:
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port

    @asynccontextmanager
    async def visited(self, user: str = "ann", **headers: str) -> AsyncIterator[Visitor]:
        """A user of the page."""
        if self._serving is None:
            await self.start()
        async with visiting(self.port, user, **headers) as visitor:
            yield visitor


@asynccontextmanager
async def visiting(port: int, user: str, **headers: str) -> AsyncIterator[Visitor]:
    """A user of whatever serves at this port."""
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", headers={"X-User": user, **headers}
    ) as session:
        yield Visitor(session)


def _command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Visitor:
    """Does with the JSON interface what a page does."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def until_served(self) -> None:
        async with asyncio.timeout(60):
            while True:
                with suppress(aiohttp.ClientError):
                    async with self.session.get("/alive"):
                        return
                await asyncio.sleep(0.05)

    async def ask(self, method: str, path: str, *, status: int | None = None, **how: Any) -> Any:
        """The JSON that is answered; the status is to be this one, or one of success.

        A request whose worker dies is made again, as a browser's user would.
        """
        while True:
            try:
                async with self.session.request(method, f"/uploads/api{path}", **how) as reply:
                    text = await reply.text()
                    good = reply.status == status if status else reply.status < 300
                    assert good, (reply.status, text)
                    return json.loads(text) if text else None
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
                await asyncio.sleep(0.05)

    async def send(self, content: Any, name: str = "list.csv", **query: Any) -> dict[str, Any]:
        job: dict[str, Any] = await self.ask(
            "POST", "/jobs", data=content, params={"name": name, **query}, status=201
        )
        return job

    async def until(self, job_id: str, *states: str) -> dict[str, Any]:
        """The job, once it is in one of these states, or at rest."""
        while True:
            job: dict[str, Any] = await self.ask("GET", f"/jobs/{job_id}")
            if job["state"] in (states or AT_REST):
                return job
            await asyncio.sleep(0.05)

    async def checked(self, job_id: str) -> dict[str, Any]:
        await self.ask("POST", f"/jobs/{job_id}/check")
        return await self.until(job_id)

    async def started(self, content: Any, group_id: int, **choices: Any) -> dict[str, Any]:
        """A job that was sent, checked and started."""
        job = await self.send(content, group_id=group_id)
        if choices:
            await self.ask("PATCH", f"/jobs/{job['id']}", json={"choices": choices})
        job = await self.checked(job["id"])
        assert job["state"] == "checked", job
        started: dict[str, Any] = await self.ask("POST", f"/jobs/{job['id']}/start")
        return started
