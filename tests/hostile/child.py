"""Code that runs in a process of its own, where what it takes is bounded and measured."""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["MEMORY", "bounded"]

MEMORY = 400 << 20
"""Bytes that may be in memory at once."""
_ADDRESSES = 4 << 30
_SECONDS = 30

_FRAME = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({addresses}, {addresses}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{code}
with open("/proc/self/status") as status:  # `ru_maxrss` is also of who started this
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
assert peak * 1024 <= {memory}, f"{{peak / 1024:.0f}} MiB were in memory"
"""


def bounded(
    code: str, *words: object, memory: int = MEMORY, seconds: int = _SECONDS, wall: float = 90
) -> str:
    """What this code prints; it fails the test if it raises, dies, or takes more than it may.

    Args:
        code: It finds the words in `sys.argv[1:]`.
        words: Its arguments.
        memory: Bytes of memory, its children's included.
        seconds: Of processor time.
        wall: Seconds on the clock.
    """
    whole = _FRAME.format(code=code, memory=memory, seconds=seconds, addresses=_ADDRESSES)
    done = subprocess.run(
        [sys.executable, "-c", whole, *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=wall,
        env={**os.environ, "POLARS_MAX_THREADS": "2"},
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return done.stdout
