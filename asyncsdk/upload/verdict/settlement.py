"""A reply becomes the fate of each row. Pure: no clock, no network."""

from __future__ import annotations

import re
from collections import defaultdict
from http import HTTPStatus
from typing import TYPE_CHECKING

from asyncsdk.http.certainty import Verdict
from asyncsdk.models import Problem
from asyncsdk.results import Delivery, Outcome
from asyncsdk.status import is_client_error, is_success
from asyncsdk.upload.verdict.matching import match
from asyncsdk.value import Value
from asyncsdk.wire.batch import decode_member, encode_members, kept
from asyncsdk.wire.problems import row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.models import Violation
    from asyncsdk.upload.batch import Batch
    from asyncsdk.wire.batch import BatchReply

__all__ = ["Settlement", "blame", "conflicts", "settle", "verdict_of_item"]


class Settlement(Value, frozen=True):
    """What a reply says of the rows of a batch: each one in exactly one place."""

    entries: Sequence[Entry] = ()
    """Rows whose fate is known."""
    again: Sequence[Batch] = ()
    """Rows that the server refused for now."""
    doubt: Sequence[Batch] = ()
    """Rows of which it does not say what became; each batch says why."""


def verdict_of_item(status: int | None) -> Verdict:
    """What the status of one phone within a 2xx reply means."""
    if status is None:
        return Verdict.DOUBT
    if is_success(status):
        return Verdict.ANSWERED
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return Verdict.AGAIN
    return Verdict.BLAME if is_client_error(status) else Verdict.DOUBT


def settle(batch: Batch, reply: BatchReply, request_id: str | None) -> Settlement:
    """Match a 2xx reply to the rows of its batch."""
    places = match(batch, reply)
    if places is None and reply.all_created:
        members = kept(reply.document, len(batch), len(batch.body))
        created = batch.entry(
            Outcome.CREATED, Delivery.ANSWERED, members=members, request_id=request_id
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
    entries: list[Entry] = []

    def enter(
        positions: list[int], outcome: Outcome, delivery: Delivery = Delivery.ANSWERED
    ) -> None:
        if positions:
            members = encode_members(reply.raw(places[i]) for i in positions)  # type: ignore[arg-type]
            part = batch.take(positions)
            members = kept(members, len(part), len(part.body))
            entries.append(part.entry(outcome, delivery, members=members, request_id=request_id))

    enter(rows[Verdict.ANSWERED], Outcome.CREATED)
    blamed, stored = _blamed(batch, reply, places, rows[Verdict.BLAME])
    enter(blamed, Outcome.INVALID)
    enter(stored, Outcome.FAILED, Delivery.UNKNOWN)
    again = [batch.take(rows[Verdict.AGAIN])] if rows[Verdict.AGAIN] else []
    doubt = [
        batch.take(positions).because(why, request_id=request_id)
        for positions, why in ((rows[Verdict.DOUBT], _FAULTY), (missing, _MISSING))
        if positions
    ]
    return Settlement(entries, again, doubt)


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
    """Whether a refusal may say that the phone is there already.

    Which status the provider uses for that is not documented: 409, or 422 with such words; one that
    names no rule says nothing against it.
    """
    if problem is None or status == HTTPStatus.CONFLICT:
        return True
    if not any(violation.path for violation in problem.violations):
        return True
    return _ALREADY.search(f"{problem} {' '.join(map(str, problem.violations))}") is not None


_ALREADY = re.compile(r"\b(already|duplicate|exists?|unique)\b", re.IGNORECASE)
_FAULTY = Problem(title="Outcome unknown", detail="the server failed on this phone")
_MISSING = Problem(
    title="Outcome unknown", detail="the reply does not say what became of this phone"
)


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
