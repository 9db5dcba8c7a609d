"""What the group holds before an upload sends anything: one reading of its export for all who ask.

A reconcile asks for the ids, so that it never takes those phones for its own; an upload that skips
what is there asks for the numbers. A journal keeps both, for a later run would find its own phones,
too.
"""

from __future__ import annotations

import asyncio
from array import array
from contextlib import aclosing
from functools import partial
from heapq import merge
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Protocol

from attrs import define, evolve, field

from asyncsdk.errors import JournalError
from asyncsdk.upload.sharing import Steps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.ledger.interface import Resumed
    from asyncsdk.models import CreatedPhone
    from asyncsdk.pace.retrying import Retrying
    from asyncsdk.upload.intake.skipping import Skipping
    from asyncsdk.upload.part import Neighbours

__all__ = ["Baseline", "GroupView"]

_STEP = 1000
"""Numbers that are taken from a journal, or put in order, at once."""

_RUN = 10_000
"""Ids that are sorted at once: a millisecond or two."""


class GroupView(Protocol):
    """What is asked of the group, with one request each."""

    async def count(self, attempt: Attempt) -> int | None:
        """How many phones it holds; None if the server does not say."""

    def phones(self, attempt: Attempt) -> AsyncGenerator[CreatedPhone, None]:
        """All its phones."""


@define(eq=False)
class Baseline:
    """Reads ids and numbers of the group, or takes them from a journal.

    Args:
        view: The group.
        retrying: How often and how patiently it is asked.
        skipping: Wants to know the numbers; None where nobody does.
        neighbours: The other parts of the upload: what the group held is noted once for all.
    """

    view: GroupView
    retrying: Retrying
    skipping: Skipping | None
    neighbours: Neighbours | None = None
    reading: bool = field(default=False, init=False)
    """Whether the group is being read."""

    async def restore(self, resumed: Resumed) -> None:
        """Know the numbers that an earlier run found; before rows that it read are read again.

        Raises:
            JournalError: It read rows without looking which are in the group: now its own are.
        """
        if self.skipping is None or resumed.exhausted:
            return
        if resumed.existing is None and resumed.read:
            msg = (
                "the journal was begun with existing='send', and what it sent cannot be told from "
                "what the group held before: go on with existing='send'"
            )
            raise JournalError(msg)
        known = resumed.existing or array("Q")
        for at in range(0, len(known), _STEP):
            self.skipping.restore(known[at : at + _STEP])
            await asyncio.sleep(0)

    def is_lost(self, resumed: Resumed) -> bool:
        """Whether nobody knows which ids the group held before an earlier run sent something."""
        return resumed.baseline is None and self.neighbours is None

    def to_read(self, resumed: Resumed, *, ids: bool) -> bool:
        """Whether `read` asks the group; arguments as there."""
        return (ids and resumed.baseline is None) or self._wanted(resumed) is not None

    def _wanted(self, resumed: Resumed) -> Skipping | None:
        """What wants the numbers that no earlier run has noted, if there are rows to be read."""
        noted = resumed.existing is not None or resumed.exhausted
        return None if noted else self.skipping

    async def read(self, resumed: Resumed, *, ids: bool) -> array[int]:
        """Read what no earlier run has noted; returns the ids, in order.

        Args:
            resumed: What an earlier run noted.
            ids: Whether these are wanted.

        Raises:
            AsyncSDKError: The group cannot be read.
        """
        if ids and self.neighbours is not None:
            look = partial(self._look, evolve(resumed, baseline=None), ids=True)
            return await self.neighbours.before(look, sent=resumed.read > 0)
        return await self._look(resumed, ids=ids)

    async def _look(self, resumed: Resumed, *, ids: bool) -> array[int]:
        found = resumed.baseline or array("q")
        if not self.to_read(resumed, ids=ids):
            return found
        wants_ids, numbers = ids and resumed.baseline is None, self._wanted(resumed)
        self.reading = True
        try:
            # Who asks for the ids asks a group that is empty, more often than not.
            if not wants_ids or await self.retrying.call(self.view.count, idempotent=True) != 0:
                read = await self.retrying.call(
                    lambda attempt: self._read(attempt, numbers, ids=wants_ids), idempotent=True
                )
                found = read if wants_ids else found
        finally:
            self.reading = False
        return found

    async def _read(self, attempt: Attempt, numbers: Skipping | None, *, ids: bool) -> array[int]:
        """The ids, if wanted; what an export has before it breaks off is in the group as well."""
        found = array("q")
        steps = Steps(asyncio.get_running_loop().time)
        left = steps.begin()
        async with aclosing(self.view.phones(attempt)) as phones:
            async for phone in phones:
                if ids and phone.id is not None:
                    found.append(phone.id)
                if numbers is not None and phone.phone:
                    numbers.add_existing(phone.phone)
                left -= 1
                if not left:
                    if steps.end():
                        await asyncio.sleep(0)
                    left = steps.begin()
        return await _in_order(found)

    async def existing(self) -> array[int] | None:
        """The numbers that were found, for `restore`; None where nobody asked for them."""
        if self.skipping is None:
            return None
        found = array("Q")
        for some in self.skipping.existing():
            found.extend(some)
            await asyncio.sleep(0)
        return found


async def _in_order(ids: array[int]) -> array[int]:
    """The ids in order, as an export nearly always has them; others run meanwhile."""
    runs = []
    for at in range(0, len(ids), _RUN):
        runs.append(array("q", sorted(ids[at : at + _RUN])))
        await asyncio.sleep(0)
    if all(one[-1] <= other[0] for one, other in pairwise(runs)):
        return array("q", b"".join(runs))
    ordered, merged = array("q"), merge(*runs)
    while some := array("q", islice(merged, _STEP)):
        ordered.extend(some)
        await asyncio.sleep(0)
    return ordered
