"""What the group holds already is not sent: its export is read once, before the first batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    ConfigurationError,
    Delivery,
    FailureLimit,
    NotFoundError,
    Outcome,
    Phone,
    Progress,
    RetryPolicy,
    ServerError,
    UploadStopped,
)
from asyncsdk.models import Withheld
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, known, phones

if TYPE_CHECKING:
    from tests.rig import Rig


def asked(rig: Rig) -> list[str]:
    """What was asked of the sandbox, in order."""
    return [f"{r.method} {r.path.rsplit('/', 1)[-1]}" for r in rig.sandbox.requests]


async def test_what_is_there_in_another_spelling_is_skipped(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["0049160/1234567", "+49 (0)170 7654321", "0171 1111111"])
    source = ["+491601234567", "+49 170 7654321", "+491711111111", "0171-1111111", "+491722222222"]
    report = await rig.upload(source, existing="skip")
    assert [result.index for result in report.skipped] == [0, 1, 3]
    assert [result.phone.phone for result in report.created] == [source[2], source[4]]
    for result in report.skipped:
        assert (result.outcome, result.delivery) == (Outcome.SKIPPED, Delivery.NOT_SENT)
        assert result.error is not None
        assert result.error.in_group
        assert result.error.duplicate_of is None
        assert str(result.error) == "Existing phone: in the group already"
        assert (result.attempts, result.status, result.created) == (0, None, None)
    assert report.ok
    assert str(report).startswith("5 phones: 2 created, 0 invalid, 0 failed, 3 skipped")
    assert asked(rig) == ["GET csv", "POST batch"]


async def test_with_a_default_region_each_number_has_a_normal_form(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["0160 1234567", "+491707654321", "nobody", ""])
    source = ["+49 160 1234567", "0170/7654321", "0171 1111111", "nobody"]
    report = await rig.upload(source, existing="skip", normalize="DE")
    assert [result.index for result in report.skipped] == [0, 1]
    assert [result.index for result in report.invalid] == [3], "it is no number, wherever it is"
    assert rig.stored == ["+491711111111"]
    assert report.skipped[0].number == "+491601234567"


async def test_what_the_group_holds_is_sent_by_default(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["+491601234567"])
    assert (await rig.upload(["+491601234567"])).created_count == 1
    with pytest.raises(ConfigurationError, match="existing must be one of 'send', 'skip'"):
        rig.upload([], existing="merge")


async def test_together_with_duplicates_each_says_which_it_is(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["+49160 123"])
    source = ["+49160123", "+49160124", "+49160-123", "+49160 124", "+49160125"]
    report = await rig.upload(source, existing="skip", duplicates="skip")
    reasons = [(r.index, r.error.in_group, r.error.duplicate_of) for r in report.skipped if r.error]
    assert reasons == [(0, True, None), (2, True, None), (3, False, 1)]
    assert rig.stored == ["+49160124", "+49160125"]


async def test_without_duplicates_a_number_that_comes_twice_is_sent_twice(rig: Rig) -> None:
    report = await rig.upload(["+491601", "+491601"], existing="skip")
    assert (report.created_count, report.skipped_count) == (2, 0)


async def test_few_that_are_to_be_sent_share_a_request() -> None:
    source = phones(2000)
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, [p.phone for i, p in enumerate(source) if i % 50])
        report = await rig.upload(source, existing="skip", batch_size=40, concurrency=2)
        assert_accounts(report, rig.sandbox, source)
    assert (report.created_count, report.skipped_count) == (40, 1960)
    assert len(rig.sandbox.requests) <= 1 + 3


@pytest.mark.parametrize("on_unknown", ["report", "reconcile", "resend"])
async def test_one_reading_serves_a_reconcile_as_well(on_unknown: str) -> None:
    source = phones(20)
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, [source[3].phone])
        report = await rig.upload(source, existing="skip", on_unknown=on_unknown)
        assert_accounts(report, rig.sandbox, source)
    assert asked(rig).count("GET csv") == 1
    assert [result.index for result in report.skipped] == [3]


async def test_a_phone_without_an_answer_is_still_looked_up() -> None:
    """What the group held before is told from what this upload brought."""
    source = phones(10)
    async with connected(faults=Faults.script(["reset-after"])) as rig:
        rig.sandbox.hold(rig.group_id, [source[0].phone])
        options: dict[str, Any] = {"on_unknown": "reconcile", "quiet_period": 0.01}
        report = await rig.upload(source, existing="skip", **options)
        assert_accounts(report, rig.sandbox, source)
    assert (report.created_count, report.skipped_count) == (9, 1)


async def test_an_export_that_fails_for_good_sends_nothing() -> None:
    async with connected(faults=Faults.script(["500"] * 10, routes="all")) as rig:
        retry = RetryPolicy(attempts=3, base=0.001)
        with pytest.raises(UploadStopped) as caught:
            await rig.upload(phones(5), existing="skip", retry=retry)
    assert isinstance(caught.value.cause, ServerError)
    assert asked(rig) == ["GET csv"] * 3
    assert (caught.value.report.submitted, rig.stored) == (0, [])


async def test_a_group_that_is_not_there(rig: Rig) -> None:
    with pytest.raises(UploadStopped) as caught:
        await rig.client.phones.upload(rig.group_id + 1, phones(5), existing="skip")
    assert isinstance(caught.value.cause, NotFoundError)
    assert asked(rig) == ["GET csv"]


async def test_an_export_that_fails_for_now_is_read_again() -> None:
    source = phones(5)
    async with connected(
        faults=Faults.script(["503", "truncate"], routes="all", retry_after=0.0)
    ) as rig:
        rig.sandbox.hold(rig.group_id, [phone.phone for phone in source[:3]])
        report = await rig.upload(source, existing="skip", retry=RetryPolicy(base=0.001, cap=0.001))
        assert_accounts(report, rig.sandbox, source)
    assert (report.created_count, report.skipped_count) == (2, 3)


async def test_a_dry_run_reads_the_group_and_sends_nothing(rig: Rig) -> None:
    source = phones(5)
    rig.sandbox.hold(rig.group_id, [source[1].phone])
    report = await rig.upload([*source, ""], existing="skip", dry_run=True)
    assert asked(rig) == ["GET csv"]
    assert (report.skipped_count, report.would_be_sent_count) == (5, 4)
    assert str(report).startswith("6 phones: 4 would be sent, 1 invalid, 1 skipped")
    assert str(report).endswith("(a dry run: nothing was sent)")
    assert [r.index for r in report.skipped if r.error and r.error.in_group] == [1]
    assert not report.ok, "a row is invalid"


async def test_progress_tells_what_was_skipped() -> None:
    source = phones(30)
    seen: list[Progress] = []
    async with connected(latency=0.05) as rig:
        rig.sandbox.hold(rig.group_id, [phone.phone for phone in source[:20]])
        upload = rig.upload(source, existing="skip", on_progress=seen.append)
        report = await upload
    assert "reading_group" in {progress.phase for progress in seen}
    assert (upload.progress.skipped, upload.progress.created) == (20, 10)
    assert upload.progress.settled == report.submitted == 30
    assert upload.done
    assert upload.error is None


async def test_they_are_iterated_like_all_others() -> None:
    source = phones(30)
    async with connected() as rig:
        rig.sandbox.hold(rig.group_id, [phone.phone for phone in source[:20]])
        results = [r async for r in rig.upload(source, existing="skip", batch_size=7)]
    assert sorted(r.index for r in results) == list(range(30))
    assert sum(r.outcome is Outcome.SKIPPED for r in results) == 20


async def test_they_are_no_failures_that_stop_an_upload(rig: Rig) -> None:
    source = phones(300)
    rig.sandbox.hold(rig.group_id, [phone.phone for phone in source[:290]])
    limit = FailureLimit(count=5, ratio=0.1)
    for options in ({"existing": "skip"}, {"dry_run": True}):
        report = await rig.upload(source, stop_when=limit, batch_size=50, **options)
        assert report.complete
        assert report.ok


async def test_a_phone_in_doubt_that_the_group_holds_is_in_doubt_no_more(rig: Rig) -> None:
    rig.sandbox.hold(rig.group_id, ["+49 160 1"])
    held = [Withheld("+491601", doubtful=True), Withheld("+491602", doubtful=True)]
    report = await rig.upload([*held, Phone("+491603")], existing="skip")
    assert [result.index for result in report.skipped] == [0]
    assert [(r.index, r.delivery) for r in report.failed] == [(1, Delivery.UNKNOWN)]


async def test_a_dry_run_that_is_stopped_has_failed_with_nothing(rig: Rig) -> None:
    def source() -> Any:
        for i, phone in enumerate(phones(100)):
            if i == 55:
                upload.cancel()
            yield phone

    upload = rig.upload(source(), dry_run=True, batch_size=10)
    report = await upload
    assert report.failed_count == 0
    assert not report.complete
    assert len(known(report)) == report.submitted == report.would_be_sent_count
