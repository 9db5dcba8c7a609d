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

__all__ = ["as_after_a_kill", "half"]


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
