"""Which phone of a group is which row that was sent, in linear time whatever is there. Pure.

A row and a phone are alike by all that was sent, by their digits, or by the end of those, the
closest way first: what agrees in all texts goes before what agrees in the number and the callback
alone. Two rows and one phone leave one row without.

Each phone is filed under everything by which a row may ask for it, so a row finds the first one
that is left without looking at the others.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from asyncsdk.numbers import TAIL, digits
from asyncsdk.wire.rows import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from asyncsdk.models import CreatedPhone, Phone
    from asyncsdk.wire.rows import Row

    Keys = Callable[[Row | Phone | CreatedPhone], Iterator[Hashable]]

__all__ = ["match_found"]

_STEP = 200
"""Phones, or rows, that are looked at in one step."""

_LONGEST = 40
"""Digits of what may be a number behind a prefix: what has more has to be equal."""


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
    for filed, asked in _WAYS:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place, phone in enumerate(found):
            if place not in taken:
                for key in filed(phone):
                    waiting[key].append(place)
            if place % _STEP == 0:
                yield matches
        for i, row in enumerate(rows):
            if matches[i] is None and (first := _first(waiting, asked(row), taken)) is not None:
                taken.add(first)
                matches[i] = found[first]
            if i % _STEP == 0:
                yield matches
    yield matches


def _first(
    waiting: Mapping[Hashable, deque[int]], keys: Iterator[Hashable], taken: set[int]
) -> int | None:
    """The first place under any of these keys that is not taken; those that are, are let go of."""
    firsts = []
    for key in keys:
        places = waiting.get(key)
        while places and places[0] in taken:
            places.popleft()
        if places:
            firsts.append(places[0])
    return min(firsts, default=None)


def _content(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    yield content_of(phone)  # an export cannot tell an empty text from none


def _texts(phone: Row | Phone | CreatedPhone) -> Hashable:
    """All but the number: they tell copies apart whose number the server spells otherwise."""
    return content_of(phone)[1:]


def _number_and_texts(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    yield digits(phone.phone or ""), _texts(phone)


def _filed_by_ending_and_texts(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return ((key, _texts(phone)) for key in _filed_endings(phone))


def _asked_by_ending_and_texts(row: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return ((key, _texts(row)) for key in _asked_endings(row))


def _filed_by_number(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return _filed(digits(phone.phone or ""), phone.callback_data)


def _asked_by_number(row: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return _asked(digits(row.phone or ""), row.callback_data)


def _filed_by_ending(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return (each for key in _filed_endings(phone) for each in _filed(key, phone.callback_data))


def _asked_by_ending(row: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    return (each for key in _asked_endings(row) for each in _asked(key, row.callback_data))


def _filed_endings(phone: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    """Whose number is an ending of this one asks for that ending, and the other way round."""
    number = digits(phone.phone or "")
    yield "whole", number
    for ending in _endings(number):
        yield "ending", ending


def _asked_endings(row: Row | Phone | CreatedPhone) -> Iterator[Hashable]:
    number = digits(row.phone or "")
    yield "ending", number
    for ending in _endings(number):
        yield "whole", ending


def _endings(number: str) -> Iterator[str]:
    """What may be the same number without a prefix."""
    if len(number) <= _LONGEST:
        for at in range(len(number) - TAIL + 1):
            yield number[at:]


def _filed(number: Hashable, callback: str | None) -> Iterator[Hashable]:
    yield number, callback or ""
    yield number, None


def _asked(number: Hashable, callback: str | None) -> Iterator[Hashable]:
    """A row without a callback takes any phone; a phone of another one is another row's."""
    if callback:
        yield number, callback
        yield number, ""
    else:
        yield number, None


_WAYS: tuple[tuple[Keys, Keys], ...] = (
    (_content, _content),
    (_number_and_texts, _number_and_texts),
    (_filed_by_ending_and_texts, _asked_by_ending_and_texts),
    (_filed_by_number, _asked_by_number),
    (_filed_by_ending, _asked_by_ending),
)
"""How they may be alike: under what a phone is filed, and what a row asks for."""
