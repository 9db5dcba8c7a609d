"""What is posted: a JSON array of phones, which reads back as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Phone
from asyncsdk.wire.rows import decode_phones, encode_rows, rows_of

texts = st.text(st.characters(codec="utf-8"), max_size=50)
optional = st.none() | texts
anything = st.builds(Phone, texts, optional, optional, optional, optional, optional, optional)


@given(st.lists(anything))
def test_round_trip(phones: list[Phone]) -> None:
    assert decode_phones(encode_rows(rows_of(phones))) == phones


@given(st.lists(anything))
def test_other_readers_read_the_same(phones: list[Phone]) -> None:
    read = json.loads(encode_rows(rows_of(phones)))
    assert [Phone(**row) for row in read] == phones


def test_only_what_is_given_is_sent() -> None:
    sent = encode_rows(rows_of([Phone("+491"), Phone("+492", b="", callback_data="x")]))
    assert json.loads(sent) == [{"phone": "+491"}, {"phone": "+492", "b": "", "callback_data": "x"}]


def test_a_lone_surrogate_cannot_be_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_rows(rows_of([Phone("\ud800")]))
