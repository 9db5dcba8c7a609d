"""An upload that is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk import Delivery, Outcome, Phone, Progress
from tests.rig import assert_accounts, phones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig import Rig


async def test_nothing_is_sent_before_it_is_awaited(rig: Rig) -> None:
    taken = []

    def source() -> Iterator[Phone]:
        for phone in phones(3):
            taken.append(phone)
            yield phone

    upload = rig.upload(source())
    assert upload.progress == Progress()
    assert upload.report.submitted == 0
    assert not upload.report.complete
    assert not taken
    assert not rig.sandbox.requests
    await upload
    assert len(taken) == 3


async def test_the_report_says_what_became_of_each_phone(rig: Rig) -> None:
    source = phones(5)
    report = await rig.upload(source, batch_size=2)
    assert report.ok
    assert report.complete
    assert report.requests == 3
    assert report.retries == 0
    assert_accounts(report, rig.sandbox, source)
    first = report.created[0]
    assert (first.index, first.phone, first.outcome) == (0, source[0], Outcome.CREATED)
    assert (first.status, first.error, first.attempts) == (201, None, 1)
    assert first.delivery is Delivery.ANSWERED
    assert first.request_id
    assert len(first.request_id) == 32


async def test_it_can_be_awaited_again(rig: Rig) -> None:
    upload = rig.upload(phones(5))
    assert await upload == await upload == upload.report
    assert len(rig.sandbox.requests) == 1
