"""A process that forks one that uploads, and says how it ended; for tests that kill those.

Forking spares each the start of Python. One job a line comes in as JSON, two lines about it go out:
the process id, and how it ended with what it said.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncsdk import Client
from tests.rig import phones

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk import Phone


async def upload(job: dict[str, Any]) -> str:
    """Upload as many phones as it says. Returns the report's line."""
    async with Client(job["client_id"], job["api_key"], base_url=job["url"], rate=None) as client:
        if "heard" in job:
            return await send(client, job)
        source = (phone for phone in phones(job["count"]))
        return str(await client.phones.upload(job["group_id"], source, **job["options"]))


async def send(client: Client, job: dict[str, Any]) -> str:
    """Add phones through a sender, and note which of them were answered, and how."""
    with Path(job["heard"]).open("a", buffering=1, encoding="utf-8") as heard:  # noqa: ASYNC230
        async with client.phones.sender(job["group_id"], **job["options"]) as sender:

            async def handler(mine: list[Phone]) -> None:
                for phone in mine:
                    result = await sender.add(phone)
                    heard.write(f"{phone.callback_data} {result.index} {result.outcome}\n")

            rows = phones(job["count"])[job["first"] :]
            await asyncio.gather(*(handler(rows[at::20]) for at in range(20)))
    return str(sender.report)


def limited(size: int | None) -> None:
    """Let no file grow above this: a full disk for one process alone."""
    if size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def forked(work: Callable[[], str]) -> tuple[int, int]:
    """Run this in a process of its own. Returns its id, and where to read what it says."""
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    try:
        said = work()
    except BaseException as error:  # noqa: BLE001 - it is told
        said = f"{type(error).__name__}: {error}"
        if "JournalError" not in repr(error) and "UploadStopped" not in said:
            said = traceback.format_exc()
    os.write(writes, said.encode())
    os._exit(0)


def main() -> None:
    """Serve until there are no more jobs."""
    for line in sys.stdin:
        job = json.loads(line)

        def work(job: dict[str, Any] = job) -> str:
            limited(job.get("limit"))
            return asyncio.run(upload(job))

        child, reads = forked(work)
        print(child, flush=True)
        with os.fdopen(reads, encoding="utf-8") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps([status, said]), flush=True)


if __name__ == "__main__":
    main()
