"""What the number format of a cell adds to what is in it: `"+41 "0` shows 791234567 with +41.

Formats are written as Excel writes them, with a section for each kind of value. Where a format
shows no more than the digits, or something else than a number, the digits stay as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["adds", "dressed_number", "dressed_text"]

_SECTION = re.compile(r'((?:"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[^;])*)(?:;|$)', re.DOTALL)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)\]")
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<symbol>[^\]-]*)[^\]]*\]'
    r"|_.|\*.|\[[A-Za-z]+\d*\]|(?P<plain>[-+()/: 1-9])|(?P<place>[0#?])|(?P<text>@)",
    re.DOTALL,
)
_DIALLED = re.compile(r"[+0-9]")
_QUOTED = re.compile(r'("[^"]*"|\\.|_.|\*.)', re.DOTALL)
_DECIMALS = re.compile(r"\.[0#?]+")
_THOUSANDS = re.compile(r"(?<=[0#?]),(?=[0#?])")
_GENERAL = re.compile(r"general|standard", re.IGNORECASE)
_FRACTION = re.compile(r"[0#?]\s*/\s*[0-9#?]")
_COMPARED = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne}
_TEXT_SECTION = 4
"""Where a format of so many sections says how texts are shown, the last one does."""


@frozen
class _Section:
    """How a format shows some of the values."""

    applies: Callable[[int], bool] | None
    """To which numbers; None where that is said by its place."""
    tokens: tuple[re.Match[str], ...]
    """Its parts; none where the digits stay as they are."""


def adds(form: str) -> bool:
    """Whether a format shows more of a whole number, or of a text, than what is in the cell."""
    numbers, text = _parsed(form)
    return any(section.tokens for section in numbers) or bool(text)


def dressed_number(number: str, form: str) -> str:
    """Whole digits as a format shows them: its literals, and zeros in front.

    >>> dressed_number("791234567", '"+41 "00 000 00 00')
    '+41 79 123 45 67'
    """
    if number.startswith("-"):
        return number
    sections, _ = _parsed(form)
    tokens = _section_for(int(number), sections).tokens
    return _filled(tokens, number) if tokens else number


def dressed_text(text: str, form: str) -> str:
    """A text as a format shows it: with what stands around its `@`.

    >>> dressed_text("791234567", '"+41 "@')
    '+41 791234567'
    """
    _, tokens = _parsed(form)
    if not tokens or not text.strip():
        return text
    return "".join(text if token["text"] else _literal(token) for token in tokens).strip()


def _section_for(number: int, sections: Sequence[_Section]) -> _Section:
    for section in sections:
        if section.applies is not None and section.applies(number):
            return section
    plain = [section for section in sections if section.applies is None]
    if not plain:
        return _Section(None, ())
    # Positive numbers, negative ones, zero; what no condition took is of the last one.
    return plain[-1] if len(plain) < len(sections) else plain[0]


def _filled(tokens: Sequence[re.Match[str]], number: str) -> str:
    kinds = [token["place"] for token in tokens if token["place"]]
    digits = list(number)
    written: list[str] = []
    for token in reversed(tokens):
        if token["place"] is None:
            written.append(_literal(token))
            continue
        kinds.pop()
        taken = 1 if kinds else max(1, len(digits))  # the first place takes all that is left
        written += reversed(digits[-taken:])
        if not digits and "0" in (*kinds, token["place"]):  # zeros stand behind a zero
            written.append("0")
        del digits[-taken:]
    return "".join(reversed(written)).strip()


def _literal(token: re.Match[str]) -> str:
    """What it shows; of the symbols of currencies those alone that could be dialled."""
    symbol = token["symbol"] or ""
    dialled = symbol if _DIALLED.search(symbol) else ""
    return token["quoted"] or token["escaped"] or token["plain"] or dialled


@lru_cache(maxsize=256)
def _parsed(form: str) -> tuple[tuple[_Section, ...], tuple[re.Match[str], ...]]:
    """The sections for numbers, and the tokens of that for texts; a negative one has no use."""
    written = [found[1] for found in _SECTION.finditer(form)][:-1] or [form]
    last = written[-1]
    text = _tokens_of_text(last) if "@" in _QUOTED.sub("", last) else ()
    if len(written) == _TEXT_SECTION or "@" in _QUOTED.sub("", last):
        written = written[:-1]
    return tuple(map(_section, written)), text


def _tokens_of_text(written: str) -> tuple[re.Match[str], ...]:
    tokens = tuple(_TOKEN.finditer(written))
    known = not _TOKEN.sub("", written) and not any(token["place"] for token in tokens)
    return tokens if known and any(map(_literal, tokens)) else ()


def _section(written: str) -> _Section:
    condition = _CONDITION.search(written)
    applies = None
    if condition is not None:
        compared, limit = _COMPARED[condition[1]], float(condition[2])

        def applies(number: int) -> bool:
            return bool(compared(number, limit))

    return _Section(applies, _tokens(_CONDITION.sub("", written)))


def _tokens(written: str) -> tuple[re.Match[str], ...]:
    """The parts of a section that adds something to whole numbers; none of another one."""
    plain = _whole_part(written)
    tokens = tuple(_TOKEN.finditer(plain))
    if _TOKEN.sub("", plain) or _FRACTION.search(_QUOTED.sub("", plain)):
        return ()  # a date, a percentage, a fraction, an exponent
    places = "".join(token["place"] or "" for token in tokens)
    more = any(map(_literal, tokens)) or len(places.lstrip("#?")) > 1
    return tokens if places and more else ()


def _whole_part(written: str) -> str:
    """A section without decimals and the marks of thousands, which no phone has."""
    parts = _QUOTED.split(written)
    for at in range(0, len(parts), 2):
        part = _DECIMALS.sub("", _THOUSANDS.sub("", parts[at]))
        parts[at] = _GENERAL.sub("0", part)
    return "".join(parts)
