"""Why phones were not created: in words, and ranked."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from asyncsdk.places import ROW, place_of
from asyncsdk.results import WOULD_BE_SENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asyncsdk.ledger.account import UploadAccount
    from asyncsdk.models import Problem, Violation
    from asyncsdk.results import PhoneResult

__all__ = [
    "Ranking",
    "Reason",
    "has_twin",
    "naming_first",
    "ranked",
    "reason_for",
    "row_number",
    "same_number",
    "shortened",
    "skipped_in",
]

_DISTINCT = 1000
"""Reasons that are counted apart: a server with another one for each phone cannot fill memory."""
_OTHER = "other reasons"
_DIFFERING = re.compile(r" \((?:\d+|\+\d+(?: or \+\d+)+)\)")
"""A length, or the numbers that a cell can be."""
_LONGEST = 200
_TOLD_APART = 500
"""Characters by which reasons are told apart."""
_RULE = "Invalid phone"
"""The title of what local rules find: it says no more than the outcome does."""


@frozen
class Reason:
    """A reason that several phones share."""

    text: str
    count: int
    outcome: str
    """`invalid`, `failed` or `skipped`."""


def skipped_in(account: UploadAccount) -> Iterator[PhoneResult]:
    """The phones that were not to be sent for their numbers: a dry run would send the others."""
    if account.skipped_count == account.would_be_sent_count:
        return iter(())
    return (result for result in account.skipped if result.error != WOULD_BE_SENT)


def has_twin(result: PhoneResult) -> bool:
    """Whether an earlier row of the list has the number of this one."""
    return result.error is not None and result.error.duplicate_of is not None


def row_number(index: int) -> str:
    """What people call a row of which no line is known: they count from 1."""
    return place_of(index + 1, unit=ROW)


def same_number(place: str) -> str:
    """That a row is a duplicate of the one at this place."""
    return f"the same number as {place}"


def reason_for(result: PhoneResult, place: Callable[[int], str] = row_number) -> str:
    """Why this phone was not created: of a broken rule, the rule alone.

    Args:
        result: What became of it.
        place: What the view that shows the reason calls a row, by its index: a duplicate names the
            first row with its number.
    """
    if result.error is None:
        return f"HTTP {result.status or 'reply missing'}"
    problem = naming_first(result.error, place)
    if problem.title == _RULE and problem.violations:
        return "; ".join(map(str, problem.violations))
    return str(problem)


def naming_first(problem: Problem, place: Callable[[int], str] = row_number) -> Problem:
    """A problem that names the first row with the same number, where it is that of a duplicate."""
    if problem.duplicate_of is None:
        return problem
    named = [(violation, _naming_first(violation, place)) for violation in problem.violations]
    # The detail of a duplicate is what its rule says; any other is somebody's own sentence.
    details = {old.message: new.message for old, new in named}
    return evolve(
        problem,
        detail=details.get(problem.detail, problem.detail),
        violations=tuple(new for _, new in named),
    )


def _naming_first(violation: Violation, place: Callable[[int], str]) -> Violation:
    first = violation.duplicate_of
    return violation if first is None else evolve(violation, message=same_number(place(first)))


def shortened(reason: str) -> str:
    """A reason without what differs from row to row."""
    return _DIFFERING.sub("", reason)[:_LONGEST]


@define
class Ranking:
    """Counts reasons as they come."""

    _counts: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    _examples: dict[tuple[str, str], PhoneResult] = field(factory=dict, init=False)

    def add(self, result: PhoneResult) -> None:
        """Count the reason of a phone that was not created."""
        key = (_common(result), result.outcome.value)
        if key not in self._counts and len(self._counts) >= _DISTINCT:
            key = (_OTHER, result.outcome.value)
        self._examples.setdefault(key, result)
        self._counts[key] += 1

    def ranked(
        self,
        limit: int = 20,
        say: Callable[[PhoneResult | None, str], str] = lambda _, text: text,
    ) -> list[Reason]:
        """The commonest reasons until now, as `ranked` gives them."""
        common = self._counts.most_common()
        reasons = [
            Reason(say(self._examples[key], key[0])[:_LONGEST], count, key[1])
            for key, count in common[:limit]
        ]
        if rest := sum(count for _, count in common[limit:]):
            reasons.append(Reason(say(None, _OTHER), rest, ""))
        return reasons


def ranked(
    results: Iterable[PhoneResult],
    limit: int = 20,
    say: Callable[[PhoneResult | None, str], str] = lambda _, text: text,
) -> list[Reason]:
    """The commonest reasons, the most frequent first.

    Args:
        results: Phones that were not created.
        limit: How many to give; the rest is one more.
        say: Says a reason of some result in another language.
    """
    ranking = Ranking()
    for result in results:
        ranking.add(result)
    return ranking.ranked(limit, say)


def _common(result: PhoneResult) -> str:
    """Its reason without what differs from row to row, as far as reasons are told apart."""
    reason = same_number("an earlier row") if has_twin(result) else reason_for(result)
    return _DIFFERING.sub("", reason)[:_TOLD_APART]
