"""`python -m tests.fuzz TARGET --seconds N`: bytes that ever more of the code has not seen yet.

It ends with an error at the first input that raises anything but an error of ours, takes half a
minute, or has 400 MiB in memory; that input is kept in a file, which is named.
"""

from __future__ import annotations

import argparse
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


def main() -> None:
    """Feed one target."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--seconds", type=int, default=600)
    chosen = options.parse_args()
    target = TARGETS[chosen.target]
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
        atheris.Setup([sys.argv[0], *arguments, str(corpus)], lambda data: target(data, folder))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
