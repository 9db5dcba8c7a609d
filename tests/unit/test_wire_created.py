"""A created phone: all the documented fields, and no error from any of them."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import CreatedPhone, UnsubscribeReason
from asyncsdk.wire.batch import created_of, decode_ids, ids_alone
from asyncsdk.wire.convert import moment, structure, unstructure

NOON = datetime(2024, 5, 17, 12, 0, 0, tzinfo=UTC)
STAMP = int(NOON.timestamp())


def created(**fields: Any) -> CreatedPhone:
    found = created_of(json.dumps({"id": "7", "phone": "+491", **fields}).encode())
    assert found is not None
    return found


def test_every_documented_field() -> None:
    found = created(
        **{"@context": {"@vocab": "#"}, "@id": "/phones/7", "@type": "Phone"},
        **dict.fromkeys("abcde", "x"),
        callback_data="m-1",
        subscribed_at=STAMP,
        unsubscribed_at=None,
        unsubscribe_reason=2,
    )
    assert found == CreatedPhone(
        7, "+491", "x", "x", "x", "x", "x", "m-1", NOON, None, UnsubscribeReason.TOO_MANY_MESSAGES
    )


@pytest.mark.parametrize(
    "value",
    [
        STAMP,
        float(STAMP),
        str(STAMP),
        "2024-05-17T12:00:00+00:00",
        "2024-05-17T12:00:00Z",
        "2024-05-17T14:00:00+02:00",
        "2024-05-17 12:00:00",
        "2024-05-17T12:00:00",
    ],
)
def test_points_in_time(value: object) -> None:
    found = created(subscribed_at=value, unsubscribed_at=value)
    assert found.subscribed_at == found.unsubscribed_at == NOON
    assert found.subscribed_at is not None
    assert found.subscribed_at.tzinfo is not None
    assert moment(value) == NOON


@pytest.mark.parametrize("value", [None, "", "soon", [], {}, True, 1e300, "9" * 400, float("-inf")])
def test_what_is_no_point_in_time_is_none(value: object) -> None:
    assert moment(value) is None
    if value != float("-inf"):
        assert created(subscribed_at=value).subscribed_at is None


@pytest.mark.parametrize("number", range(1, 7))
def test_known_reasons(number: int) -> None:
    reason = created(unsubscribe_reason=number).unsubscribe_reason
    assert reason is UnsubscribeReason(number)
    assert not reason.name.startswith("UNKNOWN")


@pytest.mark.parametrize("number", [0, 7, 99, -1])
def test_unknown_reasons_survive(number: int) -> None:
    found = created(unsubscribe_reason=number)
    reason = found.unsubscribe_reason
    assert reason is not None
    assert (reason.value, reason.name) == (number, f"UNKNOWN_{number}")
    assert reason == number
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    assert unstructure(found)["unsubscribe_reason"] == number


def test_a_reason_as_a_string() -> None:
    assert created(unsubscribe_reason="3").unsubscribe_reason is UnsubscribeReason.NOT_INTERESTED
    assert created(unsubscribe_reason="9").unsubscribe_reason == 9
    assert created(unsubscribe_reason="?").unsubscribe_reason is None


@pytest.mark.parametrize("value", [7, "7", 7.0])
def test_ids(value: object) -> None:
    assert created(id=value).id == 7


@pytest.mark.parametrize("value", [None, "", "x", [], {}])
def test_an_id_that_makes_no_sense_is_none(value: object) -> None:
    found = created(id=value)
    assert (found.id, found.phone) == (None, "+491")


def test_numbers_where_texts_belong() -> None:
    found = created(phone=491, a=1, callback_data=5)
    assert (found.phone, found.a, found.callback_data) == ("491", "1", "5")


@pytest.mark.parametrize("body", [b"null", b"[]", b"5", b'"x"', b"", b"{"])
def test_no_object_is_no_phone(body: bytes) -> None:
    assert created_of(body) is None


@pytest.mark.parametrize("body", [b"{}", b'{"@id":"/phones/7"}'])
def test_an_object_without_fields(body: bytes) -> None:
    assert created_of(body) == CreatedPhone(None, None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = [*"abcde", "id", "phone", "callback_data", "subscribed_at", "unsubscribe_reason"]


@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_no_value_of_any_field_raises(body: dict[str, Any]) -> None:
    found = created_of(json.dumps(body).encode(errors="replace"))
    assert isinstance(found, CreatedPhone)


def test_plain_data_and_back() -> None:
    there = CreatedPhone(7, "+491", subscribed_at=NOON.astimezone(timezone(timedelta(hours=2))))
    plain = unstructure(there)
    assert json.loads(json.dumps(plain)) == plain
    assert structure(plain, CreatedPhone) == there


@pytest.mark.parametrize("shape", ["array", "collection"])
def test_ids_are_told_apart_up_to_the_greatest(shape: str) -> None:
    """What fits in 64 bits is an id; what does not is none, and no error."""
    ids = [1, 2**53 + 1, 2**62, 2**62 + 1, 2**63 - 1, 2**63, 2**70]
    members = [{"status": 201, "body": {"id": str(known)}} for known in ids]
    document = json.dumps(members if shape == "array" else {"member": members}).encode()
    assert decode_ids(document) == [*ids[:5], None, None]
    assert decode_ids(ids_alone(document)) == [*ids[:5], None, None]
