"""A sandbox at the far end of a cable, which says what was stored when it is asked."""

from __future__ import annotations

import asyncio
import json
import sys

from asyncsdk.sandbox import Sandbox

PORT = 8080


async def main(host: str) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)  # the cable is there
    async with Sandbox(host=host, port=PORT, latency=0.01) as sandbox:
        group = sandbox.add_group("people")
        _say([sandbox.client_id, sandbox.api_key, group])
        while await loop.run_in_executor(None, sys.stdin.readline):
            _say([[commit.callback_data, commit.phone_id] for commit in sandbox.commits])


def _say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
