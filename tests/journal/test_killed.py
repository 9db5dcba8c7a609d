"""kill -9 of real processes at random moments, a full disk, a server that dies."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import pytest

from asyncsdk import Delivery, JournalError, UploadReport
from asyncsdk.sandbox.thread import SandboxThread
from tests.effort import effort
from tests.rig import assert_accounts, known, phones

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

KILLS = effort(60, 200)
PHONES = 20_000
SOURCE = phones(PHONES)


class Nursery:
    """Processes that upload, one at a time."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journal.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._read().close()

    def start(self, sandbox: SandboxThread, group_id: int, journal: Path, **options: Any) -> int:
        """Begin an upload. Returns the id of its process."""
        limit, sender = options.pop("limit", None), options.pop("sender", {})
        job = {
            "client_id": sandbox.client_id,
            "api_key": sandbox.api_key,
            "url": sandbox.url,
            "group_id": group_id,
            "count": PHONES,
            "limit": limit,
            "options": {
                "journal": str(journal),
                "batch_size": 200,
                "concurrency": 4,
                "rate": None,
                "quiet_period": 0.05,
                **options,
            },
            **sender,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._read().readline())

    def ended(self) -> tuple[bool, str]:
        """Wait for the process. Returns whether it was killed, and what it said."""
        status, said = json.loads(self._read().readline())
        return os.WIFSIGNALED(status), said

    def _read(self) -> Any:
        return self._process.stdout


class Killer:
    """Kills a process at a random moment: some time after the server saw so many requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seen = 0
        self._target: tuple[int, int, float] | None = None
        self.kills = 0

    def latency(self, _: int) -> float:
        """What the sandbox asks for each request: how long it takes."""
        self._seen += 1
        if self._target is not None and self._seen >= self._target[0]:
            _, child, pause = self._target
            self._target = None
            asyncio.get_running_loop().call_later(pause, kill, child)
        return self._random.choice((0.0, 0.0, 0.002, 0.01))

    def aim(self, child: int) -> None:
        """Kill this process soon."""
        pause = self._random.choice((0.0, self._random.uniform(0, 0.02)))
        after = self._random.randrange(30)
        if after:
            self._target = (self._seen + after, child, pause)
            return
        end = time.perf_counter() + pause  # while it starts or opens the journal
        while time.perf_counter() < end:
            pass
        kill(child)

    def miss(self) -> None:
        """It has ended by itself."""
        self._target = None


def kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def test_killed_at_random_moments_nothing_is_lost_or_stored_twice(tmp_path: Path) -> None:
    killer = Killer(1)
    kills = uploads = doubts = 0
    with Nursery() as nursery:
        while kills < KILLS:
            journal = tmp_path / f"{uploads}.journal"
            with SandboxThread(latency=killer.latency) as sandbox:
                group = sandbox.add_group("people")
                while True:
                    child = nursery.start(sandbox, group, journal, on_unknown="reconcile")
                    killer.aim(child)
                    killed, said = nursery.ended()
                    killer.miss()
                    if not killed:
                        break
                    kills += 1
                    doubts += bool(unknown_of(journal))
                assert said.startswith("20,000 phones: 20,000 created, 0 invalid"), said
                report = UploadReport.open(journal)
                assert report.complete
                assert report.created_count == PHONES
                assert_accounts(report, sandbox, SOURCE)
            uploads += 1
    assert doubts > KILLS / 10  # or the kills hit nothing that matters


def test_killed_while_it_skips_what_the_group_holds(tmp_path: Path) -> None:
    """A run that goes on does not take the phones of the one before for what was there."""
    killer = Killer(3)
    held = SOURCE[::4]
    kills = uploads = 0
    options = {"existing": "skip", "duplicates": "skip", "on_unknown": "reconcile"}
    with Nursery() as nursery:
        while kills < effort(8, 60):
            journal = tmp_path / f"{uploads}.journal"
            with SandboxThread(latency=killer.latency) as sandbox:
                group = sandbox.add_group("people")
                sandbox.hold(group, (f"0049{phone.phone[3:]}" for phone in held))
                while True:
                    child = nursery.start(sandbox, group, journal, **options)
                    killer.aim(child)
                    killed, said = nursery.ended()
                    killer.miss()
                    if not killed:
                        break
                    kills += 1
                told = "20,000 phones: 15,000 created, 0 invalid, 0 failed, 5,000 skipped"
                assert said.startswith(told), said
                report = UploadReport.open(journal)
                assert_accounts(report, sandbox, SOURCE)
                assert [result.index for result in report.skipped] == list(range(0, PHONES, 4))
            uploads += 1


def test_killed_with_report_what_was_in_flight_is_unknown(tmp_path: Path) -> None:
    killer = Killer(2)
    kills = 0
    with Nursery() as nursery, SandboxThread(latency=killer.latency) as sandbox:
        while kills < effort(10, 20):
            journal, group = tmp_path / f"{kills}.journal", sandbox.add_group("people")
            killer.aim(nursery.start(sandbox, group, journal))
            killed, said = nursery.ended()
            killer.miss()
            if not killed:
                assert said.startswith("20,000 phones: 20,000 created"), said
                continue
            kills += 1
            killed_at = unknown_of(journal)
            assert len(killed_at) <= 4 * 200
            stored = {int(p.callback_data or "") for p in sandbox.phones(group)}
            created = {r.index for r in UploadReport.open(journal).created} if killed_at else set()
            assert stored - created <= killed_at
            nursery.start(sandbox, group, journal)
            killed, said = nursery.ended()
            assert not killed
            report = UploadReport.open(journal)
            assert report.created_count + report.unknown_count == PHONES, said
            assert unknown_of(journal) == killed_at
            assert [r.index for r in known(report)] == list(range(PHONES))


def test_a_killed_sender_is_taken_up_and_what_was_heard_is_true(tmp_path: Path) -> None:
    """Each `add` that was answered is on record, whenever the process dies."""
    killer = Killer(4)
    kills = uploads = 0
    options = {"linger": 0.001, "on_unknown": "reconcile", "batch_size": 20}
    with Nursery() as nursery:
        while kills < effort(8, 60):
            journal, noted = tmp_path / f"{uploads}.journal", tmp_path / f"{uploads}.heard"
            with SandboxThread(latency=killer.latency) as sandbox:
                group = sandbox.add_group("people")
                for first in range(0, 50_000, 1_000):
                    child = nursery.start(
                        sandbox,
                        group,
                        journal,
                        # others than before: nobody knows which of those were taken
                        sender={"heard": str(noted), "first": first, "count": first + 1_000},
                        **options,
                    )
                    if first < 4_000:  # none would come to its end otherwise
                        killer.aim(child)
                    killed, said = nursery.ended()
                    killer.miss()
                    assert killed or "0 failed" in said, said
                    if not killed:
                        break
                    kills += 1
                report = UploadReport.open(journal)
                assert report.complete
                assert report.ok
                told = {r.phone.callback_data: r for r in report.created}
                assert len(told) == report.submitted == len(sandbox.commits)
                assert told.keys() == {commit.callback_data for commit in sandbox.commits}
                for line in noted.read_text().splitlines():
                    row, index, outcome = line.split()
                    assert outcome == "created"
                    assert told[row].index == int(index)
            uploads += 1


def unknown_of(journal: Path) -> set[int]:
    """The rows that may be in the group, by a journal that may not have been begun."""
    try:
        failed = UploadReport.open(journal).failed
    except JournalError as error:
        assert "there is no journal" in str(error) or "is empty" in str(error)
        return set()
    return {r.index for r in failed if r.delivery is Delivery.UNKNOWN}


@contextmanager
def small_disk() -> Iterator[tuple[Path, int | None]]:
    """A folder with room for three megabytes, or where none can be made, a limit for each file."""
    with TemporaryDirectory() as name, _mounted(Path(name)) as found:
        yield found


@contextmanager
def _mounted(folder: Path) -> Iterator[tuple[Path, int | None]]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        yield folder, 400_000
        return
    try:
        yield folder, None
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["quota", "disk"])
def test_a_full_disk_ends_it_and_nothing_is_lost_or_stored_twice(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        nursery = stack.enter_context(Nursery())
        sandbox = stack.enter_context(SandboxThread())
        folder: Path = tmp_path
        limit: int | None = 400_000
        if kind == "disk":
            folder, limit = stack.enter_context(small_disk())
        journal, group = folder / "a.journal", sandbox.add_group("people")
        ballast = folder / "ballast"
        if limit is None:
            ballast.write_bytes(bytes(2_400_000))
        nursery.start(sandbox, group, journal, on_unknown="reconcile", limit=limit)
        killed, said = nursery.ended()
        assert not killed
        assert said.startswith("UploadStopped: upload stopped: the journal"), said
        assert "the disk is full" in said
        assert_stopped(UploadReport.open(journal), sandbox, group)
        again = {"on_unknown": "reconcile", "keep_created": False}
        nursery.start(sandbox, group, journal, limit=limit, **again)
        assert "the disk is full" in nursery.ended()[1]
        ballast.unlink(missing_ok=True)
        roomy = tmp_path.with_name(f"{tmp_path.name}-roomy")
        shutil.copytree(folder, roomy)  # a disk with more room
        nursery.start(sandbox, group, roomy / journal.name, on_unknown="reconcile")
        killed, said = nursery.ended()
        assert said.startswith("20,000 phones: 20,000 created"), said
        assert_stored_once(sandbox)


def assert_stopped(report: UploadReport, sandbox: SandboxThread, group: int) -> None:
    assert 0 < report.submitted < PHONES
    assert not report.complete
    created = {r.index for r in report.created}
    unknown = {r.index for r in report.failed if r.delivery is Delivery.UNKNOWN}
    stored = {int(p.callback_data or "") for p in sandbox.phones(group)}
    assert created <= stored <= created | unknown


def assert_stored_once(sandbox: SandboxThread) -> None:
    stored = sorted(int(commit.callback_data or "") for commit in sandbox.commits)
    assert stored == list(range(PHONES))
