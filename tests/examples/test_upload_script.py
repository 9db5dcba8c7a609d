from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncsdk.testing import SandboxThread

SCRIPT = Path(__file__).parents[2] / "examples" / "upload_script.py"


def test_the_script_uploads_the_list_and_keeps_the_rejects(
    sandbox: SandboxThread, environment: dict[str, str], tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    group = sandbox.add_group("kontakte")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT)],
        env=os.environ | environment | {"GROUP": str(group), "REJECTS": str(rejects)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "phones are in column 'Mobil'" in done.stdout
    assert "2,105 phones: " in done.stdout
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.DictReader(file, delimiter=";"))
    assert len(sandbox.commits) + len(rejected) == 2105
    assert all(row["reason"] for row in rejected)
    assert sandbox.commits[0].a == "Herr"


def test_the_script_asks_for_the_group() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT)], env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("GROUP should be the id of the group")


def test_the_script_says_what_stopped_it(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT)],
        env=os.environ | environment | {"GROUP": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "stopped: HTTP 404" in done.stderr
