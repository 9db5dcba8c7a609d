"""What was sent without an answer and is refused when it is sent again may be in the group."""

from __future__ import annotations

import pytest

from asyncsdk import Delivery, Outcome
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, known, phones


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("refusal", ["400-whole", "422-whole"])
@pytest.mark.parametrize("lost", ["reset-after", "not-json", "500-after", "empty"])
async def test_a_refusal_of_the_whole_batch_does_not_make_it_invalid(
    lost: str, refusal: str, batch: int
) -> None:
    """The refusal names no row: it may as well mean that the phone is there already."""
    faults = Faults.script([lost, *[refusal] * 20])
    async with connected(faults=faults) as rig:
        source = phones(batch)
        report = await rig.upload(source, batch_size=batch, concurrency=1, on_unknown="resend")
    assert len(rig.sandbox.commits) == batch
    assert report.unknown_count == batch
    assert {result.outcome for result in known(report)} == {Outcome.FAILED}
    assert_accounts(report, rig.sandbox, source, resent=True)


@pytest.mark.parametrize("refusal", ["400-whole", "422-whole"])
async def test_what_was_never_stored_is_invalid(refusal: str) -> None:
    faults = Faults.script(["reset-head", *[refusal] * 20])
    async with connected(faults=faults) as rig:
        report = await rig.upload(phones(3), concurrency=1, on_unknown="resend")
    assert report.failed_count == 0 or {r.delivery for r in report.failed} == {Delivery.UNKNOWN}
    assert report.submitted == 3
    assert not report.created_count
