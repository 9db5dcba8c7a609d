"""The provider's answer to guessing keys.

More than three requests with wrong credentials from one IP within a minute make all its later
requests answer 429 for ten minutes, whatever key they bring.
"""

from __future__ import annotations

from collections import defaultdict, deque

__all__ = ["Lockout"]

TOLERATED = 3
WINDOW = 60.0
PENALTY = 600.0
_ADDRESSES = 10_000
"""Of which guesses are remembered at once."""


class Lockout:
    """Who guessed how often, and who is locked out. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._guesses: defaultdict[str, deque[float]] = defaultdict(deque)
        self._until: dict[str, float] = {}

    def locked(self, ip: str, now: float) -> bool:
        """Whether this address is to be refused."""
        return now < self._until.get(ip, now)

    def guessed(self, ip: str, now: float) -> None:
        """Note wrong credentials; a request without any is no guess."""
        if len(self._guesses) >= _ADDRESSES and ip not in self._guesses:
            self._forget(now)
        guesses = self._guesses[ip]
        guesses.append(now)
        while now - guesses[0] >= WINDOW:
            guesses.popleft()
        if len(guesses) > TOLERATED:
            self._until[ip] = now + PENALTY
            guesses.clear()

    def _forget(self, now: float) -> None:
        """Forget those that have not guessed lately, and if need be the others, too."""
        locked = {ip: until for ip, until in self._until.items() if now < until}
        recent = {ip: g for ip, g in self._guesses.items() if g and now - g[-1] < WINDOW}
        self._until = locked if len(locked) < _ADDRESSES else {}
        self._guesses.clear()
        if len(recent) < _ADDRESSES:
            self._guesses.update(recent)
