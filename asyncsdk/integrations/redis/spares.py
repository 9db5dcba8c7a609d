"""Permits that came along with another, for whoever of this process asks next."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.integrations.redis.permit import Permit

if TYPE_CHECKING:
    from asyncsdk.integrations.redis.permit import Fence

__all__ = ["Spares"]

_MOST = 100


@define(eq=False)
class Spares:
    """Some at a time, so that a fast client does not ask for each; they hold no longer than others.

    Args:
        valid: Seconds for which a permit holds.
    """

    valid: float
    _left: list[Permit] = field(factory=list)
    _asked: float = -inf
    _taken: int = 0
    """Permits since it was asked for some."""

    def take(self, key: str, fence: Fence | None, now: float) -> Permit | None:
        """One that still holds, for these credentials and this run, if there is one."""
        if not self._left or self._left[-1].expires < now:
            return None
        last = self._left[-1]
        if last.key != key or last.fence != fence:
            return None
        self._taken += 1
        return self._left.pop()

    def wanted(self, now: float) -> int:
        """How many will be used while a permit holds, by how many were lately."""
        taken, since = self._taken + 1, max(now - self._asked, self.valid)
        self._taken, self._asked = 0, now
        return min(int(taken * self.valid / since), _MOST)

    def keep(self, permit: Permit, count: int) -> None:
        """So many came with this one."""
        if not count:
            return
        self._left = [
            Permit(f"{permit.id}+{number}", permit.key, permit.fence, permit.expires)
            for number in range(1, count + 1)
        ]

    def drop(self) -> None:
        """Something may keep them from leaving: whoever comes next has to ask."""
        self._left = []
