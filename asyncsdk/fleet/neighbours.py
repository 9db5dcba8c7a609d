"""The other partitions of an upload, as their journals show them to a reconcile of one.

What a partition has sent is on record before it leaves. So of a phone that is in the group, and was
not before the upload, the journals say whose it can be, if they are read after the group: a
partition was answered with its id, or has its number under way or in doubt, or did not create it.
"""

from __future__ import annotations

import asyncio
from array import array
from typing import TYPE_CHECKING

from attrs import define

from asyncsdk.errors import JournalError
from asyncsdk.files import placing_first
from asyncsdk.lease import Lease
from asyncsdk.ledger.journal.partitions import begun
from asyncsdk.numbers import tail
from asyncsdk.upload.part import Taken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from asyncsdk.ledger.journal.reader import Reader
    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.models import CreatedPhone

__all__ = ["Others", "note_group"]

_OFTEN = 0.2
"""Seconds between two looks for what another process reads."""
_PATIENCE = 60.0
"""Seconds after which it is read here, too: who reads it may be stopped. Until it is noted nobody
sends anything, so that any reading is as good, and the first that is noted holds."""
_LOST = (
    "{path} is gone, which says what the group held before the upload: bring it back. Nothing is "
    "sent without it, for phones that the upload created could be taken for older ones"
)


@define(eq=False)
class Others:
    """All partitions of a state but one; see `asyncsdk.upload.part.Neighbours`."""

    folder: StateFolder
    index: int

    async def before(self, read: Callable[[], Awaitable[array[int]]], *, sent: bool) -> array[int]:
        """The ids that the group held before the upload: read by whoever comes first, for all."""
        lease: Lease | None = None
        waited = 0.0
        try:
            while (known := await asyncio.to_thread(_noted, self.folder.group)) is None:
                lease = lease or await asyncio.to_thread(Lease.take, self._lock)
                if lease is None and waited < _PATIENCE:
                    await asyncio.sleep(_OFTEN)
                    waited += _OFTEN
                    continue
                # It is noted before anything is sent: so it is looked for after that.
                lost = sent or await asyncio.to_thread(self._any_sent)
                if (known := await asyncio.to_thread(_noted, self.folder.group)) is not None:
                    break
                if lost:
                    raise JournalError(_LOST.format(path=self.folder.group))
                await asyncio.to_thread(note_group, self.folder, await read())
        finally:
            if lease is not None:
                lease.release()
        return known

    async def taken(self, phones: Sequence[CreatedPhone]) -> Taken:
        """What of these phones is that of other partitions."""
        return await asyncio.to_thread(self._taken, phones)

    @property
    def _lock(self) -> Path:
        return self.folder.group.with_suffix(".lock")

    def _taken(self, phones: Sequence[CreatedPhone]) -> Taken:
        wanted = {phone.id for phone in phones if phone.id is not None}
        ends = {tail(phone.phone or "") for phone in phones}
        ids: set[int] = set()
        doubtful: set[str] = set()
        for reader in self._readers():
            with reader.snapshot():
                for unknown in reader.in_doubt():
                    doubtful.update(ends.intersection(tail(phone.phone) for phone in unknown))
                _, upto = reader.last_ids()
                answered, nameless = reader.answered(wanted, upto)
            ids |= answered
            doubtful.update(ends.intersection(tail(phone.phone) for phone in nameless))
        return Taken(ids, doubtful)

    def _any_sent(self) -> bool:
        """Whether a partition has come as far as to send something."""
        return any(reader.read() for reader in self._readers())

    def _readers(self) -> Iterator[Reader]:
        """The accounts of the others that were begun, one after the other."""
        for index in self.folder.all_journals():
            reader = None if index == self.index else begun(self.folder, index)
            if reader is not None:
                try:
                    yield reader
                finally:
                    reader.close()


def note_group(folder: StateFolder, ids: array[int]) -> None:
    """Note what the group held before the upload, unless another has done so: then that holds.

    Raises:
        OSError: It cannot be written.
    """
    with placing_first(folder.group) as place:
        place.write_bytes(ids.tobytes())


def _noted(path: Path) -> array[int] | None:
    """The ids that were noted; None if none were."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return array("q", raw)
    except ValueError as error:
        msg = f"{path} is damaged: take a copy of it that is whole"
        raise JournalError(msg) from error
