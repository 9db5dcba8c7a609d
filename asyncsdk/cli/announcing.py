"""What is said before anything is sent: the columns that were chosen, and what rows become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.places import list_name
from asyncsdk.words import counted
from asyncsdk.workflow.numbers import parse_normalize
from asyncsdk.workflow.samples import samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asyncsdk.sources import Source

__all__ = ["announced"]

_SHOWN = 40
"""Characters of a cell that are shown."""


def announced(source: Source, name: str, total: int, options: Mapping[str, Any]) -> Iterator[str]:
    """Line by line: each list, the columns that were chosen in it and why, and three of its rows.

    Args:
        source: The list, or several.
        name: What to call it.
        total: How many rows it has.
        options: Those of the upload.
    """
    if len(source.parts) == 1:
        yield f"{name}: {', '.join([counted(total, 'row'), *_chosen(source)])}"
        yield from _about(source, options)
        return
    yield f"{name}: {counted(total, 'row')}"
    for part in source.parts:
        yield f"{list_name(part.path, part.sheet)}: {', '.join(_chosen(part))}"
        yield from _about(part, options)


def _chosen(part: Source) -> list[str]:
    return [
        f"{field} from column {choice.column!r} ({choice.reason})"
        for field, choice in part.mapping.items()
        if choice.reason
    ]


def _about(part: Source, options: Mapping[str, Any]) -> Iterator[str]:
    yield from part.notes
    yield from (f"  {sample}" for sample in _samples(part, options))


def _samples(part: Source, options: Mapping[str, Any]) -> Iterator[str]:
    """The first rows that would be sent, as they would be."""
    for sample in samples(part, parse_normalize(options)):
        alike = sample.submitted == sample.phone
        dressed = "" if alike else f" (from {_short(sample.submitted)})"
        others = [f"{name}={_short(value)}" for name, value in sample.fields.items()]
        yield ", ".join([f"{sample.place}: {sample.phone}{dressed}", *others])


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}\N{HORIZONTAL ELLIPSIS}")
