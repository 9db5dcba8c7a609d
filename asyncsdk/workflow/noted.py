"""The options that a rejects file holds, so that it is uploaded as the list was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.sources.rejects import is_rejects, note_of
from asyncsdk.workflow.numbers import NORMALIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncsdk.sources import Source
    from asyncsdk.sources.rejects import Note

__all__ = ["as_noted", "noted"]

_DEFAULTS: dict[str, object] = {
    **NORMALIZE,
    "duplicates": "send",
    "existing": "send",
}
"""The options that decide which phones are sent, and what they are where nothing is said."""


def noted(options: Mapping[str, Any]) -> dict[str, str | bool]:
    """Those of an upload that are to hold again."""
    return {
        name: options[name]
        for name, default in _DEFAULTS.items()
        if isinstance(options.get(name), (str, bool)) and options[name] != default
    }


def as_noted(source: Source, options: Mapping[str, Any]) -> dict[str, str | bool]:
    """Those that a rejects file holds and that this upload does not have of its own."""
    return {
        name: value
        for name, value in _first_note(source).items()
        if isinstance(value, (str, bool))
        and name in _DEFAULTS
        and options.get(name) == _DEFAULTS[name]
        and name in options
    }


def _first_note(source: Source) -> Note:
    for part in source.parts:
        notes = (note_of(part.columns, row.cells) for row in part.rows())
        if is_rejects(part.columns) and (found := next(filter(None, notes), None)):
            return found
    return {}
