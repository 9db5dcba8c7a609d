"""`python -m tests.fuzz TARGET --seconds N`: bytes that ever more of the code has not seen yet.

It ends with an error at the first input that raises anything but an error of ours, takes half a
minute, or has 400 MiB in memory, its child processes included; that input is kept in a file, which
is named.
"""

from __future__ import annotations

import argparse
import resource
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["asyncsdk"]):
    from tests.fuzz.targets import TARGETS

MEMORY = 400
"""MiB."""
PATIENCE = 30
"""Seconds for one input."""
LONGEST = 1 << 16


def peak(whose: int) -> int:
    """MiB that were in memory at once; of children those of the largest that has ended."""
    return resource.getrusage(whose).ru_maxrss >> 10


class Memory:
    """What this process and its largest child had in memory; libFuzzer looks at the first alone."""

    def __init__(self) -> None:
        self.child = 0

    def check(self) -> None:
        """Fail unless they are content with what they may have; tell when a child was larger."""
        own, child = peak(resource.RUSAGE_SELF), peak(resource.RUSAGE_CHILDREN)
        assert own + child <= MEMORY, f"{own} MiB were in memory, and {child} MiB in a child"
        if child > self.child:  # there is no end at which to tell it: libFuzzer leaves by itself
            print(f"stat::child_peak_rss_mb: {child}", file=sys.stderr)
        self.child = child


def main() -> None:
    """Feed one target."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--seconds", type=int, default=600)
    chosen = options.parse_args()
    target, memory = TARGETS[chosen.target], Memory()
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as name:
        folder, corpus = Path(name), Path(name) / "corpus"
        corpus.mkdir()
        for at, seed in enumerate(target.seeds()):
            (corpus / str(at)).write_bytes(seed)
        arguments = [
            *(f"-max_total_time={chosen.seconds}", f"-rss_limit_mb={MEMORY}"),
            *(f"-timeout={PATIENCE}", f"-max_len={LONGEST}", "-print_final_stats=1"),
            *("-verbosity=1", f"-artifact_prefix=fuzz-{chosen.target}-"),
        ]

        def once(data: bytes) -> None:
            target(data, folder)
            memory.check()

        atheris.Setup([sys.argv[0], *arguments, str(corpus)], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
