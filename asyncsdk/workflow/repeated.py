"""Rows that would be stored a second time if a rejects file were mended and uploaded."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from asyncsdk.rejects import twins
from asyncsdk.upload.intake.normalize import compared, normalizer
from asyncsdk.workflow.dryrun import nobody
from asyncsdk.workflow.numbers import parse_normalize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncsdk.report import UploadReport
    from asyncsdk.sources import Source

__all__ = ["repeated"]


def repeated(source: Source, report: UploadReport, options: Mapping[str, Any]) -> dict[int, int]:
    """Rows with the numbers of others that are invalid, or that the upload did not come to.

    It runs an event loop of its own, where the upload did not come to its end.

    Args:
        source: What was uploaded, which is read once more.
        report: What became of it.
        options: Those of the upload.

    Returns:
        Their indices, and those of the rows with their numbers.
    """
    if options.get("duplicates") != "skip":
        return {}
    how = parse_normalize(options)
    found = twins(source, report, partial(compared, normalizer(how)))
    if report.complete:
        return found
    chosen: dict[str, Any] = {"normalize": how, "duplicates": "skip"}

    async def dry_run() -> UploadReport:
        async with nobody() as client:
            return await client.phones.upload(1, source, dry_run=True, **chosen)

    return found | {
        result.index: result.error.duplicate_of
        for result in asyncio.run(dry_run()).skipped
        if result.index >= report.submitted
        and result.error is not None
        and result.error.duplicate_of is not None
    }
