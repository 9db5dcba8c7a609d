"""A ledger in memory, which ends with the process."""

from __future__ import annotations

import asyncio
from array import array
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.interface import Ledger
from asyncsdk.ledger.run import Counts
from asyncsdk.results import Outcome
from asyncsdk.wire.batch import decode_ids
from asyncsdk.wire.rows import decode_phones

if TYPE_CHECKING:
    from asyncsdk.models import Phone

__all__ = ["MemoryLedger"]

_STEP = 100_000
"""Ids that are looked through at once."""
_NONE = Results(tuple)


@define(eq=False)
class _Ids:
    """The ids of created phones."""

    ids: array[int] = field(factory=partial(array, "q"))
    without: list[Phone] = field(factory=list)
    """Those that the server created without telling their ids."""

    def add(self, members: bytes, phones: bytes) -> None:
        """Note those of a reply, and the phones that have none."""
        ids = decode_ids(members)
        if None in ids:
            sent = decode_phones(phones)
            self.without += [p for p, known in zip(sent, ids, strict=True) if known is None]
        self.ids.extend(known for known in ids if known is not None)

    async def answered(self, wanted: set[int]) -> tuple[set[int], list[Phone]]:
        """As `Ledger.answered`."""
        found: set[int] = set()
        for start in range(0, len(self.ids), _STEP):
            found |= wanted.intersection(self.ids[start : start + _STEP])
            await asyncio.sleep(0)
        return found, list(self.without)


@define(eq=False)
class MemoryLedger(Ledger):
    """Entries in lists, one list per outcome."""

    keep_created: bool = True
    keep_ids: bool = False
    """Whether to remember the ids of created phones, whatever else is kept."""
    counts: Counts = field(factory=Counts)
    _entries: dict[Outcome, list[Entry]] = field(factory=dict, repr=False)
    _noted: _Ids | None = field(default=None, init=False, repr=False)

    def count(self, entry: Entry) -> None:
        self.counts.add(entry)
        if self.keep_ids and entry.outcome is Outcome.CREATED and entry.members is not None:
            self._noted = self._noted or _Ids()
            self._noted.add(entry.members, entry.phones)

    def retain(self, entry: Entry) -> None:
        if self.keep_created or entry.outcome is not Outcome.CREATED:
            self._entries.setdefault(entry.outcome, []).append(entry)

    def results(self, outcome: Outcome) -> Results:
        entries = self._entries.get(outcome)
        return _NONE if entries is None else Results(partial(tuple, tuple(entries)))

    async def answered(self, wanted: set[int]) -> tuple[set[int], list[Phone]]:
        return (set(), []) if self._noted is None else await self._noted.answered(wanted)
