"""The accounts of an upload in partitions, from the journal of each."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from asyncsdk.ledger.journal.database import EmptyJournalError
from asyncsdk.ledger.journal.reader import Reader, Shelf, account
from asyncsdk.ledger.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.results import Outcome, PhoneResult

    Account = tuple[Run, Callable[[Outcome], Sequence[PhoneResult]]]

__all__ = ["accounts"]


def accounts(folder: StateFolder) -> Iterator[Account]:
    """The account of each partition, in their order: its totals, and what gives its results.

    Raises:
        ConfigurationError: There is no such folder.
        JournalError: A journal cannot be read.
    """
    header = folder.header()
    journals, shelf = folder.all_journals(), Shelf()
    for index in range(len(header.partitions)):
        yield _account(journals.get(index, ()), shelf) or _nothing(header.group_id)


def _account(journals: Sequence[tuple[int, Path]], shelf: Shelf) -> Account | None:
    """The account of a partition; None where it was not begun."""
    for _, journal in reversed(journals):
        with suppress(EmptyJournalError):
            return account(Reader(journal, shelf))
    return None


def _nothing(group_id: int) -> Account:
    return Run(complete=False, group_id=group_id), lambda _: ()
