"""The shapes a reply may take, whichever generation of the server wrote it.

The provider's server mixes prefixed (`hydra:member`) and unprefixed (`member`) keys, arrays and
objects keyed by position, so each key is looked up on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNREADABLE", "Json", "Raw", "Shape", "either", "members", "parse", "plain"]

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a document raises that is no JSON, not what it should be, or nested too deeply."""

Raw = msgspec.Raw
Json = object
Shape = dict[str, Raw] | list[Raw]

_VALUES, _BYTES_OF_ONE = 300_000, 16
"""Values of a document at most: so many, and one more for so many bytes; in replies each has twenty
and more. Python makes fifty bytes of one that has two, so a bound for bytes alone would be none."""

_DIGITS = 10
"""Of the number of a row: no reply has so many rows."""

_decode_shape = msgspec.json.Decoder(Shape).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_array = msgspec.json.Decoder(list[Raw]).decode


def parse(body: bytes) -> Shape:
    """The outermost layer of a JSON document.

    Raises:
        ProtocolError: It is not JSON, is cut short, or is neither an object nor an array.
    """
    try:
        shape: Shape = _decode_shape(_bounded(body))
    except UNREADABLE as error:
        what = "empty" if not body.strip() else f"no JSON object or array ({len(body)} bytes)"
        msg = f"the reply is {what}"
        raise ProtocolError(msg) from error
    return shape


def plain(document: Raw | bytes) -> Json:
    """A JSON document as plain data.

    Raises:
        DecodeError: It is none, or has more values than any reply; and others of `UNREADABLE`.
    """
    return msgspec.json.decode(_bounded(document))


def _bounded(document: Raw | bytes) -> Raw | bytes:
    text = bytes(document)
    most = _VALUES + len(text) // _BYTES_OF_ONE
    if len(text) > most and sum(map(text.count, (b",", b"[", b"{"))) > most:
        msg = "the document has too many values"
        raise msgspec.DecodeError(msg)
    return document


def either(document: Mapping[str, Raw], key: str) -> Raw | None:
    """The value of `key`, with the `hydra:` prefix or without."""
    return document.get(f"hydra:{key}", document.get(key))


def members(shape: Shape) -> tuple[list[int] | None, list[Raw]]:
    """A collection's members, and the positions that the reply itself gives them.

    Returns:
        The positions where the collection is keyed (an array with gaps, as PHP writes it), else
        None; and the members in the order of the reply.

    Raises:
        ProtocolError: There is no collection in it.
    """
    if isinstance(shape, list):
        return None, shape
    found = either(shape, "member")
    if found is None:
        if "status" in shape and "body" in shape:
            return None, [msgspec.Raw(msgspec.json.encode(shape))]
        if shape and _numbered(shape):
            return _by_number(shape)
        msg = "the reply has no member collection"
        raise ProtocolError(msg)
    try:
        return _collected(found)
    except UNREADABLE as error:  # it is read layer by layer: a fault may lie within
        msg = "the reply's member cannot be read"
        raise ProtocolError(msg) from error


def _collected(found: Raw) -> tuple[list[int] | None, list[Raw]]:
    text = bytes(found).lstrip()
    if text.startswith(b"["):
        return None, _decode_array(found)
    if text.startswith(b"{"):
        return _keyed(found)
    if text == b"null":
        return None, []
    msg = "the reply's member is neither an array nor an object"
    raise ProtocolError(msg)


def _keyed(found: Raw) -> tuple[list[int] | None, list[Raw]]:
    """An object with the keys "0", "1", "3" …, or a single member."""
    entries = _decode_object(found)
    return _by_number(entries) if _numbered(entries) else (None, [found])


def _numbered(entries: dict[str, Raw]) -> bool:
    return all(key.isdecimal() and key.isascii() and len(key) < _DIGITS for key in entries)


def _by_number(entries: dict[str, Raw]) -> tuple[list[int] | None, list[Raw]]:
    positions = [int(key) for key in entries]
    in_order = positions == list(range(len(positions)))
    return None if in_order else positions, list(entries.values())
