"""Words that reports in all formats share."""

from __future__ import annotations

__all__ = ["counted", "visible"]


def counted(count: int, noun: str) -> str:
    """`1 phone`, `2,000 phones`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def visible(text: object) -> str:
    """A foreign text on one line, with its control and direction characters spelled out."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
    )
