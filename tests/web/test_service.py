"""The life of the jobs in an application: they begin, are kept, and go."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from asyncsdk import Client, ConfigurationError
from asyncsdk.lease import Lease
from asyncsdk.sandbox import Sandbox
from asyncsdk.web import Choices, JobState, UploadJobs
from asyncsdk.web.errors import FileRefusedError, NoSuchJobError, NotNowError
from tests.leaping import run_leaping
from tests.rig import client_of
from tests.web.inside import at_rest, opened, pieces, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIST = b"Mobil\n+4915112345678\n"
DAY = 86_400.0


def folders(path: Path) -> set[str]:
    return {folder.name for folder in (path / "uploads" / "jobs").iterdir()}


def test_what_is_old_goes_with_all_its_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (sandbox, jobs):
            old = await sent(jobs, LIST, sandbox.add_group())
            new = await sent(jobs, LIST, sandbox.add_group())
            draft = await jobs.receive(pieces(LIST), owner="ann", name="l")
            busy = await jobs.receive(pieces(LIST), owner="ann", name="l")
            service = jobs._opened
            for job, state in ((old, old.state), (draft, draft.state), (busy, JobState.STOPPING)):
                long_ago = evolve(job, ended=job.created - 31 * DAY, state=state)
                await service.table.change(job.id, lambda _, job=long_ago: job)  # type: ignore[misc]
                aged = "UPDATE job SET created = created - ? WHERE id = ?"
                service.table._table._file().execute(aged, (31 * DAY, job.id))
            held = Lease.take(tmp_path / "uploads" / "jobs" / busy.id / "lease")
            await service.cleaner.clean()
            assert folders(tmp_path) == {new.id, busy.id}
            for gone in (old, draft):
                with pytest.raises(NoSuchJobError):
                    await jobs.get("ann", gone.id)
            assert held is not None
            held.release()

    run_leaping(scenario())


async def test_what_a_dead_worker_left_behind_goes_and_what_is_coming_stays(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (_, jobs):
        storage = jobs._plan.storage
        (left, left_folder), (coming, coming_folder) = storage.create(), storage.create()
        lease = coming_folder.lease()
        for folder in (left_folder, coming_folder):
            (folder.path / "list").write_bytes(LIST)
        fresh, _ = storage.create()
        for folder in (left_folder, coming_folder):
            os.utime(folder.path, (1, 1))
        await jobs._opened.cleaner.clean()
        while left in folders(tmp_path):  # the cleaner that runs by itself may be at it
            await asyncio.sleep(0)
        assert folders(tmp_path) == {coming, fresh}
        assert lease is not None
        lease.release()


async def test_a_browser_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async def cut_off() -> Any:
        yield LIST
        msg = "reset"
        raise ConnectionResetError(msg)

    async with opened(tmp_path) as (_, jobs):
        with pytest.raises(ConnectionResetError, match="reset"):
            await jobs.receive(cut_off(), owner="ann", name="l")

        async def endless() -> Any:
            while True:
                yield LIST * 10_000
                await asyncio.sleep(0)

        receiving = asyncio.create_task(jobs.receive(endless(), owner="ann", name="l"))
        while not any((tmp_path / "uploads" / "jobs").glob("*/list")):
            await asyncio.sleep(0)
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert folders(tmp_path) == set()
        assert await jobs.jobs("ann") == []


def test_a_browser_that_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async def stuck() -> Any:
            yield LIST
            await asyncio.sleep(3600)

        async with opened(tmp_path) as (_, jobs):
            with pytest.raises(FileRefusedError, match="send it once more"):
                await jobs.receive(stuck(), owner="ann", name="l")
            assert folders(tmp_path) == set()

    run_leaping(scenario())


@pytest.mark.parametrize("kind", ["blocking", "async", "gives an awaitable"])
async def test_scanners_of_every_kind(tmp_path: Path, kind: str) -> None:
    seen: list[bytes] = []

    def look(path: Path) -> None:
        seen.append(path.read_bytes())
        if b"EICAR" in seen[-1]:
            msg = "a virus"
            raise RuntimeError(msg)

    async def look_later(path: Path) -> None:
        await asyncio.sleep(0)
        look(path)

    scanners: dict[str, Callable[[Path], object]] = {
        "blocking": look,
        "async": look_later,
        "gives an awaitable": partial(look_later),
    }
    sandbox = Sandbox()
    jobs = UploadJobs(tmp_path / "uploads", client=lambda: client_of(sandbox), scan=scanners[kind])
    async with sandbox, jobs.lifespan():
        with pytest.raises(FileRefusedError, match="the file was refused: a virus"):
            await jobs.receive(pieces(b"EICAR"), owner="ann", name="l")
        assert folders(tmp_path) == set()
        await jobs.receive(pieces(LIST), owner="ann", name="l")
        assert seen == [b"EICAR", LIST]


async def test_a_job_that_is_worked_on_is_not_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sandbox, jobs):
        job = await sent(jobs, LIST, sandbox.add_group())
        lease = Lease.take(tmp_path / "uploads" / "jobs" / job.id / "lease")
        assert lease is not None
        with pytest.raises(NotNowError, match="stop it first"):
            await jobs.delete("ann", job.id)
        lease.release()
        await jobs.delete("ann", job.id)
        assert folders(tmp_path) == set()


async def test_what_another_version_kept_of_a_look_is_made_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, jobs):
        job = await jobs.receive(pieces(LIST), owner="ann", name="l")
        seen = await jobs.inspect("ann", job.id)
        (kept,) = (tmp_path / "uploads" / "jobs" / job.id / "made").iterdir()
        assert kept.stat().st_mode & 0o777 == 0o600
        for other in ('{"lists": [{"no": 1}]}', "no JSON"):
            kept.write_text(other, encoding="utf-8")
            assert await jobs.inspect("ann", job.id) == seen


async def test_one_job_at_a_time_sends_into_a_group(tmp_path: Path) -> None:
    """What two processes create there at once could be taken for each other's after a kill."""
    async with opened(tmp_path) as (sandbox, jobs):
        group_id, other_id = sandbox.add_group(), sandbox.add_group()
        held = Lease.take(tmp_path / "uploads" / "groups" / f"{group_id}.lease")
        assert held is not None  # another process sends there
        waiting = await jobs.receive(pieces(LIST), owner="ann", name="l")
        await jobs.choose("ann", waiting.id, group_id=group_id)
        await jobs.check("ann", waiting.id)
        await at_rest(jobs, waiting.id)
        await jobs.start("ann", waiting.id)
        assert (await sent(jobs, LIST, other_id)).state is JobState.DONE  # others go on
        while (await jobs.get("ann", waiting.id)).waits_for != "group":
            await asyncio.sleep(0.01)
        assert {commit.group_id for commit in sandbox.commits} == {other_id}
        held.release()
        jobs._opened.worker.wake()
        assert (await at_rest(jobs, waiting.id)).state is JobState.DONE
        assert len(sandbox.phones(group_id)) == 1


async def test_workers_that_die_of_a_job_leave_it_alone_in_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sandbox, jobs):
        job = await jobs.receive(pieces(LIST), owner="ann", name="l")
        await jobs.choose("ann", job.id, group_id=sandbox.add_group())
        deadly = evolve(job, state=JobState.CHECKING, tries=20, version=7)
        await jobs._opened.table.change(job.id, lambda _: deadly)
        jobs._opened.worker.wake()
        left = await at_rest(jobs, job.id)
        assert left.state is JobState.DRAFT
        assert "died" in left.reason
        await jobs.check("ann", job.id)  # once more, if somebody wants that
        assert (await at_rest(jobs, job.id)).state is JobState.CHECKED


async def test_a_job_whose_worker_died_while_it_was_to_stop_is_told_by_its_journal(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (sandbox, jobs):
        done = await sent(jobs, LIST, sandbox.add_group())
        dead = evolve(done, state=JobState.STOPPING, progress=None)
        await jobs._opened.table.change(done.id, lambda _: dead)
        jobs._opened.worker.wake()
        left = await at_rest(jobs, done.id)
        assert left.state is JobState.DONE
        assert left.progress is not None
        assert (left.progress.created, left.progress.complete) == (1, True)


async def test_a_fault_of_ours_stops_one_job_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as (sandbox, jobs):
        job = await sent(jobs, LIST, sandbox.add_group())
        (tmp_path / "uploads" / "jobs" / job.id / "list").unlink()
        failed = evolve(job, state=JobState.RUNNING, progress=None)
        await jobs._opened.table.change(job.id, lambda _: failed)
        jobs._opened.worker.wake()
        left = await at_rest(jobs, job.id)
        assert left.state is JobState.STOPPED
        assert "list.csv: cannot be opened" in left.reason
        assert str(tmp_path) not in left.reason + caplog.text


def test_what_an_application_cannot_choose(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="journal, normalize"):
        UploadJobs(tmp_path, settings={"journal": "x", "normalize": "DE"})
    assert list(tmp_path.iterdir()) == []  # nothing before it is served


async def test_jobs_that_are_not_served_say_how_they_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"FastAPI\(lifespan=jobs.lifespan\)"):
        await UploadJobs(tmp_path).jobs("ann")


async def test_a_client_that_is_given_stays_open_and_a_beginning_is_chosen(
    tmp_path: Path,
) -> None:
    async with Sandbox() as sandbox, client_of(sandbox) as client:
        choices = Choices(normalize="AT", duplicates="skip")
        jobs = UploadJobs(tmp_path / "uploads", client=client, choices=choices)
        for _ in range(2):  # an application may be started again
            async with jobs.lifespan(object()):
                job = await jobs.receive(pieces(LIST), owner="ann", name="l")
                assert job.choices == choices
        assert not client.closed
        assert isinstance(client, Client)


@pytest.mark.parametrize("missing", ["fastapi"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
from asyncsdk.web import UploadJobs
try:
    from asyncsdk.web import upload_router
except ImportError as error:
    assert "pip install 'asyncsdk[web]'" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
