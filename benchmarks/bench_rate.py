"""Whether the rate is kept and used by real timers: the tests show it by a clock of their own.

For each rate: the most arrivals in any window, by the server's log, and the time against the
allowance. The server and the client share a machine, not a thread.
"""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left

from asyncsdk import Client, Rate
from asyncsdk.testing import SandboxThread

CASES = [(Rate(20, per=1.0), 200), (Rate(1, per=2.0), 8), (Rate(500, per=1.0), 4000)]


def busiest(arrivals: list[float], per: float) -> int:
    """The most arrivals in any window of this length, its end excluded."""
    times = sorted(arrivals)
    return max(bisect_left(times, start + per) - i for i, start in enumerate(times))


async def upload(sandbox: SandboxThread, group_id: int, rate: Rate, requests: int) -> float:
    """Seconds that an upload of so many requests takes."""
    phones = (f"+49160{i:07}" for i in range(requests))
    async with Client(sandbox.client_id, sandbox.api_key, base_url=sandbox.url) as client:
        report = await client.phones.upload(group_id, phones, batch_size=1, rate=rate)
    assert report.ok
    return report.elapsed


def main() -> int:
    """Measure; 1 where a rate was broken or wasted."""
    bad = 0
    for rate, requests in CASES:
        with SandboxThread() as sandbox:
            elapsed = asyncio.run(upload(sandbox, sandbox.add_group(), rate, requests))
            most = busiest([request.at for request in sandbox.requests], rate.per)
        allowance = requests / rate.requests * rate.per
        ok = most <= rate.requests and elapsed <= allowance * 1.03
        bad += not ok
        print(
            f"{rate.requests} per {rate.per:g} s: at most {most} in a window, "
            f"{elapsed:.2f} s of {allowance:.2f} s allowed ({elapsed / allowance:.1%})"
            f"{'' if ok else '  BROKEN'}"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
