"""The event loop: how long an upload holds it, and what a web handler beside it feels."""

from __future__ import annotations

import asyncio
import http.client
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from asyncsdk import Client
from benchmarks.contenders import KEY, phones, quiet, sdk
from benchmarks.measure import Section, Verdict, Worker, quantile, say
from benchmarks.sink import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    sink.set_up(Behaviour())
    yield _holds(sink, 200_000 if quick else 1_000_000, 5)
    yield _handler(sink, 1.0 if quick else 6.0, 5)


# -- how long the loop is held ---------------------------------------------------------------


def _holds(sink: Sink, count: int, rounds: int) -> Section:
    found = []
    with Worker() as worker:
        worker.call(quiet)
        worker.call(sdk, sink.url, 5_000)
        for turn in range(rounds):
            say(f"  holds: round {turn + 1} of {rounds}")
            found.append(worker.call(_held, sink.url, count))
    middle, high, longest = (median(column) * 1e3 for column in zip(*found, strict=True))
    return Section(
        "How long the event loop is held",
        ("median", "p99.9", "longest"),
        [(f"{middle:.2f} ms", f"{high:.2f} ms", f"{longest:.2f} ms")],
        (Verdict("p99.9 hold of the event loop", high, 5, "ms"),),
        note=f"Time between two polls of the event loop while {count:,} phones go up in batches of "
        "1,000, 8 at once, as fast as they go: whatever else is ready waits that long.",
    )


class _Watched:
    """A selector that notes how long the loop was away between two polls."""

    def __init__(self, selector: Any) -> None:
        self._selector = selector
        self._left: float | None = None
        self.holds: list[float] = []

    def select(self, timeout: float | None = None) -> Any:
        if self._left is not None:
            self.holds.append(time.perf_counter() - self._left)
        events = self._selector.select(timeout)
        self._left = time.perf_counter()
        return events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)


def _held(url: str, count: int) -> tuple[float, float, float]:
    import selectors  # noqa: PLC0415

    watched = _Watched(selectors.DefaultSelector())

    async def upload() -> None:
        async with Client(*KEY, base_url=url, rate=None) as client:
            await client.phones.upload(1, phones(count), rate=None)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(watched)) as runner:  # type: ignore[arg-type]
        runner.run(upload())
    holds = watched.holds
    return median(holds), quantile(holds, 0.999), max(holds)


# -- what a handler feels --------------------------------------------------------------------


def _handler(sink: Sink, seconds: float, rounds: int) -> Section:
    """One process serves FastAPI and uploads; another asks it again and again."""
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    with Worker() as server, Worker() as client:
        server.call(quiet)
        for turn in range(rounds):
            for busy in (False, True):
                say(f"  handler, {'' if busy else 'no '}upload: round {turn + 1} of {rounds}")
                port = server.call(_free_port)
                server.send(_serve, port, sink.url if busy else None, seconds + 1.0)
                found[busy].append(client.call(_ask, port, seconds))
                server.receive()
    told = {
        busy: tuple(median(column) * 1e3 for column in zip(*pairs, strict=True))
        for busy, pairs in found.items()
    }
    above = told[True][1] - told[False][1]
    return Section(
        "A FastAPI handler beside an upload",
        ("", "p50", "p99"),
        [
            (name, *(f"{figure:.2f} ms" for figure in told[busy]))
            for name, busy in (("without", False), ("with an upload", True))
        ],
        (Verdict("p99 of a handler beside an upload, above that without", above, 10, "ms"),),
        note="Served by the event loop that uploads as fast as it can (no rate limit, batches of "
        "1,000, 8 at once); asked every 5 ms from another process.",
    )


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _serve(port: int, url: str | None, seconds: float) -> None:
    import uvicorn  # noqa: PLC0415
    from fastapi import FastAPI  # noqa: PLC0415

    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    async def serve() -> None:
        config = uvicorn.Config(
            app, port=port, log_level="critical", loop="asyncio", http="h11", lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        if url is None:
            await asyncio.sleep(seconds)
        else:
            async with Client(*KEY, base_url=url, rate=None) as client:
                upload = client.phones.upload(1, phones(10**9), rate=None, keep_created=False)
                upload.start()
                await asyncio.sleep(seconds)
                await upload.stop()
        server.should_exit = True
        await serving

    asyncio.run(serve())


def _ask(port: int, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile of the latency, as another process sees it."""
    connection = _connect(port)
    taken = []
    until = time.perf_counter() + seconds - 0.5
    while time.perf_counter() < until:
        began = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
        time.sleep(0.005)
    connection.close()
    taken = taken[len(taken) // 10 :]  # warmed up
    return median(taken), quantile(taken, 0.99)


def _connect(port: int) -> http.client.HTTPConnection:
    patience = time.perf_counter() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.connect()
        except OSError:
            if time.perf_counter() > patience:
                raise
            time.sleep(0.02)
        else:
            return connection
