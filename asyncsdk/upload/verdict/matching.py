"""Which member of a reply answers which row of its batch, in O(n). Pure.

By position where the reply has as many members as rows, or names their positions, unless the echoed
numbers say that the order differs; otherwise by what is echoed. A number that the server
reformatted is no mismatch. Copies of one number are told apart by their columns.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from asyncsdk.numbers import alike, digits, tail
from asyncsdk.wire.rows import content_of, encode_rows, numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from collections.abc import Set as AbstractSet

    from asyncsdk.models import CreatedPhone
    from asyncsdk.wire.batch import BatchReply
    from asyncsdk.wire.rows import Row

__all__ = ["match"]


class Sent(Protocol):
    """What was sent: a batch."""

    @property
    def numbers(self) -> bytes:
        """The number of each row, a JSON array."""

    @property
    def rows(self) -> list[Row]:
        """The rows, made when they are asked for."""


Places = list[int | None]
"""For each row the place of its member in the reply, or None."""


def match(batch: Sent, reply: BatchReply) -> Places | None:
    """The place of each row's member; None for a row that the reply does not answer.

    Returns:
        None as a whole where every member stands at its row's position, which is nearly always.
    """
    echoes = reply.echoes
    in_order = reply.positions is None and encode_rows(echoes) == batch.numbers
    if in_order and len(set(echoes)) == len(echoes):
        return None
    places = _claimed(reply, len(batch.rows))
    lost = list(_astray(batch, reply, places))
    if lost:
        _rematch(batch.rows, reply, places, lost)
    return None if places == list(range(len(echoes))) else places


def _claimed(reply: BatchReply, rows: int) -> Places:
    """The places that the reply itself claims: by its keys, or by its order if it is complete."""
    positions = reply.positions
    complete = len(reply.echoes) == rows
    if complete and (positions is None or max(positions, default=0) >= rows):
        return list(range(rows))  # keys with gaps, but a member for each row, are in order too
    places: Places = [None] * rows
    for place, row in enumerate(positions or ()):
        if row < rows:
            places[row] = place
    return places


def _astray(batch: Sent, reply: BatchReply, places: Places) -> Iterator[int]:
    """The rows whose claimed member is another's, or of which it is not certain."""
    numbers = numbers_of(batch.rows)
    echoes = [None if place is None else reply.echoes[place] for place in places]
    known = set(numbers)
    others = {
        i: echo
        for i, (echo, number) in enumerate(zip(echoes, numbers, strict=True))
        if echo is not None and echo != number
    }
    alien = {i: echo for i, echo in others.items() if not alike(echo, numbers[i])}
    moved = not known.isdisjoint(others.values()) or (
        bool(alien) and not set(map(tail, numbers)).isdisjoint(map(tail, alien.values()))
    )
    ends = numbers if echoes == numbers or not any(echoes) else list(map(tail, numbers))
    copies = len(set(ends)) < len(ends)
    swapped, more = _swapped_copies(batch.rows, ends, reply, places) if copies else (set(), False)
    moved = moved or more
    for i, (place, echo) in enumerate(zip(places, echoes, strict=True)):
        other = echo != numbers[i]  # also where it is none
        if place is None or i in swapped or i in alien or (moved and other):
            yield i


def _swapped_copies(
    rows: list[Row], ends: list[str], reply: BatchReply, places: Places
) -> tuple[AbstractSet[int], bool]:
    """The rows whose claimed member repeats a copy of theirs: the same number with other columns.

    Args:
        rows: What was sent.
        ends: What all spellings of each number share.
        reply: What came back.
        places: The places that the reply claims.

    Returns:
        The rows; and whether one of the members says what its row has not: then the order is
        another for certain, and it is no echo that leaves columns out.
    """
    times = Counter(ends)
    contents = {i: _content(rows[i]) for i, end in enumerate(ends) if times[end] > 1}
    repeated, swapped, more = set(contents.values()), set(), False
    for i, sent in contents.items():
        place = places[i]
        if place is None or reply.echoes[place] is None:
            continue
        echoed = _content(reply.echo(place))
        if echoed != sent and echoed in repeated:
            swapped.add(i)
            more = more or any(text and text != own for text, own in zip(echoed, sent, strict=True))
    return swapped, more


def _content(phone: Row | CreatedPhone) -> tuple[str | None, ...]:
    """All the fields of a row, where all spellings of its number are one."""
    number, *texts = content_of(phone)
    return (tail(number or ""), *texts)


def _rematch(rows: list[Row], reply: BatchReply, places: Places, lost: list[int]) -> None:
    """Find the lost rows among the members that answer no other row."""
    for row in lost:
        places[row] = None
    free = sorted(set(range(len(reply.echoes))).difference(p for p in places if p is not None))
    keys: list[Callable[[Row | CreatedPhone], Hashable]] = [
        content_of,
        _content,
        lambda phone: phone.phone,
        lambda phone: digits(phone.phone or ""),
        lambda phone: tail(phone.phone or ""),
    ]
    loud = {place: reply.echo(place) for place in free if reply.echoes[place] is not None}
    for key in keys:
        _pair({row: rows[row] for row in lost if places[row] is None}, loud, key, places)
    _deal([place for place in free if reply.echoes[place] is None], reply, places)


def _pair(
    rows: dict[int, Row],
    free: dict[int, CreatedPhone],
    key: Callable[[Row | CreatedPhone], Hashable],
    places: Places,
) -> None:
    """Pair rows and free members of the same key, first come first served."""
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for place, echo in free.items():
        waiting[key(echo)].append(place)
    for row, sent in rows.items():
        found = waiting.get(key(sent))
        if found:
            place = found.popleft()
            places[row] = place
            del free[place]


def _deal(silent: list[int], reply: BatchReply, places: Places) -> None:
    """Members that echo nothing may belong to any row left over.

    Where there is one for each such row, and all of them say the same, it does not matter which.
    """
    orphans = [row for row, place in enumerate(places) if place is None]
    if len(orphans) == len(silent) and len({reply.statuses[place] for place in silent}) == 1:
        for row, place in zip(orphans, silent, strict=True):
            places[row] = place
