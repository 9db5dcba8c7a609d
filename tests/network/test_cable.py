"""A cable that is pulled in the middle of an upload: nothing failed, nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.parts import command

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

SHORT: dict[str, Any] = {
    "count": 600,
    "lasts": 2.0,
    "away": 2.0,
    "client": {"timeout": 0.8, "connect_timeout": 0.5},
    "retry": {"attempts": 5, "base": 0.1, "cap": 0.5},
    "quiet": 1.5,
    "late": 2.0,
}

LATER: dict[str, Any] = SHORT | {"away": 3.3, "quiet": 1.0, "late": 4.0}
"""Longer than the kernel waits between two attempts to send what a request has left behind: what
comes then, must not be stored after the group was read."""

LONG: dict[str, Any] = {
    "count": 3000,
    "lasts": 10.0,
    "client": {"timeout": 5.0, "connect_timeout": 2.0},
    "retry": {"attempts": 5, "base": 0.5, "cap": 5.0},
    "quiet": 15.0,
    "late": 30.0,
}


@pytest.fixture(params=["memory", "journal"])
def pulled(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """Does a job in a network namespace of its own; gives what it says."""
    journal = str(tmp_path / "upload.journal") if request.param == "journal" else None
    unshare = [command("unshare"), "-n" if os.geteuid() == 0 else "-rn"]
    command("ip")

    def run(job: dict[str, Any]) -> str:
        text = json.dumps(job | {"journal": journal})
        done = subprocess.run(
            [*unshare, sys.executable, "-m", "tests.network.cable", text],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.mark.parametrize("job", [SHORT, LATER], ids=["2 s", "3.3 s"])
def test_a_cable_that_is_pulled(pulled: Callable[[dict[str, Any]], str], job: Any) -> None:
    assert "600 created, 0 invalid, 0 failed" in pulled(job)


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("away", [10.0, 60.0])
def test_for_longer(pulled: Callable[[dict[str, Any]], str], away: float) -> None:
    assert "3,000 created, 0 invalid, 0 failed" in pulled(LONG | {"away": away, "late": 60.0})
