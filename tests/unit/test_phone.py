"""A phone is an attrs value like any other, however it is made."""

from __future__ import annotations

import copy
import pickle
import weakref

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError

from asyncsdk import Phone
from asyncsdk.models import FIELDS, Problem, Withheld

WHOLE = Phone("+491601", "1", "2", "3", "4", "5", "message-7")


class Titled(Phone):
    """What a user may derive from it."""

    title = "Dr."


@attrs.frozen
class Dated(Phone):
    date: str = ""


@attrs.frozen(init=False)
class Numbered(Phone):
    number: int = attrs.field(kw_only=True)

    def __init__(self, phone: str, number: int) -> None:
        super().__init__(phone)
        object.__setattr__(self, "number", number)


def test_every_field_has_its_place() -> None:
    assert [getattr(WHOLE, name) for name in FIELDS] == ["+491601", *"12345", "message-7"]
    assert [field.name for field in attrs.fields(Phone)] == list(FIELDS)
    assert attrs.asdict(Phone("1")) == {"phone": "1", **dict.fromkeys(FIELDS[1:])}
    assert Phone(phone="1", callback_data="x") == Phone("1", None, None, None, None, None, "x")


@pytest.mark.parametrize("phone", [WHOLE, Titled("1"), Dated("1", date="today"), Withheld("1")])
def test_it_stays_as_it_was_made(phone: Phone) -> None:
    for name in (*FIELDS, "other", "__class__"):
        with pytest.raises(FrozenInstanceError):
            setattr(phone, name, "x")
        with pytest.raises(FrozenInstanceError):
            delattr(phone, name)


def test_derived_classes_are_themselves() -> None:
    assert type(Titled("1", "2")) is Titled
    assert Titled("1", "2").a == "2"
    assert Dated("1", date="today").date == "today"
    assert (Numbered("1", 7).phone, Numbered("1", 7).number) == ("1", 7)
    assert Withheld("1", problem=Problem("held")).problem.title == "held"


def test_copies_are_equal() -> None:
    for phone in (WHOLE, Phone("1")):
        assert pickle.loads(pickle.dumps(phone)) == phone  # noqa: S301 - our own
        assert copy.copy(phone) == copy.deepcopy(phone) == phone
        assert hash(copy.deepcopy(phone)) == hash(phone)
    assert attrs.evolve(WHOLE, phone="1") != WHOLE
    assert repr(Phone("1")).startswith("Phone(phone='1', a=None")


def test_it_can_be_referred_to_weakly() -> None:
    phone = Phone("1")
    assert weakref.ref(phone)() is phone


def test_a_number_is_needed() -> None:
    with pytest.raises(TypeError, match="phone"):
        Phone()  # type: ignore[call-arg]
