"""Phones whose fate is unknown are looked up in the group.

What was in the group before the upload is not its own, so the ids there are noted before the first
batch leaves: one reading of the export, unless the group says that it is empty. A phone found later
counts for this upload only if its id is neither among those nor among the ids that the server
answered. Costs: that reading, 8 bytes for each phone of the group and for each created one, and
one reading per look.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from asyncsdk.errors import AsyncSDKError
from asyncsdk.models import COLUMNS, Problem
from asyncsdk.numbers import alike, digits, tail
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.patience import patiently
from asyncsdk.upload.verdict.settlement import Settlement
from asyncsdk.wire.batch import encode_members, member_of_created

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from asyncsdk.config import RetryPolicy
    from asyncsdk.models import CreatedPhone
    from asyncsdk.upload.intake.batches import Batch
    from asyncsdk.wire.batch import Row

__all__ = ["GroupView", "Reconciler"]
_NOT_THERE = Problem("Not stored", "the group does not have this phone")
_KEYS = (
    lambda phone: (phone.phone, *_texts(phone)),
    lambda phone: digits(phone.phone),
    lambda phone: tail(phone.phone),
)
"""How a sent phone and one found in the group may be alike, the closest way first."""


class GroupView(Protocol):
    """What is asked of the group."""

    async def count(self) -> int | None:
        """How many phones it holds; None if the server does not say."""

    def phones(self) -> AsyncGenerator[CreatedPhone, None]:
        """All its phones."""


@define(eq=False)
class Reconciler:
    """Tells which phones of unknown fate are in the group."""

    view: GroupView
    policy: RetryPolicy
    quiet_period: float
    """Seconds that the group must stand still before it is looked at."""
    answered: Callable[[set[int]], Awaitable[tuple[set[int], Counter[str]]]]
    """Tells which of some ids the server answered, and the numbers it created without an id."""
    before: array[int] = field(factory=lambda: array("q"), init=False)
    """The ids in the group before the upload, in order."""
    doing: str = field(default="", init=False)
    """What it does now, for whoever watches."""
    found: str = field(default="", init=False)
    """What it found the last time that it looked."""

    async def begin(self) -> None:
        """Note what is in the group before anything is sent.

        Raises:
            AsyncSDKError: The group cannot be read.
        """
        with self._telling("reading the group, to know what it has already"):
            if await patiently(self.policy, self.view.count) != 0:
                self.before = await patiently(self.policy, self._ids)

    async def look(self, unknown: list[Batch]) -> Settlement:
        """Tell which of these rows are in the group: those are created, the others go out again.

        Where the group does not come to rest, or cannot be read, they stay unknown.
        """
        phones = f"{sum(map(len, unknown)):,}"
        waits = f"{phones} without an answer: waiting until the group is quiet for"
        try:
            with self._telling(f"{waits} {self.quiet_period:g} s"):
                quiet = await self._at_rest()
            if quiet:
                with self._telling(f"{phones} without an answer: looking for them in the group"):
                    found = await patiently(self.policy, lambda: self._find(unknown))
                return self._settle(unknown, found)
            why = Problem("Outcome unknown", "the group did not come to rest, so it was not read")
        except AsyncSDKError as error:
            why = Problem("Outcome unknown", f"the group could not be read: {error}")
        return Settlement([batch.because(why).failed(Delivery.UNKNOWN) for batch in unknown])

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        self.doing = what
        try:
            yield
        finally:
            self.doing = ""

    async def _at_rest(self) -> bool:
        """Wait until the group's count stands still for the quiet period."""
        waited = 0.0
        last = await patiently(self.policy, self.view.count)
        while True:
            await asyncio.sleep(self.quiet_period)
            waited += self.quiet_period
            count = await patiently(self.policy, self.view.count)
            if count == last:
                return True
            if waited > self.policy.max_wait:
                return False
            last = count

    async def _ids(self) -> array[int]:
        ids = array("q")
        async with aclosing(self.view.phones()) as phones:
            async for phone in phones:
                if phone.id is not None:
                    ids.append(phone.id)
        return _in_order(ids)

    async def _find(self, unknown: list[Batch]) -> list[CreatedPhone]:
        """The phones in the group that are new, answer no other request, and may be wanted."""
        wanted = {tail(row.phone) for batch in unknown for row in batch.rows}
        candidates = []
        async with aclosing(self.view.phones()) as phones:
            async for phone in phones:
                if phone.phone is None or _has(self.before, phone.id):
                    continue
                if tail(phone.phone) in wanted:
                    candidates.append(phone)
        answered, numbers = await self.answered({p.id for p in candidates if p.id is not None})
        nameless: Counter[str] = Counter()
        for number, times in numbers.items():
            nameless[tail(number)] += times
        found = []
        for phone in candidates:
            key = tail(phone.phone or "")
            if phone.id in answered:
                continue
            if nameless[key]:
                nameless[key] -= 1
            else:
                found.append(phone)
        return found

    def _settle(self, unknown: list[Batch], found: list[CreatedPhone]) -> Settlement:
        rows = [row for batch in unknown for row in batch.rows]
        matched = _matched(rows, found)
        matches = iter(matched)
        settlement = Settlement()
        for batch in unknown:
            there = [next(matches) for _ in batch.rows]
            stored = [i for i, phone in enumerate(there) if phone is not None]
            missing = [i for i, phone in enumerate(there) if phone is None]
            if stored:
                members = encode_members(member_of_created(there[i]) for i in stored)  # type: ignore[arg-type]
                part = batch.take(stored)
                entry = part.entry(Outcome.CREATED, Delivery.ANSWERED, members=members)
                settlement.entries.append(entry)
            if missing:
                self._resend(batch.take(missing), settlement)
        there_now = sum(match is not None for match in matched)
        self.found = f"{there_now:,} of {len(rows):,} phones without an answer were in the group"
        return settlement

    def _resend(self, batch: Batch, settlement: Settlement) -> None:
        """Rows that are certainly not in the group go out again, within the policy."""
        batch.doubtful = False
        batch.failures += 1
        if batch.failures >= self.policy.attempts:
            settlement.entries.append(batch.because(_NOT_THERE).failed(Delivery.NOT_SENT))
        else:
            settlement.again.append(batch)


def _matched(rows: list[Row], found: list[CreatedPhone]) -> list[CreatedPhone | None]:
    """For each row a phone of its own, or None: two rows and one phone leave one row without."""
    matches: list[CreatedPhone | None] = [None] * len(rows)
    for key in _KEYS:
        waiting: dict[object, deque[CreatedPhone]] = defaultdict(deque)
        for phone in found:
            waiting[key(phone)].append(phone)
        for i, row in enumerate(rows):
            candidates = waiting.get(key(row)) or deque()
            fits = (phone for phone in candidates if matches[i] is None and _may_be(row, phone))
            if (match := next(fits, None)) is not None:
                candidates.remove(match)
                matches[i] = match
        found = [phone for phones in waiting.values() for phone in phones]
    return matches


def _may_be(row: Row, phone: CreatedPhone) -> bool:
    """Whether a phone in the group may be this row: of another callback it is another row's."""
    told, found = row.callback_data, phone.callback_data
    return alike(row.phone, phone.phone or "") and (not told or not found or told == found)


def _texts(phone: Row | CreatedPhone) -> Iterator[str | None]:
    """Columns and callback data; the export cannot tell an empty text from none."""
    return (getattr(phone, name) or None for name in (*COLUMNS, "callback_data"))


def _in_order(ids: array[int]) -> array[int]:
    return array("q", sorted(ids))


def _has(ids: array[int], wanted: int | None) -> bool:
    if wanted is None:
        return False
    place = bisect_left(ids, wanted)
    return place < len(ids) and ids[place] == wanted
