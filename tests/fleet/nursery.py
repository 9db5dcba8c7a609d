"""A process that forks others which run partitions, several at once; for tests that kill those.

Forking spares each the start of Python. One job a line comes in as JSON, the id of its process goes
out; how it ended, that process writes into a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from asyncsdk import Client, Rate, fleet
from asyncsdk.integrations.redis import SharedPace


async def run(job: dict[str, Any]) -> str:
    """Run a partition. Returns the line of its report."""
    pace = SharedPace(job["redis"], rate=Rate(1000)) if job["redis"] else None
    limits = {"rate": None} if pace is None else {"pace": pace}
    async with Client(
        job["client_id"], job["api_key"], base_url=job["url"], timeout=job["timeout"], **limits
    ) as client:
        return str(await fleet.run(job["state"], job["index"], client=client))


def work(job: dict[str, Any]) -> None:
    """Do a job, and write down how it ended."""
    try:
        said = asyncio.run(run(job))
    except BaseException as error:  # noqa: BLE001 - it is told
        said = f"{type(error).__name__}: {error}"
        if "Error" in said and type(error).__name__ not in {"FencedError", "UploadStopped"}:
            said += traceback.format_exc()
    part = Path(job["told"]).with_suffix(".part")
    part.write_text(said, encoding="utf-8")
    part.rename(job["told"])
    os._exit(0)


def main() -> None:
    """Serve until there are no more jobs."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    for line in sys.stdin:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work(json.loads(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
