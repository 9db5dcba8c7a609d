"""The law of accounts where rows are alike: by their numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from asyncsdk import Delivery

if TYPE_CHECKING:
    from asyncsdk import UploadReport
    from asyncsdk.sandbox import Sandbox
    from asyncsdk.sandbox.thread import SandboxThread

__all__ = ["assert_judged"]


def assert_judged(report: UploadReport, sandbox: Sandbox | SandboxThread) -> None:
    """Nothing is stored twice, or called created when it is not, or under an id of another."""
    commits = list(sandbox.commits)
    stored = Counter(commit.phone for commit in commits)
    ids = {commit.phone_id: commit.phone for commit in commits}
    told = [(r.created.id, r.phone.phone) for r in report.created if r.created and r.created.id]
    assert len({key for key, _ in told}) == len(told)
    assert all(ids[key] == number for key, number in told)
    rows: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for result in report.results():
        rows[result.phone.phone] += 1
        unknown[result.phone.phone] += result.delivery is Delivery.UNKNOWN
    created = Counter(result.phone.phone for result in report.created)
    for number, count in rows.items():
        assert created[number] <= stored[number] <= created[number] + unknown[number]
        assert stored[number] <= count
