"""A process of a fleet, with a clock that is wrong: uploads for some time, tells when each left."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from random import Random
from typing import Any

from asyncsdk import Client, Rate, RetryPolicy, UploadStopped
from asyncsdk.integrations.redis import SharedPace
from tests.rig import phones


def set_clocks(off: float) -> None:
    """Have every clock of this process show another time."""
    for name in ("time", "monotonic", "perf_counter"):
        right = getattr(time, name)
        setattr(time, name, lambda right=right: right() + off)


async def work(order: dict[str, Any]) -> dict[str, Any]:
    """Upload single phones until the time is up."""
    random = Random(order["number"])
    pace = SharedPace(order["redis"], rate=Rate(order["rate"]))
    left: list[float] = []
    async with Client(
        order["client_id"], order["api_key"], base_url=order["url"], pace=pace
    ) as client:
        transport = client._requests.transport
        rest, send = transport.rest, transport.send

        async def sleep() -> None:
            await asyncio.sleep(random.uniform(0, order["late"]))
            await rest()

        async def noted(request: Any, headers: Any, attempt: Any) -> Any:
            try:
                return await send(request, headers, attempt)
            finally:
                if attempt.left:
                    left.append(attempt.left_at - order["off"])

        transport.rest = sleep  # type: ignore[method-assign]
        transport.send = noted  # type: ignore[method-assign]
        upload = client.phones.upload(
            order["group"],
            phones(order["most"]),
            batch_size=1,
            retry=RetryPolicy(50),
        ).start()
        ended = asyncio.ensure_future(
            asyncio.sleep(order["until"] + order["off"] - time.monotonic())
        )
        with suppress(UploadStopped):
            await asyncio.wait(
                [ended, asyncio.create_task(upload.wait_closed())], return_when="FIRST_COMPLETED"
            )
            ended.cancel()
            await upload.stop()
        report = upload.report
    error = None if upload.error is None else str(upload.error)
    return {"left": left, "created": report.created_count, "error": error}


def main() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    order = json.loads(sys.stdin.readline())
    set_clocks(order["off"])
    sys.stdout.write(json.dumps(asyncio.run(work(order))))


if __name__ == "__main__":
    main()
