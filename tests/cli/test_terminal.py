"""The upload command on a real terminal of 80 columns."""

from __future__ import annotations

import csv
import re
import signal
import time
from typing import TYPE_CHECKING

import pexpect

from asyncsdk.sandbox import Faults

from .kit import COMMAND, KONTAKTE, whole_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

PATIENCE = 60


def upload(sandbox: SandboxThread, *words: object) -> pexpect.spawn[str]:
    group = str(sandbox.add_group("x"))
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "upload", str(KONTAKTE), "--group", group, *map(str, words)],
        env=whole_environment(sandbox),
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=PATIENCE,
    )


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def exit_code(child: pexpect.spawn[str]) -> int | None:
    child.close()
    return child.exitstatus


def test_progress_is_shown_and_ends(sandbox: SandboxThread) -> None:
    child = upload(sandbox, "--show", 0)
    child.expect(pexpect.EOF)
    shown = plain(child.before or "")
    assert exit_code(child) == 1
    assert "100%" in shown
    assert "2,105 phones: " in shown
    assert max(map(len, re.split(r"[\r\n]+", shown)[1:])) <= 80


def test_quiet_shows_nothing(sandbox: SandboxThread) -> None:
    child = upload(sandbox, "--quiet")
    child.expect(pexpect.EOF)
    assert child.before == ""
    assert exit_code(child) == 1


def test_ctrl_c_ends_cleanly_with_the_report_so_far(
    sandboxes: Callable[..., SandboxThread], tmp_path: Path
) -> None:
    sandbox = sandboxes(latency=0.02)
    rejects = tmp_path / "rejects.csv"
    child = upload(
        sandbox, "--batch-size", 1, "--concurrency", 2, "--rate", "none", "--rejects", rejects
    )
    child.expect(r"[1-9]\d* created")
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    shown = plain(child.before or "")
    assert exit_code(child) == 130
    found = re.search(r"([\d,]+) phones: ([\d,]+) created, ([\d,]+) invalid, ([\d,]+) fail", shown)
    assert found is not None, shown
    submitted, created, invalid, failed = (int(n.replace(",", "")) for n in found.groups())
    assert submitted == created + invalid + failed < 2105
    assert created == len(sandbox.commits)
    assert "Traceback" not in shown
    assert shown.count("Not sent") <= 4, "what failed alike is told in one line"
    assert "\x1b[?25h" in (child.before or ""), "the cursor is shown again"
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        outcomes = [row["outcome"] for row in csv.DictReader(file, delimiter=";")]
    assert len(outcomes) == 2105 - created, "everything that was not created can be sent again"
    assert outcomes.count("invalid") == invalid
    assert outcomes.count("unread") == 2105 - submitted


def test_a_reconcile_says_what_it_waits_for_and_what_it_found(
    sandboxes: Callable[..., SandboxThread],
) -> None:
    sandbox = sandboxes(faults=Faults.script(["500-after"]))
    child = upload(sandbox, "--show", 0, "--quiet-period", 0.5)
    child.expect("without an answer: waiting until the group is quiet for 0.5 s")
    child.expect(r"([\d,]+) of ([\d,]+) phones without an answer were in the group")
    assert isinstance(child.match, re.Match)
    found, lost = (int(count) for count in child.match.groups())
    assert 0 < found <= lost
    child.expect(pexpect.EOF)
    assert exit_code(child) == 1


def test_a_second_ctrl_c_gives_up_what_is_in_flight(
    sandboxes: Callable[..., SandboxThread],
) -> None:
    sandbox = sandboxes(latency=lambda number: 0.0 if number < 3 else 3600.0)
    words = ("--batch-size", 1, "--concurrency", 1, "--rate", "none", "--on-unknown", "report")
    child = upload(sandbox, *words)
    child.expect("2 created")
    while len(sandbox.requests) < 3:  # what is in flight has to be there first
        time.sleep(0.01)
    child.kill(signal.SIGINT)
    child.expect("Stopping")
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    shown = plain(child.before or "")
    assert exit_code(child) == 130
    assert "2 created" in shown
    assert "perhaps created" in shown
