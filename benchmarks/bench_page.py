"""The page: what its worker needs for a long list, and what others who ask it feel meanwhile."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import threading
import time
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Section, Verdict, Worker, quantile, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink

KEPT: list[object] = []
"""What a worker's thread serves for as long as the worker lives."""


def sections(_: Sink, *, quick: bool) -> Iterator[Section]:
    yield _long_list(50_000 if quick else 1_000_000)


def _long_list(count: int) -> Section:
    with TemporaryDirectory() as folder, Worker() as provider, Worker() as page, Worker() as asker:
        url, client_id, key, group = provider.call(_provider)
        pid, port = page.call(_page, folder, url, client_id, key)
        user = _User(port)
        say(f"  page: {count:,} rows")
        asker.call(_ask, port, 1.0)
        phases = {"idle": (asker.call(_ask, port, 3.0), _memory(pid))}
        for name, begin, state in (
            ("a list comes and is checked", partial(user.bring, count, group), "checked"),
            ("it is sent", user.start, "done"),
        ):
            stop = Path(folder, f"stop-{state}")
            asker.send(_ask, port, 3600.0, str(stop))
            begin()
            memory = user.wait(state, pid)
            stop.touch()
            phases[name] = asker.receive(), memory
    idle, before = phases["idle"]
    above = max(figures[1] for figures, _ in phases.values()) - idle[1]
    grown = max(memory for _, memory in phases.values()) - before
    return Section(
        "The page with a long list",
        ("", "p50 of others", "p99 of others", "memory of the worker"),
        [
            (name, f"{p50 * 1e3:.1f} ms", f"{p99 * 1e3:.1f} ms", f"{memory:.0f} MiB")
            for name, ((p50, p99), memory) in phases.items()
        ],
        (
            Verdict("p99 of others while a long list is checked and sent", above * 1e3, 50, "ms"),
            Verdict("memory of a worker for a long list, above idle", grown, 60, "MiB"),
        ),
        note=f"One worker of uvicorn with the page, and a list of {count:,} rows, normalized, "
        "without a rate limit; somebody else asks for a small answer every 5 ms.",
    )


# -- the processes ---------------------------------------------------------------------------


def _provider() -> tuple[str, str, str, int]:
    from asyncsdk.sandbox import SandboxThread  # noqa: PLC0415

    sandbox = SandboxThread()
    sandbox.start()
    KEPT.append(sandbox)
    return sandbox.url, sandbox.client_id, sandbox.api_key, sandbox.add_group()


def _page(folder: str, url: str, client_id: str, key: str) -> tuple[int, int]:
    """Serve the page in a thread. Returns the id of this process, and the port."""
    import uvicorn  # noqa: PLC0415
    from fastapi import FastAPI  # noqa: PLC0415

    from asyncsdk import Client  # noqa: PLC0415
    from asyncsdk.web import UploadJobs, upload_router  # noqa: PLC0415

    jobs = UploadJobs(folder, client=lambda: Client(client_id, key, base_url=url, rate=None))
    app = FastAPI(lifespan=jobs.lifespan)
    app.include_router(upload_router(jobs), prefix="/uploads")

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", loop="asyncio"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    KEPT.append(server)
    return os.getpid(), server.servers[0].sockets[0].getsockname()[1]


def _ask(port: int, seconds: float, stop: str = "") -> tuple[float, float]:
    """Median and 99th percentile of the latency of a small answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and not (stop and Path(stop).exists()):
        began = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
        time.sleep(0.005)
    connection.close()
    return median(taken), quantile(taken, 0.99)


def _pieces(count: int) -> Iterator[list[bytes]]:
    for first in range(0, count, 10_000):
        last = min(count, first + 10_000)
        yield [f"Name {at};+4916{at:09}\n".encode() for at in range(first, last)]


class _User:
    """Whoever has the list."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._at = ""

    def bring(self, count: int, group: int) -> None:
        body = chain([b"Name;Mobil\n"], (b"".join(rows) for rows in _pieces(count)))
        query = f"/jobs?name=long.csv&group_id={group}"
        job = self._call("POST", query, body)
        self._at = f"/jobs/{job['id']}"
        choices = {"choices": {"normalize": "DE", "duplicates": "skip"}}
        self._call("PATCH", self._at, json.dumps(choices))
        self._call("POST", f"{self._at}/check")

    def start(self) -> None:
        self._call("POST", f"{self._at}/start")

    def wait(self, state: str, pid: int) -> float:
        """Wait until the job is that far. Returns the most memory of the worker meanwhile, MiB."""
        most = _memory(pid)
        while (job := self._call("GET", self._at))["state"] != state:
            assert job["state"] in {"checking", "running"}, job["reason"]
            most = max(most, _memory(pid))
            time.sleep(0.1)
        return most

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Content-Type": "application/json"}
        connection.request(method, f"/uploads/api{path}", body, headers, encode_chunked=True)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer


def _memory(pid: int) -> float:
    """What a process has in memory, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(found) / 1024
