"""Which phone of a group is which row that was sent, in O(n) also where all have one number. Pure.

A row and a phone are alike by all that was sent, by their digits, or by the end of those, the
closest way first. Two rows and one phone leave one row without.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.numbers import alike, digits, tail
from asyncsdk.wire.rows import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from asyncsdk.models import CreatedPhone, Phone
    from asyncsdk.wire.rows import Row

__all__ = ["match_found"]

_KEYS: tuple[Callable[[Row | Phone | CreatedPhone], Hashable], ...] = (
    content_of,  # an export cannot tell an empty text from none
    lambda phone: digits(phone.phone or ""),
    lambda phone: tail(phone.phone or ""),
)


def match_found(
    rows: Sequence[Row | Phone], found: Sequence[CreatedPhone]
) -> Iterator[list[CreatedPhone | None]]:
    """For each row a phone of its own, or None, in small steps: the last of them has them all.

    Args:
        rows: What was sent.
        found: The phones in the group that may be theirs.
    """
    matches: list[CreatedPhone | None] = [None] * len(rows)
    taken: set[int] = set()
    for key in _KEYS:
        waiting: dict[Hashable, _Waiting] = defaultdict(_Waiting)
        for place, phone in enumerate(found):
            if place not in taken:
                waiting[key(phone)].add(place, phone)
        yield matches
        for i, row in enumerate(rows):
            if matches[i] is None and (these := waiting.get(key(row))) is not None:
                first = these.take(row, taken)
                if first is not None:
                    taken.add(first)
                    matches[i] = found[first]
            if i % _STEP == 0:
                yield matches
    yield matches


_STEP = 200
"""Rows that are matched in one step."""


@define
class _Waiting:
    """Phones that are alike in one way, by their digits and what was sent to be called back with.

    A phone of another callback is another row's.
    """

    _all: dict[str, deque[int]] = field(factory=dict, init=False)
    """The places of all, in order, by digits."""
    _of: dict[tuple[str, str], deque[int]] = field(factory=dict, init=False)
    """The same, by digits and callback; no callback is an empty one."""
    _spelling: dict[str, str] = field(factory=dict, init=False)
    """A number with these digits."""

    def add(self, place: int, phone: CreatedPhone) -> None:
        """Add a phone; later ones stand behind."""
        number = phone.phone or ""
        known = digits(number)
        self._spelling.setdefault(known, number)
        self._all.setdefault(known, deque()).append(place)
        self._of.setdefault((known, phone.callback_data or ""), deque()).append(place)

    def take(self, row: Row | Phone, taken: set[int]) -> int | None:
        """The place of the first phone that may be this row and is not taken; None without one.

        Those that are taken are let go of.
        """
        firsts = []
        for known, number in self._spelling.items():
            if not alike(row.phone, number):
                continue
            sent = row.callback_data
            queues = (
                (self._of.get((known, sent)), self._of.get((known, "")))
                if sent
                else (self._all[known],)
            )
            for queue in queues:
                while queue and queue[0] in taken:
                    queue.popleft()
                if queue:
                    firsts.append(queue[0])
        return min(firsts, default=None)
