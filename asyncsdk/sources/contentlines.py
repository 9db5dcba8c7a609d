r"""The content lines of a vCard: `item1.TEL;TYPE=CELL:+49…` (RFC 6350 §3.3, and vCard 2.1). Pure.

Programs write them as they can: in quoted-printable or base64, in a character set that is named and
is not that of the bytes. What cannot be decoded is shown as it stands: a name in bad letters is no
reason to lose the numbers of a thousand cards. Everything takes linear time, whatever stands there.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.charsets import charset_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ContentLine", "content_line", "parts_of", "unescaped", "unfolded"]

_HEAD = re.compile(r"\s*(?:([\w-]+)\.)?([\w-]+)", re.ASCII)
_PARAMETER = re.compile(r';\s*([\w-]*)\s*(?:=((?:"[^"]*"|[^";:])*))?', re.ASCII)
_QUOTED_PRINTABLE = re.compile(r"[;=,]\s*QUOTED-PRINTABLE", re.IGNORECASE)
_ESCAPE = re.compile(r'\\([\\;,:"nN])')
_PART = re.compile(r"(?:^|;)((?:[^;\\]+|\\.?)*)", re.DOTALL)
_NUMBER = re.compile(r"(?:[\w-]+\.)?(?:TEL|BEGIN|END)[;:]", re.IGNORECASE | re.ASCII)
"""What no text goes on with: a number, or the end of a card."""
_BASE64 = frozenset(("B", "BASE64"))
_BYTES = bytes(range(256))


@frozen
class ContentLine:
    """One line, whose value is a text."""

    group: str
    """What it shares with others that belong to it; empty if it has none."""
    name: str
    """In capitals."""
    words: frozenset[str]
    """What its parameters say, in capitals: `TYPE=cell,voice` and `CELL;VOICE` alike."""
    value: str
    """Decoded, with its escapes."""


def unfolded(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each logical line, and the number of the line on which it begins, from 0."""
    begun, held, soft, goes_on = 0, [""], False, False
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        if goes_on and text and not _NUMBER.match(text):
            held += ["\n", text]
        elif text[:1] in {" ", "\t"} and held[0]:
            held.append(text[1:])
        else:
            if held[0].strip():
                yield begun, "".join(held)
            begun, held = number, [text]
            soft = _QUOTED_PRINTABLE.search(text.partition(":")[0]) is not None
        goes_on = soft and text.endswith("=")  # indented or not
    if held[0].strip():
        yield begun, "".join(held)


def content_line(text: str, encoding: str) -> ContentLine | None:
    """A logical line in its parts; None if it is none.

    Args:
        text: As `unfolded` gave it.
        encoding: By which its file was read.
    """
    head = _HEAD.match(text)
    if head is None:
        return None
    at, given = head.end(), []
    while found := _PARAMETER.match(text, at):
        at = found.end()
        given.append((found[1].upper(), (found[2] or "").replace('"', "")))
    if text[at : at + 1] != ":":
        return None
    words = frozenset(word.strip().upper() for name, value in given for word in _words(name, value))
    charset = next((value for name, value in given if name == "CHARSET"), "")
    value = _decoded(text[at + 1 :], words, charset.strip(), encoding)
    return ContentLine((head[1] or "").upper(), head[2].upper().replace("_", "-"), words, value)


def unescaped(text: str) -> str:
    """A value without its escapes."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def parts_of(text: str) -> list[str]:
    """The parts of a value that has some, each without its escapes."""
    return [unescaped(part).strip() for part in _PART.findall(text)]


def _words(name: str, value: str) -> list[str]:
    if name in {"TYPE", "ENCODING"}:
        return value.split(",")
    return [] if value else [name]


def _decoded(value: str, words: frozenset[str], charset: str, encoding: str) -> str:
    if "QUOTED-PRINTABLE" in words:
        return _text(quopri.decodestring(value.encode(errors="replace")), charset)
    if words & _BASE64:
        try:
            return _text(base64.b64decode(value + "=="), charset)
        except (binascii.Error, ValueError):
            return value
    if charset and not value.isascii() and not encoding.startswith("utf"):
        try:
            return _text(value.encode(encoding), charset)
        except UnicodeEncodeError:
            return value
    return value


def _text(raw: bytes, charset: str) -> str:
    """What these bytes say: in the character set that is named, unless they are in another."""
    named = charset_of(charset)
    wide = [named] if named and not _is_codepage(named) else []
    narrow = [named] if named and not wide else []
    for name in (*wide, "utf-8", *narrow):
        try:
            return raw.decode(name)
        except UnicodeError:
            continue
    return raw.decode("cp1252", "replace")


def _is_codepage(name: str) -> bool:
    """Whether each byte is a character: then bytes that are UTF-8 are not in it by chance."""
    return len(_BYTES.decode(name, "replace")) == len(_BYTES)
