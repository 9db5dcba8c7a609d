"""What an earlier run of the same upload left in its journal is taken up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asyncsdk.errors import JournalError
from asyncsdk.ledger.digest import digest
from asyncsdk.ledger.held import State
from asyncsdk.models import Problem
from asyncsdk.results import Delivery
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.verdict.decision import Decision
from asyncsdk.wire.rows import encode_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from asyncsdk.config import OnUnknown
    from asyncsdk.ledger.interface import Resumed
    from asyncsdk.upload.intake.batches import Batches
    from asyncsdk.upload.intake.source import Rows
    from asyncsdk.upload.sharing import Steps

__all__ = ["given_up", "left_over", "recognise"]

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


async def recognise(
    resumed: Resumed,
    *,
    rows: Rows | None,
    batches: Batches,
    chunks: AsyncIterator[tuple[int, int, int]],
    steps: Steps,
    breathe: Callable[[], Awaitable[None]],
) -> None:
    """Read again what an earlier run read, and make certain that it is the same.

    Args:
        resumed: What the earlier run left.
        rows: The source; None where that run read all of it.
        batches: Encodes rows as they were submitted.
        chunks: What that run read: first row, how many, digest.
        steps: Cuts the work.
        breathe: Lets others run meanwhile.

    Raises:
        JournalError: It is not the same.
    """
    if rows is None:
        return
    again = partial(_again, rows, batches, steps, breathe)
    async for first, count, known in chunks:
        if digest(await again(first, count)) != known:
            where = f"in rows {first + 1:,} to {first + count:,}"
            raise _another_source(where)
    if resumed.exhausted and digest(await again(resumed.read, 1)) != _NOTHING:
        where = f"from row {resumed.read + 1:,} on"
        raise _another_source(where)


async def _again(
    rows: Rows,
    batches: Batches,
    steps: Steps,
    breathe: Callable[[], Awaitable[None]],
    first: int,
    count: int,
) -> bytes:
    """Rows that are drawn to know them again, as submitted and encoded; fewer where they end."""
    parts, end = [], first + count
    while not rows.exhausted and first < end:
        piece: list[object] = []
        await rows.draw(piece, min(end - first, steps.begin()))
        if piece:
            parts.append(batches.recognise(first, piece))
            first += len(piece)
        if steps.end():
            await breathe()
    return batches.checker.join(parts).source


def _another_source(where: str) -> JournalError:
    msg = (
        f"the source is not the one that the journal was begun with: it differs {where}. "
        "Give that source as it was, or another journal for a new upload"
    )
    return JournalError(msg)


def given_up(interrupted: Sequence[Batch]) -> Decision:
    """Rows that nobody can look up: what the group held before them was never noted."""
    unknown = [batch.because(_NO_BASELINE) for batch in interrupted]
    return Decision([batch.failed(Delivery.UNKNOWN) for batch in unknown])
