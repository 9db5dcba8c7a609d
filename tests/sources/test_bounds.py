"""What a file asks for has bounds, and so has what reads it."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .hostile import BOMBS

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = 400 << 20
SMALL = [["Name", "Mobil"], ["Ann", "0160111111"], ["Bea", "0160222222"]]

READING = """
import resource, sys
from asyncsdk.errors import SourceError
from asyncsdk.sources import read
try:
    print(read(sys.argv[1], max_bytes=int(sys.argv[2])).count(), "rows")
except SourceError as error:
    print(str(error)[:600])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (40, 40))


@pytest.mark.parametrize("name", BOMBS)
def test_no_file_takes_what_it_asks_for(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", READING, str(path), str(1 << 27)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bounded,
    )
    assert done.returncode == 0, done.stderr
    told, peak = done.stdout.rsplit("\n", 2)[:2]
    assert int(peak) << 10 < MEMORY, told
    assert told.startswith(str(path)) or told.endswith("rows")
