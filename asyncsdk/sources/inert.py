"""Cells that no spreadsheet takes for a formula, nor rounds, and the way back.

What begins with one of `=`, `+`, `-`, `@`, a tab or a carriage return may be run as a formula when
a spreadsheet opens a CSV file (OWASP, "CSV Injection"). A number loses its plus, its leading zeros
and all digits but six when it is saved from there.
"""

from __future__ import annotations

import re

__all__ = ["as_text", "doubled", "escape", "inert", "revive"]

_ACTIVE = "=+-@\t\r"
_ESCAPED = re.compile(r"'+[=+\-@\t\r0-9]")
_LOSSY = re.compile(r"\+\d+|0\d+|\d{12,}")
"""Numbers that a spreadsheet would write back otherwise than it read them."""


def inert(cell: str | None) -> str | None:
    """A cell that no spreadsheet takes for a formula: `=`, `@`, … in front get an apostrophe.

    A plain number with its sign (`+49…`) stays as it is: no formula, and the commonest cell here.
    """
    if not cell or cell[0] not in _ACTIVE:
        return cell
    if cell[0] in "+-" and cell[1:].replace(" ", "").isdecimal():
        return cell
    return f"'{cell}"


def escape(cell: str) -> str:
    """The same, so that `revive` gives the cell back: an apostrophe that was there is doubled."""
    if _ESCAPED.match(cell):
        return f"'{cell}"
    return inert(cell) or ""


def as_text(cell: str) -> str:
    """The same again, for files that are mended in a spreadsheet: numbers stay as they are."""
    return f"'{cell}" if _LOSSY.fullmatch(cell) else escape(cell)


def doubled(cell: str) -> str:
    """The same for files whose cells are texts: only what `revive` would take off is put on."""
    return f"'{cell}" if _ESCAPED.match(cell) else cell


def revive(cell: str) -> str:
    """The cell that `escape`, `as_text` or `doubled` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell
