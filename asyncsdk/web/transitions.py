"""From one state of a job to the next: what may be asked of it when. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.web.errors import NotNowError
from asyncsdk.web.job import JobState

if TYPE_CHECKING:
    from asyncsdk.models import Group
    from asyncsdk.web.job import Choices, Job

__all__ = ["UNDOABLE", "check", "choose", "expect", "resume", "start", "stop", "undo"]

UNDOABLE = (JobState.STOPPED, JobState.DONE, JobState.UNDO_STOPPED, JobState.UNDONE)
"""The states in which what a job created can be deleted."""


def expect(job: Job, what: str, *states: JobState) -> None:
    """Do nothing if a job is in one of these states.

    Args:
        job: The job.
        what: What is to be done with it, for the error.
        *states: In which that can be done.

    Raises:
        NotNowError: It is in another.
    """
    if job.state not in states:
        known = " or ".join(states)
        msg = f"the job is {job.state}: only one that is {known} can be {what}"
        raise NotNowError(msg)


def choose(job: Job, choices: Choices | None, group_id: int | None, group_name: str | None) -> Job:
    """The job with these choices; None: as it is. What was checked with others is forgotten.

    Raises:
        NotNowError: It was started.
    """
    expect(job, "chosen for", JobState.DRAFT, JobState.CHECKED, JobState.CHECKING)
    if group_id is not None:
        job = evolve(job, group_id=group_id, group_name="")
    elif group_name is not None:
        job = evolve(job, group_id=None, group_name=group_name.strip())
    if choices is None or choices == job.choices:
        return job
    return evolve(_draft(job), choices=choices, check=None)


def check(job: Job) -> Job:
    """The job that is to be checked, unless it was with these choices.

    Raises:
        NotNowError: It was started.
    """
    if job.state in {JobState.CHECKING, JobState.CHECKED}:
        return job
    expect(job, "checked", JobState.DRAFT)
    return evolve(job, state=JobState.CHECKING, reason="", progress=None, tries=0)


def start(job: Job, group: Group, now: float) -> Job:
    """The job that is to be sent into this group; one that was started stays as it is.

    Raises:
        NotNowError: It is not checked.
    """
    if job.started is not None:
        return job
    expect(job, "started", JobState.CHECKED)
    job = evolve(job, group_id=group.id, group_name=group.name, started=now, progress=None)
    return _wanted(job, JobState.RUNNING)


def stop(job: Job) -> Job:
    """The job that is to come to rest, whatever it does; one that is at rest stays as it is."""
    if job.state is JobState.RUNNING:
        return evolve(job, state=JobState.STOPPING)
    if job.state is JobState.UNDOING:
        return evolve(job, state=JobState.UNDO_STOPPING)
    return _draft(job) if job.state is JobState.CHECKING else job


def resume(job: Job) -> Job:
    """The job that is to go on; of one that is done, with what failed.

    Raises:
        NotNowError: There is nothing to go on with.
    """
    if job.state is JobState.RUNNING:
        return job
    expect(job, "resumed", JobState.STOPPED, JobState.DONE)
    failed = job.progress.failed if job.progress else 0
    if job.state is JobState.DONE and not failed:
        msg = "nothing failed that could be sent once more"
        raise NotNowError(msg)
    return _wanted(job, JobState.RUNNING)


def undo(job: Job) -> Job:
    """The job of which what it created is to be deleted, or what of that failed before.

    Raises:
        NotNowError: It was not started, or is being sent.
    """
    if job.state is JobState.UNDOING:
        return job
    expect(job, "undone", *UNDOABLE)
    return _wanted(job, JobState.UNDOING)


def _draft(job: Job) -> Job:
    return evolve(job, state=JobState.DRAFT, progress=None, reason="")


def _wanted(job: Job, state: JobState) -> Job:
    """The job for which some worker is to do something."""
    return evolve(job, state=state, reason="", ended=None, waits_for="worker", tries=0)
