"""The shapes that the provider's replies take, each a `ReplyStyle`."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from aiohttp import web
from attrs import field, frozen
from attrs.validators import in_
from msgspec import UNSET, Struct, UnsetType

from asyncsdk.models import COLUMNS
from asyncsdk.sandbox.problems import ERROR_TYPES, ErrorStyle, Refusal, problem_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncsdk.sandbox.store import GroupRecord, StoredPhone

__all__ = ["ASKED", "STYLES", "Echo", "Member", "PhoneBody", "Replies", "ReplyStyle"]

Prefix = Literal["hydra", "none", "mixed"]
Container = Literal["list", "keyed", "keyed-gaps", "single", "array"]
Statuses = Literal["int", "string"]
Total = Literal["int", "float", "absent"]
Context = Literal["string", "object", "absent"]
Echo = Literal["as sent", "normalized", "none"]
"""How a reply spells the numbers: as they came, as digits with a leading +, or not at all."""

_CONTAINERS = ("list", "keyed", "keyed-gaps", "single", "array")


@frozen
class ReplyStyle:
    """One shape of replies; the single traits can be combined at will."""

    prefix: Prefix = field(default="hydra", validator=in_(("hydra", "none", "mixed")))
    """`hydra:member` and its like, `member`, or only the members prefixed."""
    container: Container = field(default="list", validator=in_(_CONTAINERS))
    """`member` as a list; as an object with the keys "0", "1" …, or with gaps ("0", "1", "3" …);
    as a single object where there is one member; or the whole reply as a plain array."""
    statuses: Statuses = field(default="int", validator=in_(("int", "string")))
    """A member's status as a number, or as a string such as "422"."""
    total: Total = field(default="int", validator=in_(("int", "float", "absent")))
    """`totalItems` as `2`, `2.0`, or absent."""
    context: Context = field(default="string", validator=in_(("string", "object", "absent")))
    """`@context` as a string, as an object, or absent."""
    errors: ErrorStyle = field(default="2-jsonld", validator=in_(ERROR_TYPES))
    """The generation that the error objects are of."""


STYLES: dict[str, ReplyStyle] = {
    "hydra": ReplyStyle(),
    "plain": ReplyStyle(prefix="none", errors="4"),
    "mixed": ReplyStyle(prefix="mixed", total="float", context="object", errors="3"),
    "array": ReplyStyle(container="array", context="absent", errors="2-json"),
    "keyed": ReplyStyle(container="keyed"),
    "keyed-gaps": ReplyStyle(prefix="none", container="keyed-gaps", errors="3"),
    "single": ReplyStyle(container="single"),
    "string-status": ReplyStyle(statuses="string"),
    "no-total": ReplyStyle(prefix="none", total="absent", context="absent", errors="4"),
    "jsonapi": ReplyStyle(errors="jsonapi"),
}
"""The named styles; between them they show every shape that is known."""

ASKED = "asked"
"""In the place of a style: plain JSON for those whose `Accept` prefers it, Hydra for all others."""


class PhoneBody(Struct, gc=False, rename={"context": "@context", "iri": "@id", "kind": "@type"}):
    """A phone as it is read."""

    context: str | dict[str, str] | UnsetType
    iri: str | UnsetType
    kind: str | UnsetType
    id: str
    phone: str | UnsetType
    a: str | UnsetType | None
    b: str | UnsetType | None
    c: str | UnsetType | None
    d: str | UnsetType | None
    e: str | UnsetType | None
    callback_data: str | UnsetType | None
    subscribed_at: int | None = None
    unsubscribed_at: int | None = None
    unsubscribe_reason: int | None = None


class Member(Struct, gc=False):
    """What a batch reply says of one phone."""

    status: int | str
    body: PhoneBody | dict[str, Any] | UnsetType


class Replies:
    """Turns what the sandbox has to say into responses.

    Args:
        style: The shape of all of them; None: of each the one that its request asks for.
        echo: How they spell the numbers.
    """

    def __init__(self, style: ReplyStyle | None, *, echo: Echo = "as sent") -> None:
        self._style = style
        self._echo = echo
        self._asked = ContextVar("asked", default=STYLES["hydra"])

    def heed(self, accept: str) -> None:
        """Note what a request accepts: the rest of its task is answered so."""
        self._asked.set(STYLES["array" if _prefers_plain(accept) else "hydra"])

    @property
    def style(self) -> ReplyStyle:
        """The shape of the reply to the current request."""
        return self._style or self._asked.get()

    @property
    def _linked(self) -> bool:
        """Whether that is JSON-LD, not plain JSON."""
        return self.style.container != "array"

    def phone(self, phone: StoredPhone) -> PhoneBody:
        """A phone as a body."""
        told, linked = self._echo != "none", self._linked
        return PhoneBody(
            self._context("Phone"),
            f"/phones/{phone.id}" if linked else UNSET,
            "Phone" if linked else UNSET,
            str(phone.id),
            phone.phone if told else UNSET,
            phone.a if told else UNSET,
            phone.b if told else UNSET,
            phone.c if told else UNSET,
            phone.d if told else UNSET,
            phone.e if told else UNSET,
            phone.callback_data if told else UNSET,
            phone.subscribed_at,
            phone.unsubscribed_at,
            phone.unsubscribe_reason,
        )

    def group(self, record: GroupRecord) -> dict[str, Any]:
        """A group as a body."""
        group = record.group
        names = {f"name_{column}": getattr(group, f"name_{column}") for column in COLUMNS}
        return {
            **self._link("Group", f"/groups/{group.id}"),
            "id": group.id,
            "name": group.name,
            "description": group.description,
            **names,
            "deleted_at": group.deleted_at,
            "count_items": len(record.phones),
        }

    def member(self, status: int, phone: StoredPhone) -> Member:
        """A phone that was taken in."""
        return Member(self._status(status), self.phone(phone))

    def bad_member(self, refusal: Refusal) -> Member:
        """A phone that was refused."""
        body = problem_body(self.style.errors, refusal)
        return Member(self._status(refusal.status), body)

    def collection(
        self,
        iri: str,
        members: Sequence[object],
        *,
        total: int | None = None,
        view: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> web.Response:
        """A list of things, or one page of it.

        Args:
            iri: Path of the whole collection.
            members: What it holds, or what of it stands on this page.
            total: Size of the whole collection, if it is more than the members.
            view: IRIs of the first, last, previous and next pages.
            status: HTTP status of the reply.
        """
        if not self._linked:
            return self._json(members, status)
        style = self.style
        plain = style.prefix == "none"
        body = self._link("Collection" if plain else "hydra:Collection", iri)
        if style.total != "absent":
            size = len(members) if total is None else total
            body[self._key("totalItems")] = float(size) if style.total == "float" else size
        body["member" if plain else "hydra:member"] = self._contain(members)
        if view:
            body[self._key("view")] = {self._key(name): page for name, page in view.items()}
        return self._json(body, status)

    def one(self, body: object, status: int = 200) -> web.Response:
        """A single resource."""
        return self._json(body, status)

    def refusal(self, refusal: Refusal, headers: Mapping[str, str] | None = None) -> web.Response:
        """A whole request refused."""
        return web.Response(
            body=msgspec.json.encode(problem_body(self.style.errors, refusal)),
            status=refusal.status,
            content_type=ERROR_TYPES[self.style.errors],
            headers=headers,
        )

    def _json(self, body: object, status: int) -> web.Response:
        kind = "application/ld+json" if self._linked else "application/json"
        return web.Response(body=msgspec.json.encode(body), status=status, content_type=kind)

    def _key(self, name: str) -> str:
        return f"hydra:{name}" if self.style.prefix == "hydra" else name

    def _status(self, status: int) -> int | str:
        return str(status) if self.style.statuses == "string" else status

    def _context(self, name: str) -> str | dict[str, str] | UnsetType:
        if not self._linked or self.style.context == "absent":
            return UNSET
        if self.style.context == "string":
            return f"/contexts/{name}"
        return {"@vocab": "/docs.jsonld#", "hydra": "http://www.w3.org/ns/hydra/core#"}

    def _link(self, kind: str, iri: str) -> dict[str, Any]:
        if not self._linked:
            return {}
        context = self._context(kind.removeprefix("hydra:"))
        link = {"@id": iri, "@type": kind}
        return link if context is UNSET else {"@context": context, **link}

    def _contain(self, members: Sequence[object]) -> object:
        match self.style.container:
            case "keyed":
                return {str(i): member for i, member in enumerate(members)}
            case "keyed-gaps":  # 0 1 3 4 6 …: what PHP makes of an array with holes
                return {str(i + i // 2): member for i, member in enumerate(members)}
            case "single" if len(members) == 1:
                return members[0]
            case _:
                return members


_ACCEPTED = re.compile(r"([*\w.+-]+/[*\w.+-]+)(?:\s*;\s*q=([01](?:\.\d+)?))?")


def _prefers_plain(accept: str) -> bool:
    """Whether an `Accept` header (RFC 9110 §12.5.1) ranks plain JSON above JSON-LD."""
    return _quality(accept, "application/json") > _quality(accept, "application/ld+json", "*/*")


def _quality(accept: str, *kinds: str) -> float:
    """How much the header likes the best of these media types; 0 where it names none of them."""
    entries = _ACCEPTED.findall(accept.lower())
    return max((float(rank or 1) for kind, rank in entries if kind in kinds), default=0.0)
