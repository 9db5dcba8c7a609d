"""Journals as they are found: of an upload that was stopped on its way, or killed."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from tests.rig import phones

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk import Phone
    from tests.rig import Rig

__all__ = ["HeldBatch", "as_after_a_kill", "half"]


async def half(rig: Rig, journal: Path, count: int = 300) -> list[Phone]:
    """Leave a journal of an upload that was stopped on its way."""
    source = phones(count)
    upload = rig.upload(source, journal=journal, batch_size=20, concurrency=1).start()
    while upload.progress.created < count // 2:
        await asyncio.sleep(0)
    await upload.stop()
    return source


def as_after_a_kill(journal: Path, copy: Path) -> Path:
    """What a kill at this moment would leave."""
    for ending in ("", "-wal"):
        found = journal.with_name(journal.name + ending)
        if found.exists():
            shutil.copy(found, copy.with_name(copy.name + ending))
    return copy


class HeldBatch:
    """What a ledger reads of a batch: of one with two rows."""

    key = 7
    indices = range(2)
    body = b'[{"phone": "+49170"}, {"phone": "+49171"}]'
    submitted = None
    attempts = 0
    doubtful = False
    status = None
    problem = None
    request_id = None

    def __len__(self) -> int:
        return 2
