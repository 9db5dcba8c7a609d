"""JSON in which the list of contacts is somewhere inside, and contacts with values inside. Pure."""

from __future__ import annotations

import io
import re
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import msgspec
from attrs import frozen

from asyncsdk.sources.bounds import MAX_ROW
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.names import name_rank

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DEEPER",
    "STRING",
    "TOKEN",
    "Begun",
    "Head",
    "flat",
    "head_of_object",
    "objects",
    "start_of_list",
]

STRING = r'"(?:[^"\\]++|\\.)*+"'
"""The pattern of a string in JSON."""
TOKEN = re.compile(rf'{STRING}|["{{}}\[\],]', re.DOTALL)
"""What tells how deep one is; a quote alone begins a string that does not end yet."""
DEEPER = {"{": 1, "[": 1, "}": -1, "]": -1}

_PHONES = 2
_DEEP = 8
_LIST_OF_OBJECTS = re.compile(r"\[\s*(?=\{)")
_Object = dict[str, msgspec.Raw]
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_parts = msgspec.json.Decoder(_Object).decode


@frozen
class Head:
    """The object that a text begins with, as far as it was read."""

    text: str
    """What was read, the object first."""
    size: int
    """Characters of the object, or of its beginning."""
    whole: bool
    """Whether it is all there."""

    @property
    def object(self) -> str:
        """It alone."""
        return self.text[: self.size]

    @property
    def follows(self) -> bool:
        """Whether something follows it."""
        return bool(self.text[self.size :].strip())

    @property
    def on_one_line(self) -> bool:
        """Whether its line has nothing else: then each line is a record."""
        return self.whole and "\n" not in self.object.strip()


class Begun:
    """A text of which something was read already.

    Args:
        begun: That.
        text: What follows.
    """

    def __init__(self, begun: str, text: IO[str]) -> None:
        self._begun = io.StringIO(begun, newline="\n")
        self._left = len(begun)
        """Characters of it that were not given yet."""
        self._text = text

    def readline(self, limit: int) -> str:
        """The next line; what is longer is cut."""
        if not self._left:
            return self._text.readline(limit)
        line = self._begun.readline(limit)
        self._left -= len(line)
        if line.endswith("\n") or len(line) >= limit:
            return line
        return line + self._text.readline(limit - len(line))

    def lines(self, limit: int) -> Iterator[str]:
        """All of them."""
        begun = []
        while self._left:
            begun.append(self.readline(limit))
        return chain(begun, iter(partial(self._text.readline, limit), ""))

    def read(self, size: int) -> str:
        """The next so many characters at most; none at the end."""
        piece = self._begun.read(size)
        self._left -= len(piece)
        return piece or self._text.read(size)


def head_of_object(text: IO[str], begun: str) -> Head:
    """The first object of a text; or its beginning, if it is larger than a contact can be.

    Args:
        text: What follows.
        begun: The line that it begins on.
    """
    read, depth = begun, _depth(begun)
    while depth > 0 and len(read) < MAX_ROW and (line := text.readline(MAX_ROW)):
        read += line
        depth += _depth(line)
    size = len(read)
    while depth <= 0 and not read[size:].strip() and (line := text.readline(MAX_ROW)):
        read += line
    return Head(read, size, depth <= 0)


def objects(text: Begun, first: int) -> Iterator[tuple[int, str]]:
    """Objects that stand one after the other, each over several lines: its line, and its text.

    Args:
        text: All of it.
        first: The number of its first line.
    """
    held, depth, begins = "", 0, first
    for line, written in enumerate(iter(lambda: text.readline(MAX_ROW), ""), first):
        if not held and not written.strip():
            continue
        begins = begins if held else line
        held += written
        depth += _depth(written)
        if depth <= 0 or len(held) > MAX_ROW:
            yield begins, held
            held, depth = "", 0
    if held:
        yield begins, held


def start_of_list(head: Head) -> int | None:
    """Where in a text the list begins that its first object wraps, behind its bracket.

    None if that object is a contact itself, or is not alone.

    Raises:
        ValueError: There are several such lists.
    """
    if not head.whole:
        found = _LIST_OF_OBJECTS.search(head.text)
        return None if found is None else found.end()
    if head.follows:
        return None
    try:
        wrapper = _decode(head.object)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if _has_phone(wrapper):
        return None
    lists = list(_lists(wrapper, ()))
    telling = [path for path, items in lists if any(map(_has_phone, items))] or [
        path for path, _ in lists
    ]
    if len(telling) > 1:
        named = " and ".join(repr(".".join(path)) for path in telling)
        msg = f"has several lists, {named}: save the one that has the contacts by itself"
        raise ValueError(msg)
    return _behind_bracket(head.object, telling[0]) if telling else None


_NESTED = frozenset((dict, list))


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the values inside its values under names of their own: `contact.phone`.

    Lists are such values where they are of phones: `phones.1.number`.
    """
    if _NESTED.isdisjoint(map(type, record.values())):
        return record
    return dict(_flattened(record, "", _DEEP))


def _flattened(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    phones = isinstance(value, list) and name_rank(name) >= _PHONES
    if depth and isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flattened(inner, f"{name}.{key}" if name else key, depth - 1)
    elif depth and phones and value:
        for number, inner in enumerate(value, 1):
            yield from _flattened(inner, f"{name}.{number}", depth - 1)
    else:
        yield name, value


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The lists of records in an object, and in those inside it."""
    for key, inner in value.items():
        if isinstance(inner, dict) and len(path) < _DEEP:
            yield from _lists(inner, (*path, key))
        elif isinstance(inner, list) and inner and _of_records(inner):
            yield (*path, key), inner


def _of_records(items: list[Any]) -> bool:
    return all(isinstance(item, dict) for item in items) or any(map(_has_phone, items))


def _has_phone(value: Any) -> bool:
    """Whether there is a phone in a value, or in the objects inside it: not in its lists."""
    if isinstance(value, dict):
        return any(map(_has_phone, value.values()))
    scalar = isinstance(value, (str, int)) and not isinstance(value, bool)
    return scalar and looks_like_phone(str(value))


def _behind_bracket(text: str, path: tuple[str, ...]) -> int:
    raw, before = text.encode(), 0
    for key in path:
        inner = bytes(_parts(raw)[key])
        before += raw.index(inner)
        raw = inner
    return len(text.encode()[: before + 1].decode())


def _depth(line: str) -> int:
    """How much deeper one is at the end of a line."""
    return sum(DEEPER.get(token[0], 0) for token in TOKEN.finditer(line))
