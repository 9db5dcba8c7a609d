"""A source that waits for the end of the upload that it feeds would wait for itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from asyncsdk import UploadStopped
from tests.rig import Rig, assert_accounts, phones
from tests.upload.foreign import ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk import Phone

pytestmark = pytest.mark.timeout(30)

PLENTY = phones(3000)


async def test_a_source_that_awaits_the_end_of_its_own_upload_does_not_hang(rig: Rig) -> None:
    reports = list[object]()

    async def rows() -> AsyncIterator[Phone]:
        for i, row in enumerate(PLENTY):
            if i == 100:
                with suppress(UploadStopped):
                    reports.append(await upload.stop())
            yield row

    upload = rig.upload(rows(), batch_size=10)
    with suppress(UploadStopped):
        await ended(upload)
    await ended(upload.wait_closed())
    assert not upload.report.complete
    assert upload.report.submitted <= 101
    assert_accounts(upload.report, rig.sandbox, PLENTY)


async def test_a_source_that_awaits_its_own_upload_does_not_hang(rig: Rig) -> None:
    """It would wait for itself: an error, or the end of the upload, but no wait for ever."""

    async def rows() -> AsyncIterator[Phone]:
        for i, row in enumerate(PLENTY):
            if i == 100:
                await upload
            yield row

    upload = rig.upload(rows(), batch_size=10)
    with pytest.raises((UploadStopped, asyncio.CancelledError)):
        await ended(upload)
    assert_accounts(upload.report, rig.sandbox, PLENTY)
