"""The same call with the same journal goes on where it stopped."""

from __future__ import annotations

import asyncio
import pickle
import stat
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    AuthenticationError,
    Delivery,
    FailureLimit,
    Journal,
    Outcome,
    Phone,
    Rate,
    RetryPolicy,
    UploadReport,
    UploadStopped,
)
from asyncsdk.ledger.journal import commits
from asyncsdk.ledger.journal.file import JournalFile
from asyncsdk.sandbox import Faults
from asyncsdk.wire.rows import encode_rows, rows_of
from tests.journal.moments import as_after_a_kill
from tests.rig import assert_accounts, client_of, connected, known, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


async def _agen(items: list[Phone]) -> AsyncIterator[Phone]:
    for item in items:
        yield item


KINDS = [list, iter, lambda items: (item for item in items), _agen]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_finished_upload_sends_nothing_more(count: int, kind: Any, journal: Path) -> None:
    source = phones(count)
    async with connected() as rig:
        first = await rig.upload(kind(source), journal=journal, batch_size=100)
        assert_accounts(first, rig.sandbox, source)
        sent = len(rig.sandbox.requests)
        for report in (
            await rig.upload(kind(source), journal=journal, batch_size=30),
            await rig.upload(None, journal=journal),
            UploadReport.open(journal),
        ):
            assert_accounts(report, rig.sandbox, source)
            assert known(report) == known(first)
            assert report.complete
            assert report.requests == first.requests
        assert len(rig.sandbox.requests) == sent
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


@pytest.mark.parametrize("end", ["stop", "cancel", "deadline"])
@pytest.mark.parametrize("on_unknown", ["report", "reconcile", "resend"])
async def test_half_of_it_is_sent_and_then_the_other(
    end: str, on_unknown: str, journal: Path
) -> None:
    source = phones(1000)
    options: dict[str, Any] = {
        "journal": journal,
        "batch_size": 50,
        "concurrency": 2,
        "on_unknown": on_unknown,
        "rate": Rate(10),
    }
    async with connected() as rig:
        deadline = 1.0 if end == "deadline" else None
        upload = rig.upload(source, deadline=deadline, **options).start()
        while upload.progress.created < 500:
            await asyncio.sleep(0.01)
        if end == "cancel":
            upload.cancel()
            await upload.wait_closed()
        elif end == "stop":
            await upload.stop()
        else:
            await upload
        before = upload.report
        assert_accounts(before, rig.sandbox, source)
        assert not before.complete
        assert known(UploadReport.open(journal)) == known(before)
        assert UploadReport.open(journal).stopped_by == before.stopped_by

        after = await rig.upload(source, **options)
        assert_accounts(after, rig.sandbox, source)
        assert after.complete
        unknown = before.unknown_count if on_unknown == "report" else 0
        assert after.created_count == 1000 - unknown
        assert len(rig.batches) == after.requests or on_unknown == "reconcile"
        assert known(UploadReport.open(journal)) == known(after)


async def test_each_result_is_on_record_before_it_is_given(journal: Path) -> None:
    source = phones(300)
    async with connected() as rig:
        given = []
        async for result in rig.upload(source, journal=journal, batch_size=10):
            given.append(result)
            if len(given) % 50 == 0:
                found = {r.index: r for r in UploadReport.open(journal).created}
                assert all(found[r.index] == r for r in given)
        report = UploadReport.open(journal)
        assert sorted(given, key=lambda r: r.index) == known(report)
        assert_accounts(report, rig.sandbox, source)


async def test_a_bad_key_is_mended_and_the_upload_goes_on(journal: Path) -> None:
    source = phones(250)
    async with connected() as rig:
        async with client_of(rig.sandbox, api_key="wrong") as client:
            with pytest.raises(UploadStopped) as caught:
                await client.phones.upload(
                    rig.group_id, source, journal=journal, batch_size=100, rate=None
                )
            assert isinstance(caught.value.cause, AuthenticationError)
        read = caught.value.report.failed_count
        assert 0 < read <= 250
        assert known(UploadReport.open(journal)) == known(caught.value.report)
        report = await rig.upload(source, journal=journal, batch_size=100)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 250


@pytest.mark.parametrize("keep", ["all", "no created"])
@pytest.mark.parametrize("fault", ["413", "422-whole", "item-429", "few", "500-after", "alien"])
async def test_splits_resends_and_doubts_are_on_record(
    fault: str, keep: str, journal: Path
) -> None:
    keep_created = keep == "all"
    source = [*phones(300), Phone("")]
    faults = Faults({fault: 0.4}, seed=4, limit=4)
    async with connected(faults=faults) as rig:
        report = await rig.upload(
            source,
            journal=journal,
            batch_size=20,
            keep_created=keep_created,
            on_unknown="reconcile",
            quiet_period=0.1,
            retry=RetryPolicy(attempts=20),
        )
        opened = UploadReport.open(journal)
        for one in (report, opened):
            assert one.submitted == 301
            assert one.complete
            if keep_created:
                assert_accounts(one, rig.sandbox, source)
        assert known(opened) == known(report)
        assert report.invalid[0].index == 300
        assert len(report.created) == (report.created_count if keep_created else 0)
        assert {commit.callback_data for commit in rig.sandbox.commits} == {
            str(i) for i in range(300)
        }
        assert len(rig.sandbox.commits) == 300


async def test_duplicates_and_normal_forms_are_known_after_a_resume(journal: Path) -> None:
    source = [f"0160 {i % 150:07}" for i in range(400)]
    options: dict[str, Any] = {
        "journal": journal,
        "batch_size": 40,
        "concurrency": 1,
        "normalize": "DE",
        "duplicates": "skip",
    }
    async with connected() as rig:
        upload = rig.upload(source, **options).start()
        while upload.progress.created < 80:
            await asyncio.sleep(0)
        await upload.stop()
        report = await rig.upload(source, **options)
        assert (report.created_count, report.skipped_count) == (150, 250)
        assert len(rig.stored) == len(set(rig.stored)) == 150
        assert report.created[3].phone.phone == source[3]
        assert report.created[3].number == "+491600000003"
        assert report.skipped[0].error is not None
        assert report.skipped[0].error.duplicate_of == 0
        assert known(UploadReport.open(journal)) == known(report)


async def test_a_source_that_breaks_is_mended(journal: Path) -> None:
    source = phones(250)

    def broken() -> Iterator[Phone]:
        yield from source[:130]
        msg = "the disk went away"
        raise OSError(msg)

    async with connected() as rig:
        with pytest.raises(UploadStopped) as caught:
            await rig.upload(broken(), journal=journal, batch_size=100)
        assert caught.value.report.submitted == 130
        assert_accounts(caught.value.report, rig.sandbox, source)
        report = await rig.upload(iter(source), journal=journal, batch_size=100)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 250


async def test_what_was_begun_without_reconciling_stays_unknown(journal: Path) -> None:
    """What the group held before is not known, so nobody can tell whose the phones in it are."""
    source = phones(100)
    async with connected(faults=Faults({"timeout-after": 1.0})) as rig:
        upload = rig.upload(source, journal=journal).start()
        while not rig.sandbox.commits:
            await asyncio.sleep(0.01)
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(source, journal=journal, on_unknown="reconcile")
        assert_accounts(report, rig.sandbox, source)
        assert report.unknown_count == 100
        assert "without reconciling" in str(report.failed[0].error)


async def test_what_the_group_held_before_is_not_taken_for_its_own(journal: Path) -> None:
    source = phones(100)
    async with connected(faults=Faults({"timeout-before": 1.0}, limit=1)) as rig:
        for phone in source:
            await rig.client.phones.create(rig.group_id, Phone(phone.phone, callback_data="old"))
        options: dict[str, Any] = {"journal": journal, "on_unknown": "reconcile"}
        upload = rig.upload(source, **options).start()
        while len(rig.batches) < 103:
            await asyncio.sleep(0.01)
        upload.cancel()
        await upload.wait_closed()
        report = await rig.upload(source, **options)
        assert report.created_count == 100
        assert len(rig.stored) == 200


async def test_stop_when_counts_what_this_run_did(journal: Path) -> None:
    source = [Phone("")] * 10 + phones(90)
    async with connected() as rig:
        limit = FailureLimit(count=10)
        first = await rig.upload(source, journal=journal, batch_size=10, stop_when=limit)
        assert first.stopped_by == "stop_when"
        report = await rig.upload(source, journal=journal, batch_size=10, stop_when=limit)
        assert (report.created_count, report.invalid_count) == (90, 10)
        assert report.complete


async def test_the_figures_are_those_of_all_runs(journal: Path) -> None:
    source = phones(100)
    async with connected() as rig:
        upload = rig.upload(source, journal=journal, batch_size=10, concurrency=1).start()
        while upload.progress.created < 50:
            await asyncio.sleep(0)
        first = await upload.stop()
        second = rig.upload(source, journal=journal, batch_size=10).start()
        report = await second
        assert report.requests == second.progress.requests == 10
        assert second.progress.read == second.progress.created == 100
        assert report.batches == 10
        assert report.bytes == sum(len(b) for b in _bodies(source))
        assert report.elapsed > first.elapsed
        assert len(report.history) == 2
        opened = UploadReport.open(journal)
        assert opened.summary() == report.summary()
        assert opened.history == report.history
        assert (opened.batches, opened.bytes) == (report.batches, report.bytes)


def _bodies(source: list[Phone]) -> Iterator[bytes]:
    for start in range(0, len(source), 10):
        yield encode_rows(rows_of(source[start : start + 10]))


async def test_a_report_on_disk_is_a_report(journal: Path, tmp_path: Path) -> None:
    source = [*phones(500), Phone("")]
    async with connected() as rig:
        report = await rig.upload(source, journal=Journal(journal, durable="power"))
    opened = UploadReport.open(str(journal))
    assert opened == report
    assert str(opened) == str(report)
    assert opened.created[7] == report.created[7]
    assert opened.created[-1].index == 499
    assert opened.to_csv(tmp_path / "a.csv") == 501
    assert opened.to_jsonl(tmp_path / "a.jsonl", only=Outcome.INVALID) == 1
    opened.to_html(tmp_path / "a.html")
    both = opened + opened
    assert both.submitted == 1002
    assert len(both.created) == 1000
    again = pickle.loads(pickle.dumps(opened))  # noqa: S301 - our own
    journal.unlink()
    assert again == report


async def test_a_dry_run_leaves_no_journal(journal: Path) -> None:
    async with connected() as rig:
        report = await rig.upload(phones(10), journal=journal, dry_run=True)
    assert report.would_be_sent_count == 10
    assert not journal.exists()


async def test_cancelled_at_every_step_it_goes_on(tmp_path: Path) -> None:
    """Cancelled after so many turns of the loop, also while it opens or closes."""
    source = phones(60)
    async with connected() as rig:
        for turns in range(1, 120, 3):
            journal = tmp_path / f"{turns}.journal"
            options: dict[str, Any] = {
                "journal": journal,
                "batch_size": 10,
                "concurrency": 2,
                "on_unknown": "reconcile",
                "quiet_period": 0.01,
            }
            before = len(rig.stored)
            task = asyncio.ensure_future(_awaited(rig.upload(source, **options)))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            report = await rig.upload(source, **options)
            assert report.created_count == 60, turns
            assert sorted(rig.stored[before:]) == [phone.phone for phone in source], turns
            assert report.complete
            assert not any(r.delivery is Delivery.UNKNOWN for r in known(report))


async def _awaited(upload: Any) -> None:
    await upload


async def test_a_server_that_dies_and_comes_back(tmp_path: Path) -> None:
    """Also killed again and again, with the upload interrupted now and then."""
    source = phones(2000)
    chance = Random(5)
    journal = tmp_path / "a.journal"
    options: dict[str, Any] = {
        "journal": journal,
        "batch_size": 20,
        "concurrency": 4,
        "on_unknown": "reconcile",
        "quiet_period": 0.1,
        "retry": RetryPolicy(attempts=50),
    }
    async with connected(latency=lambda _: chance.choice((0.0, 0.01, 0.1))) as rig:
        for _ in range(20):
            upload = rig.upload(source, **options).start()
            await asyncio.sleep(chance.uniform(0, 0.3))
            await rig.sandbox.stop()
            await asyncio.sleep(chance.uniform(0, 2))
            if chance.random() < 0.5:
                upload.cancel()
                await upload.wait_closed()
            await rig.sandbox.start()
            await asyncio.sleep(chance.uniform(0, 0.3))
            upload.cancel()
            await upload.wait_closed()
        report = await rig.upload(source, **options)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 2000


@pytest.mark.parametrize("options", [{"rate": Rate(2)}, {"rate": None, "concurrency": 3}])
async def test_at_any_moment_the_journal_knows_what_is_in_flight(
    options: dict[str, Any], journal: Path, tmp_path: Path
) -> None:
    """What waits for the rate limit, or was answered, would not be in doubt after a kill."""
    chance = Random(3)
    async with connected(latency=lambda _: chance.uniform(0.1, 0.9)) as rig:
        upload = rig.upload(phones(600), journal=journal, batch_size=10, **options).start()
        seen = set()
        for look in range(60):
            await asyncio.sleep(chance.uniform(0.05, 0.2))
            for again in range(20):  # what was answered just now is written with what comes next
                await asyncio.sleep(0.005)
                killed = UploadReport.open(as_after_a_kill(journal, tmp_path / f"{look}-{again}"))
                if killed.unknown_count == upload.progress.in_flight:
                    break
            else:
                pytest.fail(f"the journal knows something else than {upload.progress}")
            seen.add(upload.progress.in_flight)
        upload.cancel()
        await upload.wait_closed()
        assert len(seen) > 1


async def test_killed_as_it_notes_the_group_it_gives_nothing_up_to_what_it_noted(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier run had under way without reconciling is in the group that is noted then."""
    source = phones(100)
    kills: list[Path] = []
    write = JournalFile.write

    def noted(file: JournalFile, writes: Any) -> float:
        took = write(file, writes)
        kills.append(as_after_a_kill(journal, tmp_path / f"kill-{len(kills)}"))
        return took

    monkeypatch.setattr(commits, "_SOON", 0.0)  # every change is a transaction of its own
    async with connected(faults=Faults({"timeout-after": 1.0}, limit=1)) as rig:
        upload = rig.upload(source, journal=journal).start()
        while not rig.sandbox.commits:
            await asyncio.sleep(0.01)
        upload.cancel()
        await upload.wait_closed()
        monkeypatch.setattr(JournalFile, "write", noted)
        options: dict[str, Any] = {"on_unknown": "reconcile", "quiet_period": 1.0}
        assert (await rig.upload(source, journal=journal, **options)).unknown_count == 100
        monkeypatch.setattr(JournalFile, "write", write)
        assert kills
        for kill in kills:
            report = await rig.upload(source, journal=kill, **options)
            assert_accounts(report, rig.sandbox, source)
            assert report.unknown_count == 100
        assert len(rig.stored) == 100
