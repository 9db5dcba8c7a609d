"""What a journal holds, read from the file when somebody looks at it."""

from __future__ import annotations

import weakref
from collections import deque
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field, frozen

from asyncsdk.errors import JournalError
from asyncsdk.ledger.entry import Entry, Results
from asyncsdk.ledger.held import INTERRUPTED, Held, State
from asyncsdk.ledger.journal.database import damage_detected, damaged, open_to_read
from asyncsdk.ledger.journal.encoding import decode_problem, inflate, unpack_indices
from asyncsdk.ledger.journal.forks import abandon, hold_readers
from asyncsdk.ledger.journal.lock import holder
from asyncsdk.ledger.run import Counts, Run
from asyncsdk.models import Problem
from asyncsdk.results import Delivery, Outcome, StoppedBy
from asyncsdk.timeline import History
from asyncsdk.wire.batch import decode_ids
from asyncsdk.wire.rows import decode_phones, decode_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asyncsdk.models import Phone
    from asyncsdk.results import PhoneResult

__all__ = ["Reader", "Shelf", "account"]

_NOT_SENT = Problem("Not sent", "the upload ended before these phones were sent")

_COURSES = 1000
"""Runs of which the course is told, the last ones: nobody sees more in a picture."""

_decode_history = msgspec.json.Decoder(History).decode


@frozen(eq=False)
class _Reference:
    """An entry on disk: where it stands, without what it holds."""

    reader: Reader
    id: int
    first: int
    last: int
    rows: int

    def __len__(self) -> int:
        return self.rows

    def __reduce__(self) -> tuple[object, ...]:
        return _same, (self.reader.entry(self.id),)

    def results(self) -> list[PhoneResult]:
        entry = self.reader.entry(self.id)
        with damage_detected(self.reader.path):
            return entry.results()


def _course(text: str) -> History:
    """The course of a run.

    Raises:
        ValueError: It makes no sense.
    """
    found = _decode_history(text)
    found.check()
    return found


def _same(entry: Entry) -> Entry:
    """What a reference is once it has left its process: the entry itself."""
    return entry


@define(eq=False)
class Shelf:
    """Keeps few of many journals open at once: those that were opened last."""

    most: int = 16
    _open: deque[weakref.ref[Reader]] = field(factory=deque, init=False)

    def opened(self, reader: Reader) -> None:
        """One was opened: another one may be closed until it is looked at again."""
        self._open.append(weakref.ref(reader))
        while len(self._open) > self.most:
            first = self._open.popleft()()
            if first is not None and not first.held_open:
                first.close()


@define(eq=False)
class Reader:
    """A journal that is read, maybe while an upload writes to it.

    Raises:
        JournalError: From any method: there is no journal, or it is damaged.
    """

    path: Path
    shelf: Shelf | None = field(default=None, repr=False)
    """Lets go of files that nobody has looked at for a while, where there are many."""
    mutex: Lock = field(factory=Lock, init=False, repr=False)
    """Locked while a thread looks into the file: a fork waits for that."""
    held_open: bool = field(default=False, init=False, repr=False)
    """Whether what is read is of one moment."""
    _connection: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _closing: weakref.finalize[Any, Any] | None = field(default=None, init=False, repr=False)
    """Closes it when nobody has this any more."""

    def __attrs_post_init__(self) -> None:
        hold_readers(self)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.mutex, damage_detected(self.path):
            if opened := self._connection is None:
                self._connection = open_to_read(self.path)
                self._closing = weakref.finalize(self, self._connection.close)
            found = self._connection.execute(query, values).fetchall()
        if opened and self.shelf is not None:
            self.shelf.opened(self)
        return found

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read meanwhile is of one moment, whatever an upload writes."""
        self.held_open = True
        self._rows("BEGIN")
        try:
            yield
        finally:
            self.held_open = False
            with suppress(JournalError):  # a fault of the disk may have ended it
                self._rows("ROLLBACK")

    def close(self) -> None:
        """Let go of the file until it is looked at again."""
        with self.mutex:
            if self._connection is not None and self._closing is not None:
                self._closing()
                self._connection = None

    def forsake(self) -> None:
        """In a forked child: leave the file to the parent, and open it again when it is needed."""
        self.mutex = Lock()
        if self._closing is not None:
            self._closing.detach()
        abandon(self._connection)
        self._connection = None

    def meta(self, key: str) -> Any:
        """A value of the journal's own, or None."""
        found = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return found[0][0] if found else None

    def counts(self) -> Counts:
        """The rows that have a fate."""
        counts = Counts()
        query = "SELECT outcome, delivery, sum(rows) FROM entry GROUP BY outcome, delivery"
        for outcome, delivery, rows in self._rows(query):
            counts.add_rows(Outcome(outcome), Delivery(delivery), rows)
        return counts

    def run(self) -> Run:
        """The totals of all runs, of rows that have a fate."""
        with damage_detected(self.path):
            return self._run()

    def _run(self) -> Run:
        (totals,) = self._rows(
            "SELECT total(requests), total(retries), total(throttled), total(elapsed), "
            "total(batches), total(bytes) FROM run"
        )
        requests, retries, throttled, elapsed, batches, size = totals
        courses = self._rows(
            "SELECT history FROM run WHERE history IS NOT NULL ORDER BY id DESC LIMIT ?", _COURSES
        )
        # A run that sends again what failed in one that came to its end is not at its own before
        # nothing is held any more.
        ((complete,),) = self._rows(
            "SELECT coalesce(max(complete), 0) AND NOT EXISTS (SELECT 1 FROM held) FROM run"
        )
        ((stopped_by,),) = self._rows("SELECT stopped_by FROM run ORDER BY id DESC LIMIT 1")
        return Run(
            self.counts(),
            requests=int(requests),
            retries=int(retries),
            throttled=throttled,
            elapsed=elapsed,
            batches=int(batches),
            bytes=int(size),
            complete=bool(complete),
            stopped_by=None if complete else StoppedBy(stopped_by or "crash"),
            history=tuple(_course(text) for (text,) in reversed(courses)),
            group_id=self.meta("group"),
        )

    def read(self) -> int:
        """Rows that were read from the source."""
        return int(self._rows("SELECT coalesce(max(first + rows), 0) FROM chunk")[0][0])

    def chunks(self, start: int, count: int) -> list[tuple[int, int, int]]:
        """The next rows that were read from the source: first, how many, digest."""
        query = "SELECT first, rows, digest FROM chunk WHERE first >= ? ORDER BY first LIMIT ?"
        return self._rows(query, start, count)

    def last_ids(self) -> tuple[int, int]:
        """The highest number of a batch and of an entry."""
        (found,) = self._rows(
            "SELECT coalesce((SELECT max(id) FROM batch), 0), "
            "coalesce((SELECT max(id) FROM entry), 0)"
        )
        return found[0], found[1]

    def results(self, outcome: Outcome, upto: int) -> list[_Reference]:
        """The kept entries of this outcome, up to this number."""
        query = "SELECT id, first, last, rows FROM entry WHERE outcome = ? AND kept AND id <= ?"
        return [_Reference(self, *row) for row in self._rows(query, outcome.value, upto)]

    def entry(self, number: int) -> Entry:
        """One entry in full."""
        query = (
            "SELECT outcome, delivery, e.first, e.last, e.rows, attempts, status, request_id, "
            "problem, coalesce(e.indices, b.indices), coalesce(e.submitted, b.submitted), "
            "coalesce(e.phones, b.phones), members "
            "FROM entry e LEFT JOIN batch b ON e.batch = b.id WHERE e.id = ?"
        )
        found = self._rows(query, number)
        with damage_detected(self.path):
            if not found or found[0][11] is None:
                msg = f"the journal {self.path} is damaged: entry {number} is not whole"
                raise JournalError(msg)
            (outcome, delivery, first, last, rows, attempts, status, request_id) = found[0][:8]
            problem, indices, submitted, phones, members = found[0][8:]
            return Entry(
                Outcome(outcome),
                Delivery(delivery),
                unpack_indices(first, last, rows, indices),
                phones,
                submitted=submitted,
                members=inflate(members, rows),
                status=status,
                problem=decode_problem(problem),
                attempts=attempts,
                request_id=request_id,
            )

    def held(self) -> list[Held]:
        """The batches whose rows have no fate yet, in the order of the source."""
        query = (
            "SELECT b.id, state, first, last, rows, indices, phones, submitted, attempts, "
            "doubtful, status, problem, request_id, delivery "
            "FROM held h LEFT JOIN batch b ON h.batch = b.id ORDER BY first"
        )
        with damage_detected(self.path):
            return [_held(*row) for row in self._rows(query)]

    def sending(self) -> bool:
        """Whether requests may be under way."""
        query = "SELECT EXISTS (SELECT 1 FROM held WHERE state = ?)"
        return bool(self._rows(query, State.SENDING.value)[0][0])

    def created_ids(self) -> Iterator[list[int | None]]:
        """The ids of the phones that were created, entry by entry; None where no reply told one."""
        for number, rows in self._rows(
            "SELECT id, rows FROM entry WHERE outcome = ? ORDER BY id", Outcome.CREATED.value
        ):
            ((members,),) = self._rows("SELECT members FROM entry WHERE id = ?", number)
            with damage_detected(self.path):
                told = inflate(members, rows)
                yield [None] * rows if told is None else decode_ids(told)

    def in_doubt(self) -> Iterator[list[Phone]]:
        """The phones that were sent, and of which it is not known what became of them."""
        held = "SELECT batch FROM held WHERE state != ? OR doubtful ORDER BY batch"
        for (number,) in self._rows(held, State.WAITING.value):
            ((phones,),) = self._rows("SELECT phones FROM batch WHERE id = ?", number)
            with damage_detected(self.path):
                yield decode_phones(phones)
        entries = "SELECT id FROM entry WHERE delivery = ? ORDER BY id"
        for (number,) in self._rows(entries, Delivery.UNKNOWN.value):
            with damage_detected(self.path):
                yield decode_phones(self.entry(number).phones)

    def answered(self, wanted: set[int], upto: int) -> tuple[set[int], list[Phone]]:
        """Of these ids those that the server answered, and the phones created without an id."""
        found: set[int] = set()
        without_id: list[Phone] = []
        for number, rows in self._rows(
            "SELECT id, rows FROM entry WHERE outcome = ? AND members IS NOT NULL AND id <= ?",
            Outcome.CREATED.value,
            upto,
        ):
            ((members,),) = self._rows("SELECT members FROM entry WHERE id = ?", number)
            with damage_detected(self.path):
                ids = decode_ids(inflate(members, rows) or b"[]")
            found.update(wanted.intersection(ids))
            if None in ids:
                phones = decode_phones(self.entry(number).phones)
                without_id += [p for p, i in zip(phones, ids, strict=True) if i is None]
        return found, without_id


def _held(
    key: int,
    state: int,
    first: int,
    last: int,
    rows: int,
    indices: bytes | None,
    phones: bytes,
    submitted: bytes | None,
    attempts: int,
    doubtful: int,
    status: int | None,
    problem: str | None,
    request_id: str | None,
    delivery: str | None,
) -> Held:
    """A row of the query; what was said before a request left says nothing of that request."""
    sending = state == State.SENDING
    positions = unpack_indices(first, last, rows, indices)
    if len(decode_rows(phones)) != len(positions):
        msg = f"batch {key} is not whole"
        raise ValueError(msg)
    return Held(
        key,
        State(state),
        positions,
        phones,
        submitted,
        attempts,
        bool(doubtful),
        None if sending else status,
        INTERRUPTED if sending else decode_problem(problem),
        None if sending else request_id,
        None if delivery is None else Delivery(delivery),
    )


def account(reader: Reader) -> tuple[Run, Callable[[Outcome], Results]]:
    """The account of an upload at this moment.

    What has no fate yet is failed, unless the upload still runs: then nobody knows, and only what
    has one is told.
    """
    running = holder(reader.path.resolve()) is not None
    with reader.snapshot():
        run = reader.run()
        left = [] if running else [_abandoned(held) for held in reader.held()]
        if not running and reader.read() != run.counts.settled + sum(map(len, left)):
            raise damaged(reader.path)
        _, upto = reader.last_ids()
    # One that began meanwhile may have taken up what it found held.
    running = (running or holder(reader.path.resolve()) is not None) and not run.complete
    if running:
        left, run = [], run.changed(stopped_by=StoppedBy.RUNNING)
    for entry in left:
        run.counts.add(entry)

    def results(outcome: Outcome) -> Results:
        mine = left if outcome is Outcome.FAILED else []
        return Results(lambda: [*reader.results(outcome, upto), *mine])

    return run, results


def _abandoned(held: Held) -> Entry:
    """The account of rows that an upload left behind."""
    doubt = held.doubtful or held.state is not State.WAITING
    delivery = Delivery.UNKNOWN if doubt else held.delivery or Delivery.NOT_SENT
    return Entry(
        Outcome.FAILED,
        delivery,
        held.indices,
        held.body,
        submitted=held.submitted,
        status=held.status,
        problem=held.problem or _NOT_SENT,
        attempts=held.attempts,
        request_id=held.request_id,
    )
