"""What a forked process must not take along: locks, and connections to SQLite.

A file lock lives as long as any process has the file open that it was taken with, and SQLite must
not be used, nor closed, on the other side of a fork. So a fork waits until nobody is amid a
statement, and the child lets go of all that the parent holds.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from attrs import define, field

if TYPE_CHECKING:
    import sqlite3

__all__ = ["abandon", "hold_readers", "hold_writers"]


class Held(Protocol):
    """What a process holds, and its forks must not."""

    @property
    def mutex(self) -> Lock:
        """Locked while a thread is amid a statement."""

    def forsake(self) -> None:
        """Let go in the child, without touching what the parent has."""


@define(eq=False)
class _Forks:
    """All that is held, and what is locked while a fork is under way."""

    # Writers come first, because a thread that writes may look at a reader, never the reverse.
    writers: WeakSet[Held] = field(factory=WeakSet)
    readers: WeakSet[Held] = field(factory=WeakSet)
    _one_at_a_time: Lock = field(factory=Lock)
    _locked: list[Lock] = field(factory=list)

    def before(self) -> None:
        """Wait until nobody is amid a statement, and let nobody begin one."""
        self._one_at_a_time.acquire()
        for held in (*self.writers, *self.readers):
            held.mutex.acquire()
            self._locked.append(held.mutex)

    def in_parent(self) -> None:
        """Go on."""
        for mutex in self._locked:
            mutex.release()
        self._locked.clear()
        self._one_at_a_time.release()

    def in_child(self) -> None:
        """Let go of everything: it is the parent's."""
        self.in_parent()
        for held in (*self.writers, *self.readers):
            held.forsake()


_forks = _Forks()
_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process: to close one would be to use it."""

if hasattr(os, "register_at_fork"):  # no fork, nothing to do
    os.register_at_fork(
        before=_forks.before,
        after_in_parent=_forks.in_parent,
        after_in_child=_forks.in_child,
    )


def hold_writers(held: Held) -> None:
    """Have this let go of in forks, for as long as it exists."""
    _forks.writers.add(held)


def hold_readers(held: Held) -> None:
    """The same of what a writer may look at."""
    _forks.readers.add(held)


def abandon(connection: sqlite3.Connection | None) -> None:
    """Leave a connection to the parent process that it belongs to."""
    if connection is not None:
        _inherited.append(connection)
