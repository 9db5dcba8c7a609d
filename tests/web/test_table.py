"""The table of jobs, and the states that a job goes through."""

from __future__ import annotations

from contextlib import ExitStack, closing
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import JournalError
from asyncsdk.models import Group
from asyncsdk.web import transitions
from asyncsdk.web.errors import NoSuchJobError, NotNowError
from asyncsdk.web.job import Check, Choices, Job, JobProgress, JobState, Undo
from asyncsdk.web.table import JobTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHECK = Check(
    rows=3,
    would_be_sent=2,
    invalid=1,
    skipped=0,
    doubtful=0,
    requests=1,
    bytes=90,
    seconds_at_least=0.0,
    survey={"mobile": 2},
    countries={"DE": 2},
)
FULL = Job(
    id="1" * 32,
    owner="ann",
    name="Liste Mai.csv",
    size=100,
    created=1.5,
    state=JobState.DONE,
    group_id=7,
    group_name="May",
    choices=Choices(columns={"phone": "Mobil"}, sheet=("A", "B"), normalize="DE"),
    check=CHECK,
    progress=JobProgress(created=2, invalid=1, total=3, complete=True),
    undo=Undo(total=2, deleted=1),
    started=2.0,
    ended=3.0,
)
THREADS, CHANGES = 8, 40


@pytest.fixture
def open_table(tmp_path: Path) -> Iterator[Callable[[], JobTable]]:
    """Opens a table of jobs, always the same one; all are closed in the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(JobTable(tmp_path / "jobs")))


def test_a_job_is_given_back_as_it_was(tmp_path: Path, open_table: Callable[[], JobTable]) -> None:
    open_table().add(FULL)
    table = open_table()
    assert table.get(FULL.id) == FULL
    assert table.of_owner("ann", 10, None) == [FULL]
    assert table.of_owner("ann", 10, FULL.created) == []
    assert table.of_owner("bea", 10, None) == []
    assert (tmp_path / "jobs").stat().st_mode & 0o777 == 0o600
    assert table.change(FULL.id, lambda job: job).version == 0
    changed = table.change(FULL.id, lambda job: evolve(job, reason="r"))
    assert (changed.version, changed.reason) == (1, "r")
    table.remove(FULL.id)
    for call in (table.get, lambda job_id: table.change(job_id, lambda job: job)):
        with pytest.raises(NoSuchJobError):
            call(FULL.id)


def test_a_job_of_another_version_is_read_as_far_as_it_is_known(
    open_table: Callable[[], JobTable],
) -> None:
    """A deploy goes through versions while jobs wait: what is new has a default."""
    table = open_table()
    table.add(FULL)
    body = b'{"id": "1", "owner": "ann", "name": "l", "size": 1, "created": 1.5, "later": [1]}'
    table._file().execute("UPDATE job SET body = ?", (body,))
    assert table.get(FULL.id) == Job(id="1", owner="ann", name="l", size=1, created=1.5)


def test_changes_of_many_workers_are_all_made(open_table: Callable[[], JobTable]) -> None:
    open_table().add(FULL)

    def change() -> None:
        table = open_table()  # as each worker has its own
        for _ in range(CHANGES):
            table.change(FULL.id, lambda job: evolve(job, tries=job.tries + 1))
        table.close()

    threads = [Thread(target=change) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job = open_table().get(FULL.id)
    assert (job.tries, job.version) == (THREADS * CHANGES,) * 2


def test_a_change_that_raises_changes_nothing(open_table: Callable[[], JobTable]) -> None:
    table = open_table()
    table.add(FULL)
    with pytest.raises(NotNowError):
        table.change(FULL.id, transitions.check)
    assert table.get(FULL.id) == FULL


def test_a_table_of_a_newer_version_is_left_alone(open_table: Callable[[], JobTable]) -> None:
    table = open_table()
    table.add(FULL)
    table._file().execute("PRAGMA user_version=99")
    table.close()
    with pytest.raises(JournalError, match="written by a newer version"):
        open_table().get(FULL.id)


GROUP = Group(7, "May")
ASKED: dict[str, Callable[[Job], Job]] = {
    "choose": lambda job: transitions.choose(job, Choices(normalize="AT"), None, None),
    "group": lambda job: transitions.choose(job, None, 8, None),
    "check": transitions.check,
    "start": lambda job: transitions.start(job, GROUP, 2.0),
    "stop": transitions.stop,
    "resume": transitions.resume,
    "undo": transitions.undo,
}
DONE: dict[str, Callable[[Job], Job]] = {
    "checked": lambda job: (
        evolve(job, state=JobState.CHECKED, check=CHECK) if job.state is JobState.CHECKING else job
    ),
    "ended": lambda job: (
        evolve(job, state=JobState.DONE, progress=JobProgress(failed=1))
        if job.state is JobState.RUNNING
        else job
    ),
    "stopped": lambda job: (
        evolve(job, state=JobState.STOPPED)
        if job.state in {JobState.RUNNING, JobState.STOPPING}
        else job
    ),
    "undone": lambda job: (
        evolve(job, state=JobState.UNDONE) if job.state is JobState.UNDOING else job
    ),
}
SENDING = {JobState.RUNNING, JobState.STOPPING}
NEW = {JobState.DRAFT, JobState.CHECKING, JobState.CHECKED}


@given(st.lists(st.sampled_from([*ASKED, *DONE]), max_size=30))
def test_whatever_is_asked_in_whatever_order(asked: list[str]) -> None:
    """What was started is never new again, and nothing is sent that was not checked as it is."""
    job = Job(id="1" * 32, owner="ann", name="l", size=1, created=1.0)
    undone = False
    for what in asked:
        try:
            after = (ASKED | DONE)[what](job)
        except NotNowError:
            continue
        if after.started is not None:
            assert after.state not in NEW
            assert after.check is not None
            assert after.choices == (job.choices if job.started else after.choices)
        else:
            assert after.state in NEW
        if job.started is not None:
            assert (after.started, after.group_id) == (job.started, job.group_id)
        undone = undone or after.state is JobState.UNDOING
        assert not (undone and after.state in SENDING)  # nothing comes back by itself
        assert after.state is not JobState.CHECKED or after.check is not None
        job = after
