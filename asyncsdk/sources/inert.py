"""Cells that no spreadsheet takes for a formula, nor rounds, and the way back.

What begins with one of `=`, `+`, `-`, `@`, or with a tab or a line break, may be run as a formula
when a spreadsheet opens a CSV file (OWASP, "CSV Injection"); their full-width and other forms count
as the same, and blanks and quotes in front are dropped. Where a cell begins is for the spreadsheet
to say: one that parts cells by semicolons finds them in the middle of ours, whatever stands around
those. So an apostrophe is put before such a character wherever a cell may begin: at the start, and
behind each separator and line break. A number loses its plus, its leading zeros and all digits but
six when it is saved from there.
"""

from __future__ import annotations

import re

__all__ = ["as_text", "escape", "inert", "revive"]

_SIGNS = (
    "=+\\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20\u207a-\u207c\u208a-\u208c\ufb29"
)
_DROPPED = (
    '[" \x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\xa0\xad\u1680\u180e\u2000-\u200f\u202a-\u202f'
    "\u205f-\u206f\u3000\ufeff]*"
)
"""What may stand before the first character of a cell without being it."""
_CELL = rf"(?:\A|(?<=[,;|\t])){_DROPPED}"
"""Where a cell may begin. A line break there is in it."""
_LINE = rf"(?:(?<=[\n\v\f\x1c-\x1e\x85\u2028\u2029])|(?<=\r)(?!\n)){_DROPPED}"
"""Where a row may begin. A line break there is an empty one."""
_ACTIVE = ((_CELL, f"[{_SIGNS}\t\r\n]"), (_LINE, f"[{_SIGNS}\t]"))
_PLAIN = r"\A[+\-] *\d[\d ]*\Z"
"""A number with its sign (`+49…`): no formula, and the commonest cell here."""
_UNSAFE = re.compile(
    "|".join(
        [
            *(rf"{start}(?='*{active})(?!{_PLAIN})" for start, active in _ACTIVE),
            r"\A(?='+\d)",
        ]
    )
)
_GUARDED = re.compile(
    "|".join([*(rf"({start})'(?='*{active})" for start, active in _ACTIVE), r"\A'(?='*\d)"])
)
_LOSSY = re.compile(r"\+\d+|0\d+|\d{12,}|\d[\d ]*[.,:/eE-][\d.,:/eE +-]*")
"""Numbers that a spreadsheet would write back otherwise than it read them, and what it would take
for a fraction, a date or a time: `0171 1234567 / 8` becomes 154491.875."""


def inert(cell: str | None) -> str | None:
    """A cell as `escape` gives it; None stays None."""
    return None if cell is None else escape(cell)


def escape(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, nor any part of it.

    `revive` gives the cell back: an apostrophe that was there is doubled.
    """
    return _UNSAFE.sub(r"\g<0>'", cell)


def as_text(cell: str) -> str:
    """The same again, for files that are mended in a spreadsheet: numbers stay as they are."""
    return f"'{cell}" if _LOSSY.fullmatch(cell) else escape(cell)


def revive(cell: str) -> str:
    """The cell that `escape` or `as_text` was given."""
    return _GUARDED.sub(r"\1\2", cell) if "'" in cell else cell
