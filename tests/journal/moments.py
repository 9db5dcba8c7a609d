"""Journals as they are found: of an upload that was stopped on its way, or killed."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from asyncsdk import Phone
from asyncsdk.wire.rows import encode_rows, rows_of
from tests.rig import phones

if TYPE_CHECKING:
    from pathlib import Path

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
    """What a ledger reads of a batch: of one with two rows, or some of them."""

    submitted = None
    attempts = 0
    doubtful = False
    status = None
    problem = None
    request_id = None

    def __init__(self, key: int = 7, indices: range = range(2)) -> None:
        self.key = key
        self.indices = indices
        self.body = encode_rows(rows_of([Phone(f"+4917{i}") for i in indices]))

    def __len__(self) -> int:
        return len(self.indices)
