"""The accounts of an upload in partitions, from the journal of each.

To open a journal and to look whether it can be relied on takes some milliseconds, and there may be
a thousand. So a run notes the totals of the journal that it leaves, beside it. They hold for as
long as that file is what it was then, and nobody writes to it; else the journal is opened.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from asyncsdk.errors import JournalError
from asyncsdk.files import placing
from asyncsdk.ledger.entry import Results
from asyncsdk.ledger.journal.database import EmptyJournalError, NoJournalError
from asyncsdk.ledger.journal.lock import is_locked
from asyncsdk.ledger.journal.reader import Reader, Shelf, account
from asyncsdk.ledger.moved import Moved
from asyncsdk.ledger.run import Run

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from asyncsdk.ledger.state import StateFolder
    from asyncsdk.results import Outcome, PhoneResult

    Account = tuple[Run, Callable[[Outcome], Sequence[PhoneResult]]]

__all__ = ["accounts", "begun", "note_totals"]

_TRIES = 5
"""Times that a journal may be taken over while it is looked for."""


class _Totals(msgspec.Struct):
    """The totals of a journal that is at rest."""

    journal: str
    """Its name."""
    size: int
    changed: int
    """When it was, in nanoseconds."""
    upto: int
    """Its last entry."""
    run: Run


_decode = msgspec.json.Decoder(_Totals).decode


def accounts(folder: StateFolder) -> Iterator[Account]:
    """The account of each partition, in their order: its totals, and what gives its results.

    Raises:
        ConfigurationError: There is no such folder.
        JournalError: A journal cannot be read.
    """
    header = folder.header()
    files, shelf = folder.files(), Shelf()
    journals = folder.all_journals(files)
    for index, partition in enumerate(header.partitions):
        own = journals.get(index, ())
        found = _noted(folder, index, own, files, shelf) or _opened(folder, index, own, shelf)
        if found is None:
            yield Run(complete=False, group_id=header.group_id), lambda _: ()
        else:
            yield _counted_through(found, partition.first)


def _counted_through(found: Account, first: int) -> Account:
    """The account of a partition with its rows counted through all of them."""
    run, results = found
    return run, lambda outcome: Moved(results(outcome), first)


def note_totals(folder: StateFolder, index: int, journal: Path) -> None:
    """Note the totals of a journal that a run has left, where all in it has a fate."""
    with suppress(OSError, JournalError):  # then it is opened
        before = journal.stat()
        reader = Reader(journal)
        try:
            run, upto = reader.run(), reader.last_ids()[1]
            settled = not reader.held() and reader.read() == run.counts.settled
        finally:
            reader.close()
        if not settled or is_locked(journal):
            return
        found = _Totals(journal.name, before.st_size, before.st_mtime_ns, upto, run)
        with placing(folder.totals(index)) as place:
            place.write_bytes(msgspec.json.encode(found))


def _noted(
    folder: StateFolder,
    index: int,
    journals: Sequence[tuple[int, Path]],
    files: Mapping[str, os.DirEntry[str]],
    shelf: Shelf,
) -> Account | None:
    """The account of a partition by its totals; None where they do not hold."""
    place = folder.totals(index)
    if not journals or place.name not in files:
        return None
    journal = journals[-1][1]
    if any(f"{journal.name}-{kind}" in files for kind in ("lock", "wal", "journal")):
        return None
    try:
        found, now = _decode(place.read_bytes()), files[journal.name].stat()
        for course in found.run.history:
            course.check()
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    if (found.journal, found.size, found.changed) != (journal.name, now.st_size, now.st_mtime_ns):
        return None
    reader = Reader(journal, shelf)
    return found.run, lambda outcome: Results(lambda: reader.results(outcome, found.upto))


def _opened(
    folder: StateFolder, index: int, journals: Sequence[tuple[int, Path]], shelf: Shelf
) -> Account | None:
    """The account of a partition by its journal; None where it was not begun."""
    reader = begun(folder, index, journals, shelf) if journals else None
    return None if reader is None else account(reader)


def begun(
    folder: StateFolder,
    index: int,
    journals: Sequence[tuple[int, Path]] | None = None,
    shelf: Shelf | None = None,
) -> Reader | None:
    """What reads the account of a partition; None where it was not begun.

    Args:
        folder: The state.
        index: Which partition.
        journals: Those that it has; None to look.
        shelf: Closes the file when many are open.

    Raises:
        JournalError: It cannot be read.
    """
    for _ in range(_TRIES):
        try:
            return _first_begun(folder.journals(index) if journals is None else journals, shelf)
        except NoJournalError:
            journals = None  # a later run has taken it over, and removed it
    return _first_begun(folder.journals(index), shelf)


def _first_begun(journals: Sequence[tuple[int, Path]], shelf: Shelf | None) -> Reader | None:
    for _, journal in reversed(journals):
        reader = Reader(journal, shelf)
        with suppress(EmptyJournalError):
            reader.read()
            return reader
    return None
