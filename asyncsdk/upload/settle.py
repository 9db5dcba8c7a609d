"""A reply becomes the fate of each row. Pure: no clock, no network.

Members are matched to rows in O(n): by position where the reply has as many members as rows, or
names their positions, unless the echoed numbers say that the order differs; otherwise by echoed
number. A number that the server reformatted is no mismatch: its last digits are the same.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import define, field

from asyncsdk.models import Problem
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.numbers import alike, digits, tail
from asyncsdk.upload.retry import Verdict, verdict_of_item
from asyncsdk.wire.batch import decode_member, encode_members, succeeded
from asyncsdk.wire.problems import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.models import Violation
    from asyncsdk.upload.batches import Batch
    from asyncsdk.wire.batch import BatchReply

__all__ = ["Settlement", "blame", "conflicts", "settle"]


@define
class Settlement:
    """Where the rows of a batch go after a request: each one to exactly one place."""

    entries: list[Entry] = field(factory=list)
    """Rows whose fate is known."""
    again: list[Batch] = field(factory=list)
    """Rows that go out again."""
    doubt: list[Batch] = field(factory=list)
    """Rows that may have been processed; each batch says why that is not known."""
    pause: float = 0.0
    """Seconds before the rows in `again` go out."""
    stop: Exception | None = None
    """Why no other request can succeed either."""


def settle(batch: Batch, reply: BatchReply, request_id: str | None) -> Settlement:
    """Match a 2xx reply to the rows of its batch."""
    places = match([row.phone for row in batch.rows], reply)
    if places is None and all(map(succeeded, reply.statuses)):
        created = batch.entry(
            Outcome.CREATED, Delivery.ANSWERED, members=reply.document, request_id=request_id
        )
        return Settlement([created])
    return _by_row(batch, reply, places or range(len(batch)), request_id)


def _by_row(
    batch: Batch, reply: BatchReply, places: Sequence[int | None], request_id: str | None
) -> Settlement:
    rows: dict[Verdict, list[int]] = defaultdict(list)
    missing: list[int] = []
    for row, place in enumerate(places):
        if place is None:
            missing.append(row)
        else:
            rows[verdict_of_item(reply.statuses[place])].append(row)
    found = Settlement()

    def enter(
        positions: list[int], outcome: Outcome, delivery: Delivery = Delivery.ANSWERED
    ) -> None:
        if positions:
            members = encode_members(reply.raw(places[i]) for i in positions)  # type: ignore[arg-type]
            part = batch.take(positions)
            found.entries.append(
                part.entry(outcome, delivery, members=members, request_id=request_id)
            )

    enter(rows[Verdict.ANSWERED], Outcome.CREATED)
    blamed, stored = _blamed(batch, reply, places, rows[Verdict.BLAME])
    enter(blamed, Outcome.INVALID)
    enter(stored, Outcome.FAILED, Delivery.UNKNOWN)
    if rows[Verdict.AGAIN]:
        found.again.append(batch.take(rows[Verdict.AGAIN]))
    for positions, why in ((rows[Verdict.DOUBT], _FAULTY), (missing, _MISSING)):
        if positions:
            found.doubt.append(batch.take(positions).because(why, request_id=request_id))
    return found


def _blamed(
    batch: Batch, reply: BatchReply, places: Sequence[int | None], rows: list[int]
) -> tuple[list[int], list[int]]:
    """Refused rows: those at fault, and those an earlier, unanswered request may have stored."""
    if not batch.doubtful:
        return rows, []
    answers = {row: decode_member(reply.raw(places[row])) for row in rows}  # type: ignore[arg-type]
    stored = [row for row, a in answers.items() if conflicts(a.status, a.problem)]
    return [row for row in rows if row not in set(stored)], stored


def conflicts(status: int | None, problem: Problem | None) -> bool:
    """Whether a refusal says that the phone is there already.

    Which status the provider uses for that is not documented: 409, or 422 with such words.
    """
    if status == HTTPStatus.CONFLICT or problem is None:
        return problem is not None
    return _ALREADY.search(f"{problem} {' '.join(map(str, problem.violations))}") is not None


_ALREADY = re.compile(r"\b(already|duplicate|exists?|unique)\b", re.IGNORECASE)
_FAULTY = Problem(title="Outcome unknown", detail="the server failed on this phone")
_MISSING = Problem(
    title="Outcome unknown", detail="the reply does not say what became of this phone"
)


def match(numbers: list[str], reply: BatchReply) -> list[int | None] | None:
    """Which member answers each row: its place in the reply, or None for a row without answer.

    Returns:
        None where every member stands at its row's position, which is nearly always.
    """
    echoes = reply.echoes
    if reply.positions is None and echoes == numbers:
        return None
    places = _claimed(reply, len(numbers))
    moved = _moved(numbers, reply, places)

    def astray(row: int) -> bool:
        place = places[row]
        if place is None:
            return True
        echo = echoes[place]
        return (
            moved
            if echo is None
            else echo != numbers[row] and (moved or not alike(echo, numbers[row]))
        )

    lost = [row for row in range(len(places)) if astray(row)]
    if lost:
        _rematch(numbers, reply, places, lost)
    return None if places == list(range(len(echoes))) else places


def _moved(numbers: list[str], reply: BatchReply, places: list[int | None]) -> bool:
    """Whether the order differs: some member echoes the number of another row than its own."""
    known = set(numbers)
    return any(
        place is not None
        and (echo := reply.echoes[place]) is not None
        and echo != numbers[row]
        and echo in known
        for row, place in enumerate(places)
    )


def _claimed(reply: BatchReply, rows: int) -> list[int | None]:
    """The places that the reply itself claims: by its keys, or by its order if it is complete."""
    positions = reply.positions
    complete = len(reply.echoes) == rows
    if complete and (positions is None or max(positions, default=0) >= rows):
        return list(range(rows))  # keys with gaps, but a member for each row, are in order too
    places: list[int | None] = [None] * rows
    for place, row in enumerate(positions or ()):
        if row < rows:
            places[row] = place
    return places


def _rematch(
    numbers: list[str], reply: BatchReply, places: list[int | None], lost: list[int]
) -> None:
    """Find the lost rows among the members that answer no other row: by number, then by silence."""
    for row in lost:
        places[row] = None
    taken = {place for place in places if place is not None}
    free = [place for place in range(len(reply.echoes)) if place not in taken]
    for key in (str, digits, tail):
        _pair(key, numbers, reply.echoes, places, free)
        taken.update(place for place in places if place is not None)
        free = [place for place in free if place not in taken]
    _deal_silent(reply, places, free)


def _deal_silent(reply: BatchReply, places: list[int | None], free: list[int]) -> None:
    """A member that echoes no number may belong to any row left over.

    Where there is one for each such row, and all of them say the same, it does not matter which.
    """
    silent = [place for place in free if reply.echoes[place] is None]
    orphans = [row for row, place in enumerate(places) if place is None]
    if len(orphans) == len(silent) and len({reply.statuses[place] for place in silent}) == 1:
        for row, answer in zip(orphans, silent, strict=True):
            places[row] = answer


def _pair(
    key: Callable[[str], str],
    numbers: list[str],
    echoes: Sequence[str | None],
    places: list[int | None],
    free: list[int],
) -> None:
    """Pair rows and free members whose numbers have the same key, first come first served."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for place in free:
        echo = echoes[place]
        if echo is not None:
            waiting[key(echo)].append(place)
    for row, claimed in enumerate(places):
        if claimed is None and (found := waiting.get(key(numbers[row]))):
            places[row] = found.popleft()


def blame(batch: Batch, violations: Iterable[Violation]) -> dict[int, list[Violation]]:
    """The rows that a refusal of the whole batch names, each with what it says about them.

    Empty where a violation names a row that the batch does not have: then none is to be trusted.
    """
    named: dict[int, list[Violation]] = defaultdict(list)
    for violation in violations:
        found = row_of(violation.path)
        if found is None:
            continue
        row, _ = found
        if row >= len(batch):
            return {}
        named[row].append(violation)
    return named
