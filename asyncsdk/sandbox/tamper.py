"""Faults inside a batch reply: rows that fail, and members that do not fit the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from asyncsdk.sandbox.replies import Member
from asyncsdk.sandbox.store import StoredPhone

if TYPE_CHECKING:
    import random

    from asyncsdk.sandbox.replies import Replies

__all__ = ["Tamper"]

_SHARE = 0.3  # of a batch is hit, and at least one

_ITEM_STATUS = {"item-429": 429, "item-503": 503, "item-500": 500, "item-500-after": 500}


class Tamper:
    """Spoils batches by the name of a fault; names it does not know leave them alone."""

    def __init__(self, replies: Replies, chance: random.Random) -> None:
        self._replies = replies
        self._chance = chance

    def spoilt_rows(self, fault: str | None, count: int) -> dict[int, tuple[int, bool]]:
        """Which of the rows fail, with which status, and whether they are stored all the same."""
        status = _ITEM_STATUS.get(fault or "")
        if status is None:
            return {}
        return dict.fromkeys(self._some(count), (status, fault == "item-500-after"))

    def members(self, fault: str | None, members: list[Member]) -> list[Member]:
        """The members that the reply holds in the end."""
        match fault:
            case "few":
                lost = set(self._some(len(members)))
                return [member for i, member in enumerate(members) if i not in lost]
            case "many":
                return members + [self._alien() for _ in self._some(len(members))]
            case "alien":
                hit = set(self._some(len(members)))
                return [self._alien() if i in hit else m for i, m in enumerate(members)]
            case "reorder":
                return self._reordered(members)
            case "no-echo":
                return [Member(member.status, UNSET) for member in members]
            case _:
                return members

    def _some(self, count: int) -> list[int]:
        return self._chance.sample(range(count), max(1, int(count * _SHARE))) if count else []

    def _alien(self) -> Member:
        number = f"+999{self._chance.randrange(10**12):012}"  # no country has 999
        phone_id = self._chance.randrange(10**9, 10**10)
        return self._replies.member(201, StoredPhone(phone_id, 0, number))

    def _reordered(self, members: list[Member]) -> list[Member]:
        shuffled = self._chance.sample(members, len(members))
        same = all(a is b for a, b in zip(shuffled, members, strict=True))
        return members[::-1] if same else shuffled
