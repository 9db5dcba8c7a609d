"""vCards, as telephones and address books export them, as phones.

Each card is a row: its name, its organisation, its numbers, in a column for each kind of them.
"""

from __future__ import annotations

import io
import re
from functools import partial
from typing import TYPE_CHECKING

from asyncsdk.errors import SourceError
from asyncsdk.sources.bounds import MAX_COLUMNS, MAX_ROW
from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.contentlines import content_line, parts_of, unescaped, unfolded
from asyncsdk.sources.dialect import SAMPLE_SIZE, find_encoding, not_encoded
from asyncsdk.sources.names import Role, name_rank, role_of
from asyncsdk.sources.opening import kept, open_input
from asyncsdk.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from asyncsdk.sources.columns import Column, ColumnChoice
    from asyncsdk.sources.contentlines import ContentLine
    from asyncsdk.sources.dialect import Encoding
    from asyncsdk.sources.opening import Input, Place
    from asyncsdk.sources.questions import Question

__all__ = ["VcardSource", "read_vcards"]

_NAMES = ("Name", "Organization")
_SAMPLE_ROWS = 1000
_MAX_CARD = 1 << 23
"""Characters of a card: it may have a picture in it."""
_PICTURE = re.compile(r"(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
_RANK_OF_MOBILE = 3
_READ = frozenset(("TEL", "FN", "N", "ORG", "X-ABLABEL"))
_BEGIN = re.compile(r"BEGIN:VCARD\s*", re.IGNORECASE)
_END = re.compile(r"END:VCARD\s*", re.IGNORECASE)
_MOBILE = frozenset(("CELL", "MOBILE", "IPHONE"))
_KINDS = (
    (frozenset(("FAX", "PAGER", "TTY", "TEXTPHONE", "MODEM", "ISDN")), "Fax"),
    (_MOBILE, "Mobile"),
    (frozenset(("WORK",)), "Phone work"),
    (frozenset(("HOME",)), "Phone home"),
    (frozenset(("MAIN",)), "Phone main"),
)
_OTHER = "Phone other"

Card = dict[str, str]


class VcardSource(Table):
    """The phones of a file of vCards, one for each card. A row's line is that of its BEGIN."""

    reopenable = True

    def __init__(
        self,
        source: Input,
        encoding: Encoding,
        columns: tuple[str, ...],
        mapping: dict[str, ColumnChoice],
    ) -> None:
        super().__init__(source.name, columns, mapping)
        self._input = source
        self._encoding = encoding

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        for line, card in _cards(self._input, self._encoding):
            yield line, [card.get(column, "") for column in self.columns]


def read_vcards(
    source: Place,
    *,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    encoding: str | None = None,
    max_bytes: int | None = None,
) -> VcardSource:
    """The contacts in a file of vCards (2.1 to 4.0), ready to be uploaded.

    Args:
        source: A path, or a file object; it stays open.
        columns: Fields of `Phone` to columns: `Name`, `Organization`, `Mobile`, `Phone work`, ….
        names: What the group calls its columns, to be used as fields in `columns`.
        country: The column that says in which country each phone is.
        ask: Who answers what is left open (see `asyncsdk.sources.read`).
        encoding: As Python names it, if not as found.
        max_bytes: Bytes that a packed file may unpack to; None for 2 GiB.

    Raises:
        SourceError: The file cannot be read, or no column looks like phones.
    """
    opened = kept(open_input(source, SAMPLE_SIZE + 1, max_bytes))
    written = find_encoding(opened, encoding)
    found: dict[str, None] = dict.fromkeys(_NAMES)
    cards = []
    for at, (_, card) in enumerate(_cards(opened, written)):  # any card may have one number more
        found |= dict.fromkeys(card)
        if len(found) > MAX_COLUMNS:
            msg = f"has more than {MAX_COLUMNS:,} kinds of numbers: that is no contact list"
            raise SourceError(msg, path=opened.name)
        if at < _SAMPLE_ROWS:
            cards.append(card)
    if not cards:
        msg = "is empty"
        raise SourceError(msg, path=opened.name, line=1)
    named = tuple(found)
    rows = [[card.get(column, "") for column in named] for card in cards]
    wanted = Wanted(columns, names, country, ask)
    chosen = choose_columns(named, rows, wanted, path=opened.name, line=1)
    made = VcardSource(opened, written, named, chosen)
    made.notes = tuple(written.notes)
    return made


def _cards(source: Input, encoding: Encoding) -> Iterator[tuple[int, Card]]:
    """Each card, and the line on which it begins."""
    held: list[str] = []
    begun = size = 0
    for line, written in _lines(source, encoding):
        if _BEGIN.fullmatch(written.removeprefix("\ufeff")):
            begun, held, size = line, [], 0
        held.append(written)
        size += len(written)
        if size > _MAX_CARD:
            break
        if begun and _END.fullmatch(written):
            yield begun, _card(list(_parsed(held, encoding, source.name, begun)))
            begun, held, size = 0, [], 0
    if held and any(map(str.strip, held)):
        msg = "the card that begins here does not end"
        raise SourceError(msg, path=source.name, line=begun or 1)


def _lines(source: Input, encoding: Encoding) -> Iterator[tuple[int, str]]:
    line = 0
    with source.reading() as file:
        text = io.TextIOWrapper(file, encoding.name, encoding.errors)  # type: ignore[type-var]
        try:
            for line, written in enumerate(iter(partial(text.readline, MAX_ROW), ""), 1):
                yield line, written
        except UnicodeError as error:
            msg = not_encoded(encoding.name, error)
            raise SourceError(msg, path=source.name, line=line + 1) from error


def _parsed(
    written: Sequence[str], encoding: Encoding, path: str | None, begun: int
) -> Iterator[ContentLine]:
    """The lines of a card, but those of what is in it besides."""
    depth = 0
    for at, text in unfolded(_without_pictures(written)):
        line = content_line(text, encoding.name)
        if line is None or (len(text) > MAX_ROW and line.name in _READ):
            msg = "is no line of a vCard: it should be such as TEL;TYPE=CELL:+49…"
            raise SourceError(msg, path=path, line=begun + at)
        depth += (line.name == "BEGIN") - (line.name == "END")
        if depth == 1:
            yield line


def _without_pictures(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a card with nothing in the place of those of pictures.

    They go on where a line is indented, or was too long to be read at once.
    """
    inside = whole = False
    for line in lines:
        goes_on = line[:1] in {" ", "\t"} or not whole
        inside = _PICTURE.match(line) is not None or (inside and goes_on)
        whole = line.endswith(("\n", "\r"))
        yield "" if inside else line


def _card(lines: Sequence[ContentLine]) -> Card:
    """What is in a card, under the names of columns."""
    labels = {line.group: unescaped(line.value) for line in lines if line.name == "X-ABLABEL"}
    found: Card = {"Name": _name(lines), "Organization": _organization(lines)}
    for line in _named("TEL", lines):
        kind = _kind(line, labels.get(line.group, "") if line.group else "")
        number = 1
        column = kind
        while column in found:
            number += 1
            column = f"{kind} {number}"
        found[column] = unescaped(line.value).strip().removeprefix("tel:")
    return found


def _named(name: str, lines: Iterable[ContentLine]) -> Iterator[ContentLine]:
    return (line for line in lines if line.name == name)


def _kind(line: ContentLine, label: str) -> str:
    """The column of a number: what it is for is said by its words, or by a label."""
    label = label.strip("_$!<> ")
    if label and role_of(label) is Role.NONE:
        return "Fax"
    if label and name_rank(label) == _RANK_OF_MOBILE:
        return "Mobile"
    return next((kind for types, kind in _KINDS if line.words & types), _OTHER)


def _name(lines: Sequence[ContentLine]) -> str:
    for line in _named("FN", lines):
        if name := unescaped(line.value).strip():
            return name
    for line in _named("N", lines):
        family, given, *_ = (*parts_of(line.value), "", "")
        return " ".join(filter(None, (given, family)))
    return ""


def _organization(lines: Sequence[ContentLine]) -> str:
    return next((" ".join(parts_of(line.value)).strip() for line in _named("ORG", lines)), "")
