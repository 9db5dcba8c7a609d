"""Who may send a partition: the last one who claimed it, and where its account begins.

Without a shared pace there is one host. The lock of the journal is lease and fence at once: the
kernel gives it to one process at a time, and takes it from one that dies; one that is stopped keeps
it, and goes on when it is continued.

With a shared pace there are hosts of which nobody knows whether a process there lives. Each run
claims the partition: from that moment on every permit that a run of an earlier *epoch* asks for is
refused, by the script that hands them out. What such a run can still do is bounded:

1. It may use a permit that it has: for as long as that is valid (`margin`). It looks at that right
   before the first byte of a request, so one that was stopped in between asks anew, and is refused.
   Only a process that is stopped between that look and the sending (some microseconds), or amid
   the sending, can still be heard of later; no client can exclude that.
2. What it has sent may be answered, or processed, for as long as a request takes (`timeout`).
3. It may write to its journal, for ever.

So each run with a claim has a journal of its own, named by its epoch, and the lock of the earlier
one, which a stopped process holds, is never asked for. The file is made at once, empty, so that who
runs without a pace finds it. When (1) is over, no request leaves any more of which the earlier
journal does not know: each is on record before it leaves. The successor waits for (2) as long as
there are such requests, for their answers may still come on record, and then begins with a copy of
that journal: what is under way there is in doubt here, and treated by `on_unknown`. What is written
to the earlier one later (3) is in nobody's account: reports look at the highest epoch.

The clocks of the processes do not matter: epochs and permits are by the clock of Redis, and waits
begin when the claim has been answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from asyncsdk.errors import ConfigurationError, FencedError, JournalError, JournalInUseError
from asyncsdk.files import make
from asyncsdk.ledger.journal.copying import continued, is_busy, is_sending
from asyncsdk.ledger.journal.database import EmptyJournalError
from asyncsdk.ledger.journal.lock import Lock, is_locked
from asyncsdk.ledger.journal.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.pace.pace import Pace

__all__ = ["Fencing", "Taken", "is_fencing", "taken", "taken_over"]

_OFTEN = 0.2
"""Seconds between two looks at the journal of another process."""


class Fencing(Protocol):
    """A pace that hands out no permit to a run of a partition once a later one has claimed it."""

    @property
    def margin(self) -> float:
        """Seconds for which a permit holds."""

    async def claim(self, partition: str) -> int:
        """A new epoch of a partition: every earlier one is refused from now on."""

    def fenced(self, partition: str, epoch: int) -> Pace:
        """The pace for the requests of one partition."""


@frozen
class Taken:
    """A partition that this run may send."""

    folder: StateFolder
    index: int
    journal: Path
    epoch: int = 0
    pace: Pace | None = None
    """What its requests pass; None for the pace of the client."""

    async def check(self) -> None:
        """Do nothing if no later run has it.

        Raises:
            FencedError: One has.
        """
        if await asyncio.to_thread(self.is_superseded):
            msg = f"partition {self.index} has been taken over by a later run: end this one"
            raise FencedError(msg)

    def is_superseded(self) -> bool:
        """Whether a later run has it."""
        return any(epoch > self.epoch for epoch, _ in self.folder.journals(self.index))


def is_fencing(pace: object) -> bool:
    """Whether a pace is shared, and refuses runs that were taken over."""
    return hasattr(pace, "claim") and hasattr(pace, "fenced")


async def taken(folder: StateFolder, index: int, *, wait: bool) -> Taken:
    """The partition, once no other process of this host has it.

    Raises:
        JournalInUseError: One has, and nobody waits.
        ConfigurationError: It was run with a shared pace.
    """
    journal = folder.journal(index)
    while await asyncio.to_thread(is_locked, journal):
        if not wait:
            msg = f"the journal {journal} is in use: another run of the partition is at it"
            raise JournalInUseError(msg)
        await asyncio.sleep(_OFTEN)
    found = Taken(folder, index, journal)
    if await asyncio.to_thread(found.is_superseded):
        msg = (
            f"partition {index} was run with a shared pace, and another run of it may be at it, on "
            "any host: give the same pace (pace=, --pace)"
        )
        raise ConfigurationError(msg)
    return found


async def taken_over(
    folder: StateFolder, index: int, pace: Fencing, name: str, timeout: float
) -> Taken:
    """The partition, once nobody else can send anything of it.

    Args:
        folder: Where the accounts are.
        index: Which partition.
        pace: Refuses earlier runs.
        name: What the partition is called there.
        timeout: Seconds that a request takes at most.

    Raises:
        PaceError: The claim is not answered.
        JournalError: What an earlier run left cannot be read.
    """
    epoch = await pace.claim(name)
    mine = folder.journal(index, epoch)
    await asyncio.to_thread(make, mine, 0o600)
    await asyncio.sleep(pace.margin)
    earlier = await asyncio.to_thread(_last_before, folder, index, epoch)
    if earlier is not None:
        before, journal = earlier
        if before:
            await _answered(journal, timeout)
            await asyncio.to_thread(continued, journal, mine)
        else:
            await _continued_locked(journal, mine)
        await asyncio.to_thread(_clear, folder, index, before)
    return Taken(folder, index, mine, epoch, pace.fenced(name, epoch))


def _last_before(folder: StateFolder, index: int, epoch: int) -> tuple[int, Path] | None:
    """The last journal of an earlier epoch that holds anything."""
    for before, journal in reversed(folder.journals(index)):
        if before < epoch and journal.exists() and _is_begun(journal):
            return before, journal
    return None


def _is_begun(journal: Path) -> bool:
    reader = Reader(journal)
    try:
        reader.read()
    except EmptyJournalError:
        return False
    except JournalError as error:
        return is_busy(error)
    finally:
        reader.close()
    return True


async def _answered(journal: Path, timeout: float) -> None:
    """Return when no request is under way that an earlier run has sent, as far as can be known."""
    waited = 0.0
    while waited < timeout and await asyncio.to_thread(is_sending, journal):
        await asyncio.sleep(_OFTEN)
        waited += _OFTEN


async def _continued_locked(before: Path, journal: Path) -> None:
    """Go on with what a run without a pace has left, once it has ended: its lock is its fence."""
    while not await asyncio.to_thread(_copied, before, journal):
        await asyncio.sleep(_OFTEN)


def _copied(before: Path, journal: Path) -> bool:
    """Whether the journal could be locked, and is copied."""
    lock = Lock(before)
    try:
        lock.acquire()
    except JournalInUseError:
        return False
    try:
        continued(before, journal)
    finally:
        lock.release()
    return True


def _clear(folder: StateFolder, index: int, before: int) -> None:
    """Remove the journals of runs that came before the one that was taken over."""
    for epoch, journal in folder.journals(index):
        if epoch < before:
            for place in (journal, *(journal.with_name(journal.name + end) for end in _BESIDE)):
                place.unlink(missing_ok=True)


_BESIDE = ("-wal", "-shm", "-journal", "-lock")
