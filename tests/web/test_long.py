"""A long list takes neither memory of the worker nor its attention."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.effort import effort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import Server, Visitor

ROWS = effort(30_000, 1_000_000)
MOST = 64.0
"""MiB that the worker may grow by, however long the list is."""


async def pieces() -> AsyncIterator[bytes]:
    yield b"Name;Mobil\n"
    for first in range(0, ROWS, 10_000):
        rows = range(first, min(ROWS, first + 10_000))
        yield "".join(f"Name {at};+4916{at:09}\n" for at in rows).encode()
        await asyncio.sleep(0)


def memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(found) / 1024


async def answered(ann: Visitor, asked: list[float]) -> None:
    """Ask for something small until this is cancelled; each time is noted."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        async with ann.session.get("/alive") as reply:
            assert reply.status == 200
        asked.append(loop.time() - began)
        await asyncio.sleep(0.02)


@pytest.mark.timeout(900)
async def test_a_long_list(sandbox: SandboxThread, serve: Callable[..., Server]) -> None:
    server = serve()
    asked: list[float] = []
    async with server.visited() as ann, server.visited() as bea:
        before = memory(server.pid)
        asking = asyncio.create_task(answered(bea, asked))
        job = await ann.send(pieces(), group_id=sandbox.add_group())
        choices = {"normalize": "DE", "duplicates": "skip"}
        await ann.ask("PATCH", f"/jobs/{job['id']}", json={"choices": choices})
        job, checked = await ann.ask("POST", f"/jobs/{job['id']}/check"), [0]
        while job["state"] == "checking":
            checked.append(job["progress"]["read"] if job["progress"] else 0)
            job = await ann.ask("GET", f"/jobs/{job['id']}")
        assert checked == sorted(checked)
        assert 0 < checked[-1] <= ROWS  # it was told how far that is
        assert (job["state"], job["progress"]) == ("checked", None)
        await ann.ask("POST", f"/jobs/{job['id']}/start")
        done = await ann.until(job["id"])
        assert done["progress"]["created"] == ROWS
        await ann.ask("GET", f"/jobs/{job['id']}/results/created", params={"offset": ROWS - 5})
        async with ann.session.get(f"/uploads/api/jobs/{job['id']}/files/report.csv") as reply:
            lines = 0
            async for line in reply.content:
                lines += line.endswith(b"\n")
            assert lines == ROWS + 1
        assert memory(server.pid) - before < MOST
        assert not asking.done()  # nobody was refused
        asking.cancel()
    assert len(asked) > 20
    assert len(sandbox.commits) == ROWS
