"""Every generation of the provider's error objects becomes one `Problem`."""

from __future__ import annotations

import re
from http import HTTPStatus
from itertools import chain, islice
from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.models import Problem, Violation
from asyncsdk.wire.shapes import UNREADABLE, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["encode_problem", "few_violations", "in_short", "problem_of", "row_of"]

_LONGEST = 1000
"""Characters kept of any text in a reply: an error may echo the whole request."""

_MOST_VIOLATIONS = 10_000
"""Violations that are read of a reply: what is beyond is named again when the rest is sent."""

_DUPLICATE = "asyncsdk:duplicateOf"
"""A key of our own: the provider has none for it."""

_ROW = re.compile(r"(?:[A-Za-z_]\w*)?\[(\d{1,9})\](.*)", re.ASCII | re.DOTALL)
_POINTER = re.compile(r"(?:/[A-Za-z_]\w*)?/(\d{1,9})(/.*)?", re.ASCII | re.DOTALL)


def problem_of(body: bytes, status: int | None) -> Problem:
    """What a refusal says of itself, whatever it looks like.

    Args:
        body: The reply, or the `body` of one member: JSON of any generation, or not JSON at all.
        status: The HTTP status that came with it.
    """
    try:
        value = plain(body)
    except UNREADABLE:
        return Problem(title=_phrase(status), detail=_page(body))
    if isinstance(value, str) and value:
        return Problem(title=_phrase(status), detail=_short(value))
    if not isinstance(value, dict):
        return Problem(title=_phrase(status))
    return _from_object(value, status)


def _from_object(value: dict[str, object], status: int | None) -> Problem:
    found = chain(_violations(value.get("violations")), _api_errors(value.get("errors")))
    violations = tuple(islice(found, _MOST_VIOLATIONS))
    return Problem(
        title=_first(value, "hydra:title", "title") or _phrase(status),
        detail=_first(
            value, "detail", "hydra:description", "description", "message", "error", "error_message"
        ),
        type=_first(value, "type", "@type") or None,
        status=_status(value.get("status")),
        violations=violations,
    )


def encode_problem(problem: Problem) -> dict[str, object]:
    """The same problem as an error object of the provider's: `problem_of` reads it back."""
    return {
        "title": problem.title,
        "detail": problem.detail,
        "violations": [
            {"propertyPath": v.path, "message": v.message, "code": v.code}
            | ({} if v.duplicate_of is None else {_DUPLICATE: v.duplicate_of})
            for v in problem.violations
        ],
    }


def few_violations(problem: Problem) -> Problem:
    """The same without all but its first violations: what is said of many phones at once."""
    if len(problem.violations) <= _FEW:
        return problem
    return evolve(problem, violations=problem.violations[:_FEW])


_FEW = 20


def in_short(problem: Problem) -> Problem:
    """The same with so much of it as a person reads: what is kept for each phone of a list."""
    return evolve(
        problem,
        title=problem.title[:_READ],
        detail=problem.detail[:_READ],
        violations=tuple(
            evolve(violation, path=violation.path[:_READ], message=violation.message[:_READ])
            for violation in problem.violations[:_READ_VIOLATIONS]
        ),
    )


_READ, _READ_VIOLATIONS = 200, 5


def row_of(path: str) -> tuple[int, str] | None:
    """The row and the field that a `propertyPath` or a JSON pointer into a batch names.

    `[3].phone`, `phones[3].phone`, `data[3]` and `/data/3/phone` name row 3; `phone` names none.
    """
    found = _ROW.fullmatch(path) or _POINTER.fullmatch(path)
    if found is None:
        return None
    return int(found[1]), (found[2] or "").lstrip("./")


def _violations(value: object) -> Iterable[Violation]:
    for item in _objects(value):
        code, first = item.get("code"), item.get(_DUPLICATE)
        yield Violation(
            path=_first(item, "propertyPath", "path"),
            message=_first(item, "message", "title"),
            code=None if code is None else _short(str(code)),
            duplicate_of=first if isinstance(first, int) else None,
        )


def _api_errors(value: object) -> Iterable[Violation]:
    """JSON:API: `errors[]` with `detail` and `source.pointer`."""
    for item in _objects(value):
        source = item.get("source")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        code = item.get("code")
        yield Violation(
            path=_short(pointer) if isinstance(pointer, str) else "",
            message=_first(item, "detail", "title"),
            code=None if code is None else _short(str(code)),
        )


def _objects(value: object) -> Iterable[dict[str, object]]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _first(value: dict[str, object], *keys: str) -> str:
    for key in keys:
        found = value.get(key)
        if isinstance(found, str) and found:
            return _short(found)
    return ""


def _status(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, (int, str)) else None
    except ValueError:
        return None


_PHRASES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}
"""What Python 3.13 renamed: a problem reads the same on every version."""


def _phrase(status: int | None) -> str:
    try:
        return _PHRASES.get(status or 0) or HTTPStatus(status or 0).phrase
    except ValueError:
        return f"HTTP {status}" if status else ""


def _page(body: bytes) -> str:
    """What a proxy's page calls itself; never the page."""
    if not body.strip():
        return "the reply was empty"
    title = re.search(rb"<title>([^<]{1,200})</title>", body[:10_000], re.IGNORECASE)
    named = f" titled {title[1].decode(errors='replace').strip()!r}" if title else ""
    return f"the reply was not JSON ({len(body)} bytes{named})"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
