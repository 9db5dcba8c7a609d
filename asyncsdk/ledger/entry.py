"""The unit of account: rows that shared a request and a fate, as compact bytes.

Keeping an object for every phone would cost more in garbage collection than in memory, so an
entry holds what went over the wire and is decoded when somebody looks at it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from heapq import merge
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Protocol, overload

import msgspec
from attrs import evolve

from asyncsdk.results import Delivery, Outcome, PhoneResult
from asyncsdk.value import Value
from asyncsdk.wire.batch import decode_member, decode_members, encode_members, raw_members
from asyncsdk.wire.rows import decode_phones, encode_rows, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asyncsdk.models import Phone, Problem
    from asyncsdk.wire.batch import BatchMember

__all__ = ["Decodable", "Entry", "Results"]

_decode_texts = msgspec.json.Decoder(list[str]).decode


class Entry(Value, frozen=True, eq=False):
    """Rows of one batch with the same outcome and delivery."""

    outcome: Outcome
    delivery: Delivery
    indices: Sequence[int]
    """Positions in the source, ascending; a `range` where they have no gaps."""
    phones: bytes
    """The rows as sent: a JSON array, one item per index."""
    submitted: bytes | None = None
    """The numbers as submitted (a JSON array), where normalising changed any."""
    members: bytes | None = None
    """The server's members for these rows, in their order; None where all share `problem`."""
    status: int | None = None
    """The status that all rows share, where there are no members."""
    problem: Problem | None = None
    """The problem that all rows share, where there are no members."""
    attempts: int = 0
    request_id: str | None = None
    batch: int | None = None
    """The key of the batch that has exactly these rows; None for a part of one."""

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def first(self) -> int:
        """The first of its indices."""
        return self.indices[0]

    @property
    def last(self) -> int:
        """The last of its indices."""
        return self.indices[-1]

    def after(self, count: int) -> Entry:
        """The same without its first rows."""
        texts = _decode_texts(self.submitted)[count:] if self.submitted else None
        members = raw_members(self.members)[count:] if self.members else None
        return self.changed(
            indices=self.indices[count:],
            phones=encode_rows(rows_of(decode_phones(self.phones)[count:])),
            submitted=None if texts is None else msgspec.json.encode(texts),
            members=None if members is None else encode_members(members),
            batch=None,
        )

    def results(self) -> list[PhoneResult]:
        """One result per row, ascending by index."""
        sent = decode_phones(self.phones)
        if len(sent) != len(self.indices):
            msg = "there are not as many phones as indices"
            raise ValueError(msg)
        phones = sent
        if self.submitted is not None:
            texts = _decode_texts(self.submitted)
            phones = [evolve(p, phone=text) for p, text in zip(sent, texts, strict=True)]
        members = None if self.members is None else decode_members(self.members)
        if members is not None and len(members) != len(sent):
            msg = "there are not as many members as phones"
            raise ValueError(msg)
        return [
            self._result(i, phones[i], sent[i].phone, None if members is None else members[i])
            for i in range(len(self.indices))
        ]

    def result(self, place: int) -> PhoneResult:
        """One of the results, of which no other is made."""
        sent = decode_phones(self.phones)[place]
        phone, member = sent, None
        if self.submitted is not None:
            phone = evolve(sent, phone=_decode_texts(self.submitted)[place])
        if self.members is not None:
            member = decode_member(raw_members(self.members)[place])
        return self._result(place, phone, sent.phone, member)

    def _result(
        self, place: int, phone: Phone, number: str, member: BatchMember | None
    ) -> PhoneResult:
        return PhoneResult(
            index=self.indices[place],
            phone=phone,
            outcome=self.outcome,
            status=self.status if member is None else member.status,
            created=None if member is None else member.created,
            error=self.problem if member is None else member.problem,
            delivery=self.delivery,
            attempts=self.attempts,
            request_id=self.request_id,
            number=number,
        )


class Decodable(Protocol):
    """An entry, or what stands for one that is on disk."""

    @property
    def first(self) -> int:
        """As `Entry.first`."""

    @property
    def last(self) -> int:
        """As `Entry.last`."""

    def __len__(self) -> int: ...
    def results(self) -> list[PhoneResult]:
        """As `Entry.results`."""


class Results(Sequence[PhoneResult]):
    """The results of many entries, in source order, decoded as they are looked at.

    Iterating decodes each entry once. Entries whose indices interleave (after a resend or a
    split) are merged.

    Args:
        find: Gives the entries, when they are first asked for.
    """

    def __init__(self, find: Callable[[], Iterable[Decodable]]) -> None:
        self._find = find
        self._decoded: dict[int, list[PhoneResult]] = {}
        """The results of the clusters looked at last."""
        self._looked_at = -1

    @cached_property
    def _clusters(self) -> list[list[Decodable]]:
        return _clustered(sorted(self._find(), key=attrgetter("first")))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(sum(map(len, cluster)) for cluster in self._clusters))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> PhoneResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[PhoneResult]: ...
    def __getitem__(self, index: int | slice) -> PhoneResult | list[PhoneResult]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            msg = f"there are {len(self)} results"
            raise IndexError(msg)
        cluster = bisect_right(self._ends, position)
        start = self._ends[cluster - 1] if cluster else 0
        return self._at(cluster, position - start)

    def __iter__(self) -> Iterator[PhoneResult]:
        for cluster in self._clusters:
            yield from _merged(cluster)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} results>"

    def __reduce__(self) -> tuple[object, ...]:
        return _results_of, ([entry for cluster in self._clusters for entry in cluster],)

    def _at(self, cluster: int, place: int) -> PhoneResult:
        """One result: alone at the first look into a cluster, with all of it at the next one."""
        entry, *others = self._clusters[cluster]
        first_look, self._looked_at = cluster != self._looked_at, cluster
        known = cluster in self._decoded
        if first_look and not known and not others and isinstance(entry, Entry):
            return entry.result(place)
        return self._decode(cluster)[place]

    def _decode(self, cluster: int) -> list[PhoneResult]:
        found = self._decoded.get(cluster)
        if found is None:
            if len(self._decoded) > 1:
                self._decoded.pop(next(iter(self._decoded)), None)
            found = self._decoded[cluster] = list(_merged(self._clusters[cluster]))
        return found


def _results_of(entries: list[Decodable]) -> Results:
    return Results(lambda: entries)


def _clustered(entries: list[Decodable]) -> list[list[Decodable]]:
    """Entries, sorted by their first index, cut into clusters whose indices do not interleave."""
    clusters: list[list[Decodable]] = []
    last = -1
    for entry in entries:
        if clusters and entry.first < last:
            clusters[-1].append(entry)
        else:
            clusters.append([entry])
        last = max(last, entry.last)
    return clusters


def _merged(cluster: list[Decodable]) -> Iterator[PhoneResult]:
    if len(cluster) == 1:
        return iter(cluster[0].results())
    return merge(*(entry.results() for entry in cluster), key=attrgetter("index"))
