"""What was entered in a journal and is not written yet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from asyncsdk.ledger.journal.statements import hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.ledger.journal.file import Write

__all__ = ["Pending", "Transaction"]


@frozen
class Transaction:
    """What is to be written at once."""

    writes: list[Write]
    callbacks: list[Callable[[], object]]
    """To be called once it is on disk."""

    def confirm(self) -> None:
        """It is on disk."""
        for call in self.callbacks:
            call()


@define(eq=False)
class Pending:
    """What the next transaction will write."""

    _writes: list[Write] = field(factory=list, init=False)
    _callbacks: list[Callable[[], object]] = field(factory=list, init=False)
    _states: dict[int, tuple[object, ...]] = field(factory=dict, init=False)
    """How far batches came that have no fate yet, by their keys: only the last is worth writing."""

    def put(self, write: Write, then: Callable[[], object] | None = None) -> None:
        """Have this written, and `then` called once it is on disk."""
        self._writes.append(write)
        if then is not None:
            self._callbacks.append(then)

    def hold(self, key: int, state: tuple[object, ...]) -> None:
        """Have it written how far a batch came: the columns of `held`."""
        self._states[key] = state

    def forget(self, key: int) -> None:
        """A batch is held no more."""
        self._states.pop(key, None)

    def take(self) -> Transaction:
        """Everything so far; what is entered from here on is for the next."""
        states = partial(hold, states=list(self._states.values()))
        found = Transaction([*self._writes, states], self._callbacks)
        self._writes, self._callbacks, self._states = [], [], {}
        return found
