"""What is said before anything is sent: the columns that were chosen, and what rows become."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from asyncsdk.cli.options import parse_normalize
from asyncsdk.places import list_name
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.wire.rows import decode_rows
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asyncsdk.sources import Source

__all__ = ["announced"]

_LOOKED_AT = 100
"""Rows among which the samples are found."""
_SAMPLES = 3
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
    normalize = normalizer(parse_normalize(options))
    first = list(islice(part, _LOOKED_AT))
    checked = Checker(normalize=normalize).check(0, first)
    rows = zip(checked.indices, checked.submitted or checked.numbers, strict=True)
    sent = decode_rows(checked.body) if checked.numbers else ()
    places = {row.index: row.place() for row in islice(part.rows(), len(first))}
    for (index, submitted), row in islice(zip(rows, sent, strict=True), _SAMPLES):
        dressed = "" if submitted == row.phone else f" (from {_short(submitted)})"
        others = [
            f"{name}={_short(value)}"
            for name in ("a", "b", "c", "d", "e", "callback_data")
            if (value := getattr(row, name))
        ]
        yield ", ".join([f"{places[index]}: {row.phone}{dressed}", *others])


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}\N{HORIZONTAL ELLIPSIS}")
