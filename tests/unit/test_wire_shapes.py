"""Every shape of a batch reply gives the same members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import CreatedPhone, ProtocolError
from asyncsdk.wire.batch import decode_members, decode_reply, raw_members

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = {"status": 201, "body": {"@context": "/contexts/Phone", "id": "7", "phone": "+491"}}
BAD = {"status": 422, "body": {"title": "An error occurred", "detail": "phone: too long"}}

SHAPES: dict[str, Any] = {
    "prefixed": {"hydra:member": [GOOD, BAD], "hydra:totalItems": 2},
    "unprefixed": {"member": [GOOD, BAD], "totalItems": 2},
    "mixed": {"hydra:member": [GOOD, BAD], "totalItems": 2},
    "float total": {"hydra:member": [GOOD, BAD], "hydra:totalItems": 2.0},
    "total that makes no sense": {"hydra:member": [GOOD, BAD], "hydra:totalItems": "two"},
    "no total": {"member": [GOOD, BAD]},
    "context as a string": {"@context": "/contexts/Phone", "member": [GOOD, BAD]},
    "context as an object": {"@context": {"@vocab": "#"}, "member": [GOOD, BAD]},
    "view": {"hydra:member": [GOOD, BAD], "hydra:view": {"hydra:first": "/x"}},
    "plain array": [GOOD, BAD],
    "keyed": {"hydra:member": {"0": GOOD, "1": BAD}},
    "keyed, unprefixed": {"member": {"0": GOOD, "1": BAD}},
    "statuses as strings": {"member": [GOOD | {"status": "201"}, BAD | {"status": "422"}]},
    "one status as a string": {"member": [GOOD, BAD | {"status": "422"}]},
    "prefixed null beside": {"hydra:member": [GOOD, BAD], "member": None},
    "more keys in a member": {"member": [GOOD | {"@id": "/x"}, BAD | {"@type": "x"}]},
    "member context as an object": {
        "member": [{"status": 201, "body": GOOD["body"] | {"@context": {"a": "b"}}}, BAD]  # type: ignore[operator]
    },
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_members(shape: Any) -> None:
    good, bad = decode_members(json.dumps(shape).encode())
    assert good.status == 201
    assert good.created == CreatedPhone(7, "+491")
    assert good.problem is None
    assert bad.status == 422
    assert bad.created is None
    assert bad.problem is not None
    assert bad.problem.detail == "phone: too long"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_statuses_and_echoes(shape: Any, indent: int | None) -> None:
    reply = decode_reply(b" \r\n\t" + json.dumps(shape, indent=indent).encode() + b"\n")
    assert list(reply.statuses) == [201, 422]
    assert list(reply.echoes) == ["+491", None]
    assert reply.positions is None
    assert json.loads(reply.raw(0))["body"]["id"] == "7"
    assert json.loads(reply.raw(1))["body"] == BAD["body"]


@pytest.mark.parametrize("wrap", [lambda found: {"member": found}, lambda found: found])
def test_gaps_in_the_keys_are_positions(wrap: Callable[[object], object]) -> None:
    document = json.dumps(wrap({"0": GOOD, "1": BAD, "3": GOOD})).encode()
    reply = decode_reply(document)
    assert reply.positions == [0, 1, 3]
    assert list(reply.statuses) == [201, 422, 201]
    assert [member.status for member in decode_members(document)] == [201, 422, 201]


def test_keys_in_another_order_are_positions() -> None:
    reply = decode_reply(json.dumps({"member": {"1": BAD, "0": GOOD}}).encode())
    assert reply.positions == [1, 0]
    assert list(reply.statuses) == [422, 201]


@pytest.mark.parametrize("document", [GOOD, {"member": GOOD}, {"hydra:member": GOOD}])
def test_a_single_object(document: object) -> None:
    body = json.dumps(document).encode()
    assert [member.created for member in decode_members(body)] == [CreatedPhone(7, "+491")]
    reply = decode_reply(body)
    assert (list(reply.statuses), list(reply.echoes)) == ([201], ["+491"])


@pytest.mark.parametrize(
    "document", [b"[]", b'{"member":[]}', b'{"member":{}}', b'{"member":null}']
)
def test_no_members(document: bytes) -> None:
    assert decode_members(document) == []
    assert list(decode_reply(document).statuses) == []


@pytest.mark.parametrize(
    "member",
    [
        None,
        7,
        "x",
        [],
        {},
        {"status": None, "body": None},
        {"status": "x"},
        {"status": [201]},
        {"status": True, "body": {}},
        {"body": {"id": 1, "phone": "1"}},
    ],
)
def test_a_member_that_makes_no_sense_has_no_status(member: object) -> None:
    document = json.dumps({"member": [GOOD, member]}).encode()
    good, odd = decode_members(document)
    assert good.created == CreatedPhone(7, "+491")
    assert (odd.status, odd.created) == (None, None)
    assert odd.problem is not None
    assert list(decode_reply(document).statuses) == [201, None]


@pytest.mark.parametrize("body", [None, "text", 5, [1], {"phone": 7}, {"phone": None}])
def test_a_body_that_echoes_nothing(body: object) -> None:
    reply = decode_reply(json.dumps([{"status": 201, "body": body}]).encode())
    assert list(reply.statuses) == [201]
    assert list(reply.echoes) in ([None], ["7"])


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"   ",
        b"<html>Bad gateway</html>",
        b"null",
        b"5",
        b'"created"',
        b"{}",
        b'{"error": "x"}',
        b'{"member": 5}',
        b'{"member": "x"}',
        b'{"member": [',
        b'{"hydra:member":[{"status":201,"body":{"pho',
        b"[}",
        b"\xff\xfe",
        b'["\xff"]x',
        b'{"member": {"\xff": 1}}',
        b'{"hydra:member": {"0": {}, "\xc3": {}}}',
    ],
)
def test_what_is_no_collection_is_a_protocol_error(document: bytes) -> None:
    for decode in (decode_reply, decode_members, raw_members):
        with pytest.raises(ProtocolError):
            decode(document)


def test_an_invalid_byte_within_a_member_spares_the_others() -> None:
    document = b'[{"status":201,"body":{"id":1,"phone":"1","a":"\xff"}},{"status":409,"body":null}]'
    reply = decode_reply(document)
    assert list(reply.statuses) == [201, 409]
    first, second = decode_members(document)
    assert (first.status, second.status) == (201, 409)
