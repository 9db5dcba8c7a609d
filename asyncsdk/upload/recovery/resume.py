"""What an earlier run of the same upload left in its journal is taken up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asyncsdk.errors import JournalError
from asyncsdk.ledger.digest import digest
from asyncsdk.ledger.held import State
from asyncsdk.models import Problem
from asyncsdk.results import Delivery
from asyncsdk.upload.intake.batches import Batch
from asyncsdk.upload.verdict.settlement import Settlement
from asyncsdk.wire.batch import encode_rows

if TYPE_CHECKING:
    from asyncsdk.config import OnUnknown
    from asyncsdk.ledger.interface import DurableLedger, Resumed
    from asyncsdk.upload.intake.batches import Batches
    from asyncsdk.upload.recovery.reconcile import Reconciler

__all__ = ["given_up", "know_again", "left_over", "note_group"]

_NOTHING = digest(encode_rows([]))

_NO_BASELINE = Problem(
    "Outcome unknown",
    "the upload was interrupted while it was under way, and was begun without reconciling: "
    "what the group held before is not known",
)


def left_over(resumed: Resumed, on_unknown: OnUnknown) -> tuple[list[Batch], list[Batch]]:
    """The batches that wait to be sent, and those whose fate is not known.

    What the earlier run was to resend without knowing its fate is this run's to decide about.
    """
    waiting: list[Batch] = []
    interrupted: list[Batch] = []
    for held in resumed.held:
        doubt = held.doubtful and on_unknown != "resend"
        known = held.state is State.WAITING and not doubt
        (waiting if known else interrupted).append(Batch.restored(held))
    return waiting, interrupted


async def know_again(batches: Batches, ledger: DurableLedger, resumed: Resumed) -> None:
    """Read again what was read before, and make certain that it is the same.

    Raises:
        JournalError: It is not.
    """
    if batches.source is None:
        if not resumed.exhausted:
            msg = "the source of this journal was not read to its end: give it once more"
            raise JournalError(msg)
        batches.exhausted = True
        return
    async for first, rows, known in ledger.chunks():
        if digest(await batches.reread(first, rows)) != known:
            where = f"in rows {first:,} to {first + rows - 1:,}"
            raise _another_source(where)
        await asyncio.sleep(0)
    if resumed.exhausted and digest(await batches.reread(resumed.read, 1)) != _NOTHING:
        where = f"from row {resumed.read:,} on"
        raise _another_source(where)


def _another_source(where: str) -> JournalError:
    msg = (
        f"the source is not the one that the journal was begun with: it differs {where}. "
        "Give that source as it was, or another journal for a new upload"
    )
    return JournalError(msg)


async def note_group(
    reconciler: Reconciler, ledger: DurableLedger | None, resumed: Resumed
) -> None:
    """Know what the group held before the upload: as it was noted then, or by looking now."""
    if resumed.baseline is not None:
        reconciler.before = resumed.baseline
    else:
        await reconciler.begin()
        if ledger is not None:
            ledger.baseline(reconciler.before)


def given_up(interrupted: list[Batch]) -> Settlement:
    """Rows that nobody can look up: what the group held before them was never noted."""
    told = [batch.because(_NO_BASELINE) for batch in interrupted]
    return Settlement([batch.failed(Delivery.UNKNOWN) for batch in told])
