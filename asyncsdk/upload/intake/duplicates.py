"""Which numbers came before, and where: about 20 bytes a number, however long its text is."""

from __future__ import annotations

from array import array
from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Seen"]

_SHARDS = 1024
"""Small tables instead of a large one: growing one of them is a short step."""
_SMALLEST = 4
_FULL = 0.7
_GROWTH = 1.5
_LONGEST = 18
"""Digits that fit a key together with the marks that tell texts apart."""
_PLUS = 1 << 61
_HASHED = 1 << 63
_MIX = 0x9E3779B97F4A7C15
"""Spreads keys that follow each other (2^64 divided by the golden ratio)."""
_MASK = (1 << 64) - 1


class Seen:
    """The index at which each number was seen first.

    A number of up to 18 digits, with or without `+`, is its own key, so no other is ever taken for
    it. Other texts are known by 63 bits of their hash: among ten million of them two are taken for
    one with a chance of about 1 in 200,000.
    """

    def __init__(self) -> None:
        self._shards: defaultdict[int, _Shard] = defaultdict(_Shard)

    def first(self, number: str, index: int) -> int:
        """The index at which this number was seen first: this one, if it never was.

        Args:
            number: The text.
            index: Below 2^32.
        """
        return self.add(_key(number), index)

    def add(self, key: int, index: int) -> int:
        """As `first`, of a number that is known by its key (see `keys_at`)."""
        mixed = (key * _MIX & _MASK) >> 22
        return self._shards[mixed % _SHARDS].first(key, mixed >> 10, index)

    def keys_at(self, index: int) -> Iterator[array[int]]:
        """The keys of the numbers that were seen first at this index, in many small parts."""
        return (array("Q", shard.at(index)) for shard in self._shards.values())

    def find(self, number: str) -> int | None:
        """The index at which this number was seen, if it was."""
        key = _key(number)
        mixed = (key * _MIX & _MASK) >> 22
        return self._shards[mixed % _SHARDS].find(key, mixed >> 10)

    @property
    def size(self) -> int:
        """Bytes it takes, but for a few fixed ones."""
        return sum(len(shard.keys) * 12 for shard in self._shards.values())


@define(eq=False)
class _Shard:
    """A hash table with open addressing: a key of 8 bytes and an index of 4 in each slot."""

    keys: array[int] = field(factory=lambda: array("Q", bytes(8 * _SMALLEST)))
    indices: array[int] = field(factory=lambda: array("I", bytes(4 * _SMALLEST)))
    used: int = 0

    def first(self, key: int, start: int, index: int) -> int:
        """As `Seen.first`; `start` is any number that is always the same for a key."""
        if self.used >= len(self.keys) * _FULL:
            self._grow()
        at = self._slot(key, start)
        if self.keys[at] == key:
            return self.indices[at]
        self.keys[at], self.indices[at] = key, index
        self.used += 1
        return index

    def find(self, key: int, start: int) -> int | None:
        """As `Seen.find`; `start` as in `first`."""
        at = self._slot(key, start)
        return self.indices[at] if self.keys[at] == key else None

    def at(self, index: int) -> Iterable[int]:
        """The keys with this index."""
        found = zip(self.keys, self.indices, strict=True)
        return (key for key, first in found if key and first == index)

    def _slot(self, key: int, start: int) -> int:
        """Where a key is, or would be; no key is 0, which marks a slot that is free."""
        keys, size = self.keys, len(self.keys)
        at = start % size
        while keys[at] not in (0, key):
            at = at + 1 if at + 1 < size else 0
        return at

    def _grow(self) -> None:
        old = zip(self.keys, self.indices, strict=True)
        size = int(len(self.keys) * _GROWTH) + 1
        self.keys, self.indices = array("Q", bytes(8 * size)), array("I", bytes(4 * size))
        for key, index in old:
            if key:
                at = self._slot(key, (key * _MIX & _MASK) >> 32)
                self.keys[at], self.indices[at] = key, index


def _key(number: str) -> int:
    """64 bits, never 0. Journals hold them: another version must make the same ones."""
    plus = number[:1] == "+"
    digits = number[1:] if plus else number
    if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST:
        # A leading 1 keeps leading zeros; the lengths differ by it, too.
        return int("1" + digits) | (_PLUS if plus else 0)
    hashed = blake2b(number.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed) | _HASHED
