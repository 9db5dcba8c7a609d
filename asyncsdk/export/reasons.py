"""Why phones were not created, ranked."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncsdk.results import PhoneResult

__all__ = ["Reason", "ranked", "reason_of", "shortened", "told", "told_from_one"]

_DISTINCT = 1000
"""Reasons that are told apart; a server that puts something else into each cannot fill memory."""
_OTHER = "other reasons"
_LENGTH = re.compile(r" \(\d+\)")
_LONGEST = 200
_RULE = "Invalid phone"
"""The title of what local rules find: it says no more than the outcome does."""


@frozen
class Reason:
    """A reason that several phones share."""

    text: str
    count: int
    outcome: str
    """`invalid` or `failed`."""


def reason_of(result: PhoneResult) -> str:
    """Why a phone was not created, in words that do not differ from row to row."""
    problem = result.error
    if problem is not None and problem.duplicate_of is not None:
        return "the same number as an earlier row"
    return shortened(told(result))


def shortened(reason: str) -> str:
    """A reason without what differs from row to row."""
    return _LENGTH.sub("", reason)[:_LONGEST]


def told(result: PhoneResult) -> str:
    """Why this phone was not created: of a broken rule, the rule alone."""
    problem = result.error
    if problem is None:
        return f"HTTP {result.status or 'reply missing'}"
    if problem.title == _RULE and problem.violations:
        return "; ".join(map(str, problem.violations))
    return str(problem)


def told_from_one(result: PhoneResult) -> str:
    """The same where rows are counted from 1: a duplicate names the earlier row in that way."""
    earlier = result.error.duplicate_of if result.error else None
    if earlier is None:
        return told(result)
    return told(result).replace(f"row {earlier}", f"row {earlier + 1}")


def ranked(results: Iterable[PhoneResult], limit: int = 20) -> list[Reason]:
    """The commonest reasons, the most frequent first.

    Args:
        results: Phones that were not created.
        limit: How many to tell; the rest is one more.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for result in results:
        key = (reason_of(result), result.outcome.value)
        if key not in counts and len(counts) >= _DISTINCT:
            key = (_OTHER, result.outcome.value)
        counts[key] += 1
    common = counts.most_common()
    reasons = [Reason(text, count, outcome) for (text, outcome), count in common[:limit]]
    if rest := sum(count for _, count in common[limit:]):
        reasons.append(Reason(_OTHER, rest, ""))
    return reasons
