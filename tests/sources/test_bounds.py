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
import sys
from asyncsdk.errors import SourceError
from asyncsdk.sources import read
try:
    print(read(sys.argv[1], max_bytes=int(sys.argv[2])).count(), "rows")
except SourceError as error:
    print(str(error)[:600])
# Its own peak: what `getrusage` says begins with that of whoever started it.
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
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
