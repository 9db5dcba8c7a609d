"""What `import asyncsdk` and the command line take before they do anything."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.measure import Section, in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sink import Sink


def sections(sink: Sink, *, quick: bool) -> Iterator[Section]:
    del sink
    commands = {
        "python alone": ["-c", "pass"],
        "import aiohttp": ["-c", "import aiohttp"],
        "import asyncsdk": ["-c", "import asyncsdk"],
    }
    if find_spec("asyncsdk.cli") is not None:
        commands["asyncsdk --version"] = ["-m", "asyncsdk.cli", "--version"]
        commands["asyncsdk --help"] = ["-m", "asyncsdk.cli", "--help"]
    names = {name: (lambda args=args: _spent(args)) for name, args in commands.items()}
    found = in_turns(names, 5 if quick else 11)
    bare = found["python alone"]
    yield Section(
        "Start",
        ("command", "ms of CPU", "above python alone", "of import aiohttp"),
        [
            (
                name,
                f"{spent * 1e3:.0f}",
                f"{(spent - bare) * 1e3:.0f}",
                f"{(spent - bare) / (found['import aiohttp'] - bare):.2f}",
            )
            for name, spent in found.items()
        ],
    )


def _spent(arguments: list[str]) -> float:
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
