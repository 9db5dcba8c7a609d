"""A list that comes again every week: almost all of it is in the group, in other spellings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.effort import effort

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

PHONES = effort(10_000, 200_000)
NEW = 200
"""One phone of so many is new."""
SPELLINGS = ("0160 {:07}", "+49 160 {:07}", "0049160-{:07}", "+49 (0)160/{:07}")
MOST = 80
"""MiB that it takes beyond what an idle process has."""

COMMAND = """
import re, sys
from pathlib import Path
from asyncsdk import Normalize
from asyncsdk.cli.app import app
from asyncsdk.upload.intake.normalize import normalizer

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

normalizer(Normalize("DE"))("0160 1234567")  # the plan of numbers is in memory
idle = peak()
try:
    app(sys.argv[1:])
finally:
    print(peak() - idle, file=sys.stderr)
"""


def spelled(at: int, turn: int) -> str:
    return SPELLINGS[(at + turn) % len(SPELLINGS)].format(at)


def test_only_what_is_new_is_sent(sandbox: SandboxThread, tmp_path: Path) -> None:
    contacts, group = tmp_path / "contacts.csv", sandbox.add_group("people")
    sandbox.hold(group, (spelled(at, 1) for at in range(PHONES) if at % NEW))
    with contacts.open("w", encoding="utf-8") as file:
        file.write("Mobil\n")
        file.writelines(f"{spelled(at, 0)}\n" for at in range(PHONES))
    words = ("upload", contacts, "-g", group, "--existing", "skip", "--normalize", "DE")
    report = tmp_path / "report.jsonl"
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", COMMAND, *map(str, words), "--report", report],
        env={
            **os.environ,
            "ASYNCSDK_BASE_URL": sandbox.url,
            "ASYNCSDK_CLIENT_ID": sandbox.client_id,
            "ASYNCSDK_API_KEY": sandbox.api_key,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    new = [at for at in range(PHONES) if not at % NEW]
    assert [commit.phone for commit in sandbox.commits] == [f"+49160{at:07}" for at in new]
    assert f"{PHONES - len(new):,} skipped" in done.stdout
    with report.open(encoding="utf-8") as file:
        skipped = sum(json.loads(line)["outcome"] == "skipped" for line in file)
    assert skipped == PHONES - len(new)
    assert len(sandbox.requests) <= 4 + PHONES // 1000
    assert int(done.stderr.split()[-1]) < MOST
