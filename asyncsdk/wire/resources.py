"""The other resources: single objects, and collections in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from attrs import frozen

from asyncsdk.errors import ProtocolError
from asyncsdk.models import Account, CreatedPhone, Group
from asyncsdk.wire import shapes
from asyncsdk.wire.convert import structure

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Page", "decode_object", "decode_page", "encode_object"]

T = TypeVar("T", Account, CreatedPhone, Group)


@frozen
class Page:
    """One page of a collection."""

    members: list[bytes]
    """The members as they stand in the reply."""
    next: str | None = None
    """Where the next page is: a URL or a path, as the reply has it; None after the last."""


def decode_object(body: bytes, kind: type[T]) -> T:
    """A resource from its JSON; a field that makes no sense is None.

    Raises:
        ProtocolError: It is no JSON object, or lacks what every such resource has.
    """
    try:
        value = shapes.plain(body)
    except shapes.UNREADABLE as error:
        raise _no_object(body) from error
    if not isinstance(value, dict):
        raise _no_object(body)
    blank: dict[str, object] = {"phone": None} if kind is CreatedPhone else {}
    if not isinstance(value.get("id"), (int, str)):
        msg = f"the reply is no {kind.__name__}: it has no id"
        raise ProtocolError(msg)
    try:
        return structure(blank | value, kind)
    except ValueError as error:
        msg = f"the reply is no {kind.__name__}: it lacks what every one has"
        raise ProtocolError(msg) from error


def _no_object(body: bytes) -> ProtocolError:
    return ProtocolError(f"the reply is no JSON object ({len(body)} bytes)")


def decode_page(body: bytes) -> Page:
    """The members of a page, and where the next one is.

    Raises:
        ProtocolError: There is no collection in it.
    """
    shape = shapes.parse(body)
    members = [bytes(raw) for raw in shapes.members(shape)[1]]
    return Page(members, None if isinstance(shape, list) else _next(shape))


def _next(shape: dict[str, shapes.Raw]) -> str | None:
    view = shapes.either(shape, "view")
    if view is None:
        return None
    try:
        link = shapes.either(msgspec.json.decode(view, type=dict[str, msgspec.Raw]), "next")
        found = None if link is None else shapes.plain(link)
    except shapes.UNREADABLE:
        return None
    if isinstance(found, dict):
        found = found.get("@id")
    return found if isinstance(found, str) else None


def encode_object(fields: Mapping[str, object]) -> bytes:
    """Fields to be written, as JSON."""
    return msgspec.json.encode(fields)
