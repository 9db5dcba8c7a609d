"""The reply to a batch of phones: a status for each."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated

import msgspec
from attrs import frozen

from asyncsdk.models import CreatedPhone, Problem
from asyncsdk.status import is_success
from asyncsdk.value import Value
from asyncsdk.wire import shapes
from asyncsdk.wire.convert import structure
from asyncsdk.wire.problems import encode_problem, in_short, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "BatchMember",
    "BatchReply",
    "BatchResponse",
    "created_of",
    "decode_ids",
    "decode_member",
    "decode_members",
    "decode_reply",
    "encode_members",
    "ids_alone",
    "kept",
    "member_of",
    "member_of_created",
    "raw_members",
]


@frozen
class BatchMember:
    """The answer for one phone of a batch."""

    status: int | None
    """HTTP status of this phone; None if the reply named none."""
    created: CreatedPhone | None = None
    """The phone as stored, where the status is 2xx."""
    problem: Problem | None = None
    """Why it was refused, elsewhere."""


@frozen
class BatchResponse:
    """The reply to one `POST /groups/{id}/phones/batch`."""

    members: tuple[BatchMember, ...]
    """In the order of the reply."""
    status: int = 201
    """HTTP status of the whole reply."""
    request_id: str | None = None
    """The reply's `X-LOX24-REQUEST-ID`."""


class _Echo(msgspec.Struct, gc=False):
    phone: str | None = None


class _Member(msgspec.Struct, gc=False):
    status: int
    body: _Echo | None = None


class _Usual(msgspec.Struct):
    prefixed: list[_Member] | None = msgspec.field(default=None, name="hydra:member")
    plain: list[_Member] | None = msgspec.field(default=None, name="member")


_Success = Annotated[int, msgspec.Meta(ge=200, lt=300)]


class _Created(msgspec.Struct, gc=False):
    status: _Success
    body: _Echo


_decode_usual = msgspec.json.Decoder(_Usual).decode
_decode_array = msgspec.json.Decoder(list[_Member]).decode
_decode_all_created = msgspec.json.Decoder(list[_Created]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class BatchReply(Value, frozen=True, eq=False, dict=True):
    """What the pipeline needs of a reply: statuses and echoed numbers, member by member."""

    document: bytes
    """The whole reply."""
    echoes: Sequence[str | None]
    """The number in each member's body, None where it has none."""
    positions: Sequence[int] | None = None
    """The position that a keyed reply gives each member, None where it is a plain array."""
    _statuses: Sequence[int | None] | None = None
    """None where all were seen to be 2xx."""

    @property
    def all_created(self) -> bool:
        """Whether the status of every member is 2xx."""
        return self._statuses is None or all(map(is_success, set(self._statuses)))

    @cached_property
    def statuses(self) -> Sequence[int | None]:
        """The status of each member."""
        if self._statuses is not None:
            return self._statuses
        return [member.status for member in _decode_array(self.document)]

    def raw(self, position: int) -> bytes:
        """One member as it stands in the document."""
        return self._raws[position]

    @cached_property
    def _raws(self) -> list[bytes]:
        return raw_members(self.document)

    def echo(self, position: int) -> CreatedPhone:
        """What one member repeats of its row, as far as that can be read."""
        echoed = created_of(_split(self.raw(position))[1])
        return echoed or CreatedPhone(None, self.echoes[position])


def decode_reply(document: bytes) -> BatchReply:
    """Statuses and echoed numbers of a batch reply, in every shape it may take.

    Raises:
        ProtocolError: There is no collection in it.
    """
    try:  # a plain array by which all are created, as nearly always
        return BatchReply(document, [m.body.phone for m in _decode_all_created(document)])
    except shapes.UNREADABLE:
        pass
    usual = _usual(document)
    if usual is not None:
        echoes = [None if m.body is None else m.body.phone for m in usual]
        return BatchReply(document, echoes, None, [m.status for m in usual])
    positions, raws = shapes.members(shapes.parse(document))
    pairs = [_status_and_echo(raw) for raw in raws]
    return BatchReply(document, [e for _, e in pairs], positions, [s for s, _ in pairs])


def _usual(document: bytes) -> list[_Member] | None:
    """The shapes that C code can read in one go; None for all others."""
    try:
        if document.lstrip(b" \r\n\t").startswith(b"["):
            return _decode_array(document)
        found = _decode_usual(document)
    except shapes.UNREADABLE:
        return None
    return found.prefixed if found.prefixed is not None else found.plain


def _split(raw: msgspec.Raw | bytes) -> tuple[int | None, bytes]:
    """A member's status and the bytes of its body."""
    try:
        parts = _decode_object(raw)
    except shapes.UNREADABLE:
        return None, b"null"
    try:
        status = msgspec.json.decode(parts.get("status", b"null"), type=int, strict=False)
    except shapes.UNREADABLE:
        status = None
    return status, bytes(parts.get("body", b"null"))


def _status_and_echo(raw: msgspec.Raw) -> tuple[int | None, str | None]:
    status, body = _split(raw)
    try:
        return status, msgspec.json.decode(body, type=_Echo).phone
    except shapes.UNREADABLE:  # a number that is no text, as PHP may write it
        echoed = created_of(body)
        return status, None if echoed is None else echoed.phone


def raw_members(document: bytes) -> list[bytes]:
    """The members of a reply as they stand in it.

    Raises:
        ProtocolError: There is no collection in it.
    """
    return [bytes(raw) for raw in shapes.members(shapes.parse(document))[1]]


def encode_members(raws: Iterable[bytes]) -> bytes:
    """A plain collection of these members: `decode_members` reads it back."""
    return b"[" + b",".join(raws) + b"]"


_ROOM, _ROOM_FOR_EACH = 1024, 16
"""Bytes that are kept of the answer for one phone, and so many more for each byte of its row: texts
are repeated, and escaped, with six bytes for one."""
_NUMBER = 64
"""Characters of a number that is kept of a longer answer."""


def kept(members: bytes, rows: int, sent: int) -> bytes:
    """A collection as it is kept; of one that is far larger than what was asked, the essentials.

    Args:
        members: The collection.
        rows: How many rows it answers.
        sent: How many bytes these have.
    """
    if len(members) <= _ROOM * rows + _ROOM_FOR_EACH * sent:
        return members
    return encode_members(map(_essentials, raw_members(members)))


def _essentials(raw: bytes) -> bytes:
    member = decode_member(raw)
    if member.created is None:
        return member_of(in_short(member.problem or Problem()), member.status)
    number = member.created.phone
    whole = number is None or len(number) <= _NUMBER
    created = CreatedPhone(member.created.id, number if whole else None)
    return msgspec.json.encode({"status": member.status, "body": created})


def member_of(problem: Problem, status: int | None = None) -> bytes:
    """A member that says this problem: what is found elsewhere is kept like a reply."""
    return msgspec.json.encode({"status": status, "body": encode_problem(problem)})


_decode_created = msgspec.json.Decoder(CreatedPhone, strict=False).decode


def decode_members(document: bytes) -> list[BatchMember]:
    """Every member of a reply in full, in the order of the reply.

    Raises:
        ProtocolError: There is no collection in it.
    """
    stored = _stored(document)
    if stored is not None:
        return stored
    return [decode_member(raw) for raw in shapes.members(shapes.parse(document))[1]]


class _Stored(msgspec.Struct):
    status: _Success
    body: CreatedPhone


_decode_stored = msgspec.json.Decoder(list[_Stored], strict=False).decode


def _stored(document: bytes) -> list[BatchMember] | None:
    """The members of a plain reply by which all phones were created, in one go; None of others."""
    if not document.startswith(b"["):
        return None
    try:
        stored = _decode_stored(document)
    except shapes.UNREADABLE:
        return None
    if not all(_dated(member.body) for member in stored):
        return None
    return [BatchMember(member.status, created=member.body) for member in stored]


def _dated(created: CreatedPhone) -> bool:
    """Whether its times say where they are."""
    subscribed, unsubscribed = created.subscribed_at, created.unsubscribed_at
    return (subscribed is None or subscribed.tzinfo is not None) and (
        unsubscribed is None or unsubscribed.tzinfo is not None
    )


def decode_member(raw: msgspec.Raw | bytes) -> BatchMember:
    """One member in full."""
    status, body = _split(raw)
    if is_success(status):
        return BatchMember(status, created=created_of(body))
    read = _read_before if len(body) <= _SHORT else problem_of
    return BatchMember(status, problem=read(body, status))


_SHORT = 1024
_read_before = lru_cache(maxsize=256)(problem_of)
"""Most phones of a list that are refused are refused in the same few words."""


def created_of(body: bytes) -> CreatedPhone | None:
    """A created phone from its JSON; a field that makes no sense is None, not an error."""
    try:
        created = _decode_created(body)
    except shapes.UNREADABLE:
        return _loosely(body)
    return created if _dated(created) else _loosely(body)


def _loosely(body: bytes) -> CreatedPhone | None:
    try:
        value = shapes.plain(body)
    except shapes.UNREADABLE:
        return None
    if not isinstance(value, dict):
        return None
    return structure({"id": None, "phone": None} | value, CreatedPhone)


def member_of_created(created: CreatedPhone) -> bytes:
    """A member that says this phone was created: what the export shows is kept like a reply."""
    return msgspec.json.encode({"status": 200, "body": created})


_GREATEST = 2**63 - 1
"""Of the ids that can be told apart; the others are as good as none."""


class _Identified(msgspec.Struct, gc=False):
    id: Annotated[int, msgspec.Meta(le=_GREATEST)] | None = None


class _IdMember(msgspec.Struct, gc=False):
    body: _Identified | None = None


class _IdReply(msgspec.Struct):
    prefixed: list[_IdMember] | None = msgspec.field(default=None, name="hydra:member")
    plain: list[_IdMember] | None = msgspec.field(default=None, name="member")


_decode_id_reply = msgspec.json.Decoder(_IdReply, strict=False).decode
_decode_id_array = msgspec.json.Decoder(list[_IdMember], strict=False).decode


def decode_ids(document: bytes) -> list[int | None]:
    """The ids of the created phones of a reply; None for a member that has none.

    Raises:
        ProtocolError: There is no collection in it.
    """
    try:
        if document.startswith(b"["):
            members = _decode_id_array(document)
        else:
            reply = _decode_id_reply(document)
            members = reply.prefixed or reply.plain or []
    except shapes.UNREADABLE:
        members = []
    if members:
        return [None if m.body is None else m.body.id for m in members]
    ids = [None if m.created is None else m.created.id for m in decode_members(document)]
    return [None if known is None or known > _GREATEST else known for known in ids]


def ids_alone(document: bytes) -> bytes:
    """The members of a reply without all but their ids: `decode_ids` reads them."""
    members = [_IdMember(_Identified(known)) for known in decode_ids(document)]
    return msgspec.json.encode(members)
