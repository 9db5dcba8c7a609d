"""Words that reports in all formats share."""

from __future__ import annotations

from reprlib import Repr

__all__ = ["brief", "counted", "is_text", "visible"]

_EXACT = 64
"""Bits of a number that is written out: of one with thousands of digits Python refuses to."""
_DIGITS_OF_A_BIT = 0.30103


class _Brief(Repr):
    """The beginnings of values, and of those within them."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = 60
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 3

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() <= _EXACT:
            return super().repr_int(x, level)
        return f"a number of about {int(x.bit_length() * _DIGITS_OF_A_BIT) + 1:,} digits"


_SHORT = _Brief()


def brief(value: object) -> str:
    """The beginning of whatever somebody gave, for a message."""
    return _SHORT.repr(value)


def counted(count: int, noun: str) -> str:
    """`1 phone`, `2,000 phones`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def is_text(text: str) -> bool:
    """Whether all of it are characters: names of files hold bytes that are none as surrogates."""
    return text.encode(errors="replace").decode() == text


def visible(text: object) -> str:
    """A foreign text on one line, with its control and direction characters spelled out."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
    )
