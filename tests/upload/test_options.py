"""Options that change what is kept or sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, ConfigurationError, Delivery, Outcome, Phone, UploadFailed
from tests.rig import assert_accounts, connected, known, numbers, phones

if TYPE_CHECKING:
    from tests.rig import Rig


async def test_without_keeping_created_phones_their_counts_remain(rig: Rig) -> None:
    source = ["" if i % 10 == 0 else number for i, number in enumerate(numbers(95))]
    report = await rig.upload(source, batch_size=10, keep_created=False)
    assert (report.submitted, report.created_count, report.invalid_count) == (95, 85, 10)
    assert len(report.created) == 0
    assert [result.index for result in report.invalid] == list(range(0, 95, 10))
    assert {result.outcome for result in known(report)} == {Outcome.INVALID}
    assert len(rig.sandbox.commits) == 85


async def test_without_keeping_them_iteration_gives_them_all_the_same(rig: Rig) -> None:
    upload = rig.upload(phones(25), batch_size=10, keep_created=False)
    results = []
    async for result in upload:
        results.append(result)
        if len(results) == 15:
            break
    assert all(result.created is not None for result in results)
    assert known(upload.report) == list(upload.report.failed)
    assert upload.report.submitted == upload.report.created_count + upload.report.failed_count


async def test_a_dry_run_checks_everything_and_sends_nothing(rig: Rig) -> None:
    source = ["" if i % 10 == 0 else number for i, number in enumerate(numbers(95))]
    report = await rig.upload(source, batch_size=10, dry_run=True, duplicates="skip")
    assert not rig.sandbox.requests
    assert (report.submitted, report.invalid_count, report.failed_count) == (95, 10, 0)
    assert (report.skipped_count, report.would_be_sent_count) == (85, 85)
    assert {result.delivery for result in report.skipped} == {Delivery.NOT_SENT}
    told = {str(result.error) for result in report.skipped}
    assert told == {"Would be sent: a dry run sends nothing"}
    assert (report.requests, report.unknown_count) == (0, 0)
    assert report.complete
    assert not report.ok


async def test_a_dry_run_needs_no_server(rig: Rig) -> None:
    await rig.sandbox.stop()
    for how in ("report", "reconcile", "resend"):
        report = await rig.upload(phones(20), dry_run=True, on_unknown=how)
        assert report.ok
        assert report.dry_run
        assert report.would_be_sent_count == 20


async def test_numbers_that_occurred_before_are_skipped_across_batches(rig: Rig) -> None:
    source = [*numbers(15), *numbers(15), "+49160777"]
    report = await rig.upload(source, batch_size=10, duplicates="skip")
    assert report.created_count == 16
    assert [result.index for result in report.skipped] == list(range(15, 30))
    assert {result.delivery for result in report.skipped} == {Delivery.NOT_SENT}
    assert report.ok
    assert sorted(rig.stored) == sorted([*numbers(15), "+49160777"])


async def test_numbers_that_occurred_before_are_sent_by_default(rig: Rig) -> None:
    source = [Phone("+491601234567", callback_data=str(i)) for i in range(25)]
    report = await rig.upload(source, batch_size=10)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)


async def test_each_upload_has_its_own_memory_of_numbers(rig: Rig) -> None:
    for _ in range(2):
        report = await rig.upload(numbers(5), duplicates="skip")
        assert report.ok
    assert rig.stored == numbers(5) * 2


async def test_without_validation_the_server_judges(rig: Rig) -> None:
    source = [*numbers(2), "1" * 31, ""]
    report = await rig.upload(source, validate=False)
    assert report.created_count == 2
    assert [(r.index, r.status, r.delivery) for r in report.invalid] == [
        (2, 422, Delivery.ANSWERED),
        (3, 422, Delivery.ANSWERED),
    ]
    assert rig.batches == [4]


async def test_numbers_are_sent_in_their_normal_form_and_told_as_submitted(rig: Rig) -> None:
    source = ["0160 1234567", "+49 160 7654321", "12"]
    report = await rig.upload(source, normalize="DE")
    assert rig.stored == ["+491601234567", "+491607654321"]
    assert [result.phone.phone for result in report.created] == source[:2]
    assert [result.number for result in report.created] == rig.stored
    assert [result.index for result in report.invalid] == [2]


@pytest.mark.parametrize("duplicates", ["merge", "refuse"])
async def test_what_the_server_does_with_duplicates(duplicates: str) -> None:
    async with connected(duplicates=duplicates) as rig:
        report = await rig.upload([*numbers(5), *numbers(5)], batch_size=5, concurrency=1)
    assert len(rig.sandbox.commits) == 5
    if duplicates == "merge":
        assert report.ok
        assert [result.status for result in report.created] == [201] * 5 + [200] * 5
    else:
        assert [result.status for result in report.invalid] == [409] * 5


async def test_two_reports_add_up(rig: Rig) -> None:
    one = await rig.upload([*numbers(3), ""])
    other = await rig.upload(["", *numbers(2)])
    both = one + other
    assert (both.submitted, both.created_count, both.invalid_count) == (7, 5, 2)
    assert [result.index for result in both.created] == [0, 1, 2, 1, 2]
    assert str(both).startswith("7 phones: 5 created, 2 invalid, 0 failed in ")
    with pytest.raises(UploadFailed):
        both.raise_for_failures()


@pytest.mark.parametrize(
    ("good", "equal"),
    [
        ({"batch_size": 1}, {"batch_size": True}),
        ({"batch_size": 1}, {"batch_size": 1.0}),
        ({"concurrency": 1}, {"concurrency": True}),
        ({"validate": True}, {"validate": 1}),
        ({"dry_run": False}, {"dry_run": 0.0}),
        ({"deadline": 1.0}, {"deadline": True}),
    ],
)
def test_what_equals_an_option_that_was_given_before_is_checked_all_the_same(
    good: dict[str, Any], equal: dict[str, Any]
) -> None:
    client = Client("1", "key-of-nobody")
    for _ in range(2):
        client.phones.upload(1, [], **good).close()
        with pytest.raises(ConfigurationError):
            client.phones.upload(1, [], **equal)
