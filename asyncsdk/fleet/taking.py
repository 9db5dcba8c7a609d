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
to the earlier one later (3) is in nobody's account: reports look at the highest epoch. Once it is
copied that file is removed, and right before the first byte of a request a run looks whether its
journal is still there; so even where Redis loses its data, and the epochs with it, one that was
taken over sends nothing more.

The clocks of the processes do not matter: epochs and permits are by the clock of Redis, and waits
begin when the claim has been answered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec
from attrs import frozen

from asyncsdk.errors import ConfigurationError, FencedError, JournalError, JournalInUseError
from asyncsdk.files import make
from asyncsdk.ledger.journal.copying import continued, is_busy, is_sending
from asyncsdk.ledger.journal.database import EmptyJournalError, NoJournalError
from asyncsdk.ledger.journal.lock import Lock, is_locked
from asyncsdk.ledger.journal.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.pace.gate import Gate
    from asyncsdk.pace.pace import Pace

__all__ = ["Fencing", "Patience", "Taken", "is_fencing", "taken", "taken_over"]

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


class Patience(msgspec.Struct):
    """How long a run may be heard of once it was taken over; its journal notes it."""

    margin: float = 0.0
    """Seconds for which its permits hold."""
    timeout: float = 0.0
    """Seconds that its requests take at most."""


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
            raise _fenced(self.index)

    def is_superseded(self) -> bool:
        """Whether a later run has it."""
        return any(epoch > self.epoch for epoch, _ in self.folder.journals(self.index))


class _Watched:
    """A pace that lets nothing leave any more once the journal of its run is gone."""

    def __init__(self, pace: Pace, journal: Path, index: int) -> None:
        self._pace = pace
        self._journal = journal
        self._index = index
        self.gate: Gate = pace.gate

    async def acquire(self, attempt: Attempt) -> None:
        """See `Pace`."""
        await self._pace.acquire(attempt)

    def confirm(self, attempt: Attempt) -> bool:
        """See `Pace`."""
        return self._pace.confirm(attempt)

    def release(self, attempt: Attempt) -> None:
        """See `Pace`."""
        self._pace.release(attempt)

    async def learn(self, attempt: Attempt, status: int) -> None:
        """See `Pace`."""
        await self._pace.learn(attempt, status)

    async def aclose(self) -> None:
        """See `Pace`."""
        await self._pace.aclose()

    async def renew(self, attempt: Attempt, *, wait: bool = False) -> None:
        """See `Pace`: it is asked right before the first byte.

        Raises:
            FencedError: A later run has taken the partition over.
        """
        await self._pace.renew(attempt, wait=wait)
        self._check()

    def _check(self) -> None:
        if not self._journal.exists():
            raise _fenced(self._index)


def _fenced(index: int) -> FencedError:
    return FencedError(f"partition {index} has been taken over by a later run: end this one")


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
    found = Taken(folder, index, mine, epoch, _Watched(pace.fenced(name, epoch), mine, index))
    await asyncio.to_thread(make, mine, 0o600)
    await asyncio.sleep(pace.margin)
    try:
        while (earlier := await asyncio.to_thread(_last_before, folder, index, epoch)) is not None:
            with suppress(NoJournalError):  # a run in between has taken it over, and removed it
                await _continue(*earlier, mine, Patience(pace.margin, timeout))
                await asyncio.to_thread(_clear, folder, index, earlier[0])
                break
    except JournalError:
        await found.check()  # whoever has it now has taken that journal away
        raise
    return found


async def _continue(before: int, journal: Path, mine: Path, ours: Patience) -> None:
    """Begin a journal with what a run of an earlier epoch has left."""
    if not before:
        await _continued_locked(journal, mine)
        return
    theirs = await asyncio.to_thread(_patience_of, journal)
    await asyncio.sleep(max(0.0, theirs.margin - ours.margin))
    await _answered(journal, max(theirs.timeout, ours.timeout))
    await asyncio.to_thread(continued, journal, mine)


def _last_before(folder: StateFolder, index: int, epoch: int) -> tuple[int, Path] | None:
    """The last journal of an earlier epoch that holds anything."""
    for before, journal in reversed(folder.journals(index)):
        if before < epoch and _is_begun(journal):
            return before, journal
    return None


def _is_begun(journal: Path) -> bool:
    reader = Reader(journal)
    try:
        reader.read()
    except (EmptyJournalError, NoJournalError):
        return False
    except JournalError as error:
        return is_busy(error)
    finally:
        reader.close()
    return True


def _patience_of(journal: Path) -> Patience:
    """That of the run that wrote a journal, as far as it can be read."""
    reader = Reader(journal)
    try:
        return msgspec.json.decode(reader.meta("notes") or "{}", type=Patience)
    except (JournalError, msgspec.MsgspecError, TypeError) as error:
        if isinstance(error, NoJournalError):
            raise
        return Patience()
    finally:
        reader.close()


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
    """Remove the journals of the run that was taken over, and of those before it."""
    for epoch, journal in folder.journals(index):
        if epoch <= before:
            for place in (journal, *(journal.with_name(journal.name + end) for end in _BESIDE)):
                place.unlink(missing_ok=True)


_BESIDE = ("-wal", "-shm", "-journal", "-lock")
