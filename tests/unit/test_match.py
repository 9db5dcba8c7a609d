"""Members of a reply find their rows, whatever the server did to them."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from hypothesis import assume, given
from hypothesis import strategies as st

from asyncsdk.models import FIELDS
from asyncsdk.upload.verdict.matching import Places, match
from asyncsdk.wire.batch import decode_reply
from asyncsdk.wire.rows import Row, encode_rows

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS: tuple[Callable[[str], str], ...] = (
    lambda number: number,
    lambda number: number.removeprefix("+"),
    lambda number: "00" + number.removeprefix("+"),
    lambda number: "0" + number.removeprefix("+49"),
    lambda number: f"{number[:3]} (0){number[3:6]} {number[6:9]}-{number[9:]}",
)


def numbers_of(count: int) -> list[str]:
    """Different numbers of eleven digits, without any order."""
    return [f"+4915{n}" for n in random.Random(count).sample(range(10**8, 10**9), count)]


@frozen
class Sent:
    """A batch of numbers."""

    each: list[str]

    @property
    def numbers(self) -> bytes:
        return encode_rows(self.each)

    @property
    def rows(self) -> list[Row]:
        return [Row(number) for number in self.each]


@frozen
class Told:
    """A batch of phones."""

    rows: list[Row]

    @property
    def numbers(self) -> bytes:
        return encode_rows([row.phone for row in self.rows])


def match_json(numbers: list[str], members: object) -> Places | None:
    return match(Sent(numbers), decode_reply(json.dumps(members).encode()))


def places(numbers: list[str], members: object) -> list[int | None]:
    """Where each row finds its member."""
    found = match_json(numbers, members)
    return list(range(len(numbers))) if found is None else found


def member(phone: str | None, status: int = 201) -> dict[str, Any]:
    return {"status": status, "body": None if phone is None else {"id": 1, "phone": phone}}


@given(st.data(), st.integers(0, 12))
def test_any_permutation_in_any_spelling(data: st.DataObject, count: int) -> None:
    numbers = numbers_of(count)
    order = data.draw(st.permutations(range(count)))
    spell = st.sampled_from(FORMATS)
    told = [member(data.draw(spell)(numbers[row])) for row in order]
    found = places(numbers, told)
    assert [order[place] for place in found if place is not None] == list(range(count))


@given(st.data(), st.integers(1, 12))
def test_any_subset_in_any_order(data: st.DataObject, count: int) -> None:
    numbers = numbers_of(count)
    order = data.draw(st.lists(st.sampled_from(range(count)), unique=True, max_size=count - 1))
    spell = data.draw(st.sampled_from(FORMATS))
    found = places(numbers, [member(spell(numbers[row])) for row in order])
    for row, place in enumerate(found):
        assert place == (order.index(row) if row in order else None)


@given(st.data(), st.integers(1, 10))
def test_alien_members_answer_nobody(data: st.DataObject, count: int) -> None:
    numbers = numbers_of(count)
    aliens = [f"+43{n}" for n in range(900_000_000, 900_000_003)]
    told = data.draw(st.permutations([*numbers, *aliens]))
    found = places(numbers, [member(number) for number in told])
    assert [told[place] for place in found if place is not None] == numbers


@given(st.data(), st.integers(1, 10), st.sampled_from([409, 422]))
def test_refusals_without_a_number_stand_where_their_rows_stand(
    data: st.DataObject, count: int, status: int
) -> None:
    numbers = numbers_of(count)
    bad = data.draw(st.sets(st.sampled_from(range(count))))
    spell = data.draw(st.sampled_from(FORMATS))
    told = [
        member(None, status) if row in bad else member(spell(number))
        for row, number in enumerate(numbers)
    ]
    assert places(numbers, told) == list(range(count))


@given(st.data(), st.integers(1, 10))
def test_in_another_order_equal_refusals_go_to_the_rows_left_over(
    data: st.DataObject, count: int
) -> None:
    numbers = numbers_of(count)
    bad = data.draw(st.sets(st.sampled_from(range(count))))
    order = data.draw(st.permutations(range(count)))
    told = [member(None, 422) if row in bad else member(numbers[row]) for row in order]
    found = places(numbers, told)
    assert sorted(place for place in found if place is not None) == list(range(count))
    good = [row for row in range(count) if row not in bad]
    if order != sorted(order) and any(order.index(row) != row for row in good):
        for row in good:
            assert order[found[row]] == row  # type: ignore[index]
            assert told[found[row]]["status"] == 201  # type: ignore[index]


@given(st.data(), st.integers(1, 10))
def test_keys_with_gaps_name_the_rows(data: st.DataObject, count: int) -> None:
    """A PHP array with holes: the rows that are missing have no answer."""
    numbers = numbers_of(count)
    there = sorted(data.draw(st.sets(st.sampled_from(range(count)), max_size=count - 1)))
    echo = data.draw(st.booleans())
    told = {"member": {str(row): member(numbers[row] if echo else None) for row in there}}
    assume(there != list(range(len(there))) or (echo and len(there) > 1))  # a plain short list
    found = places(numbers, told)
    assert found == [there.index(row) if row in there else None for row in range(count)]


def test_duplicates_are_answered_one_each() -> None:
    numbers = ["+491", "+492", "+491", "+491"]
    told = [member("+491"), member("+491"), member("+492"), member("+491")]
    found = places(numbers, told)
    assert found[1] == 2
    assert sorted(place for place in found if place is not None) == [0, 1, 2, 3]
    short = places(numbers, told[1:])
    assert short[1] == 1
    assert sum(place is None for place in short) == 1


def test_without_any_numbers_and_with_too_few_members_nobody_knows() -> None:
    assert places(["+491", "+492"], [member(None)]) == [None, None]
    assert places(["+491", "+492"], []) == [None, None]


def test_a_reformatted_number_is_no_mismatch() -> None:
    assert match_json(["0151 123456"], [member("+49151123456")]) is (None)


def test_the_number_of_another_row_is_never_taken_for_ones_own() -> None:
    """Short numbers end like long ones; what decides is that it was sent by another row."""
    numbers = ["+4930123456", "123456", "+4915112345678"]
    told = [member(numbers[1]), member(numbers[0]), member(numbers[2])]
    assert places(numbers, told) == [1, 0, 2]


def steps(count: int) -> int:
    """Lines of Python that the matching of a reversed reply executes."""
    numbers = numbers_of(count)
    reply = decode_reply(json.dumps([member(number) for number in reversed(numbers)]).encode())
    taken = 0

    def trace(frame: object, event: str, arg: object) -> Any:  # noqa: ARG001 - sys.settrace's
        nonlocal taken
        taken += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        match(Sent(numbers), reply)
    finally:
        sys.settrace(before)
    return taken


@pytest.mark.parametrize("count", [500, 2000])
def test_the_work_grows_with_the_batch_and_not_with_its_square(count: int) -> None:
    assert steps(2 * count) < 2.2 * steps(count)


def test_a_reformatted_echo_of_another_row_moves_the_silent_ones_too() -> None:
    numbers = ["491600000001", "nobody"]
    assert places(numbers, [member(None, 422), member("+491600000001")]) == [1, 0]


def echoed(row: Row, status: int = 201) -> dict[str, Any]:
    """A member that repeats all of a row, with its number as some server has it."""
    texts = {name: getattr(row, name) for name in FIELDS}
    number = "+49" + "".join(filter(str.isdecimal, row.phone))[-11:]
    return {"status": status, "body": {**texts, "id": 1, "phone": number}}


SPELLED = ("+4915112345678", "0049 151 12345678", "+49 (151) 123456-78", "015112345678")


@given(
    st.lists(st.sampled_from(SPELLED), min_size=1, max_size=8),
    st.sampled_from(["a", "e", "callback_data"]),
    st.data(),
)
def test_copies_in_other_spellings_are_told_apart_by_their_columns(
    spelled: list[str], column: str, data: st.DataObject
) -> None:
    rows = [Row(number, **{column: f"{i}"}) for i, number in enumerate(spelled)]
    order = data.draw(st.permutations(range(len(rows))))
    reply = decode_reply(json.dumps([echoed(rows[row]) for row in order]).encode())
    found = match(Told(rows), reply) or list(range(len(rows)))
    assert [order[place] for place in found if place is not None] == list(range(len(rows)))


@given(
    st.lists(st.sampled_from(SPELLED), min_size=2, max_size=8),
    st.data(),
)
def test_a_silent_refusal_among_moved_copies_is_the_one_left_over(
    spelled: list[str], data: st.DataObject
) -> None:
    rows = [Row(number, a=f"{i}") for i, number in enumerate(spelled)]
    order = data.draw(st.permutations(range(len(rows))))
    refused = data.draw(st.integers(0, len(rows) - 1))
    assume(any(row != place for place, row in enumerate(order) if row != refused))
    told = [member(None, 422) if row == refused else echoed(rows[row]) for row in order]
    found = match(Told(rows), decode_reply(json.dumps(told).encode()))
    assert found is not None
    assert found[refused] == order.index(refused)


def test_an_echo_that_leaves_columns_out_moves_nothing() -> None:
    rows = [Row("+4915112345678"), Row("+4915112345678", a="1")]
    told = [member(None, 422), member("+4915112345678")]
    assert match(Told(rows), decode_reply(json.dumps(told).encode())) in (None, [0, 1])


def test_an_echo_whose_texts_the_server_changed_moves_nothing() -> None:
    rows = [Row("+4915112345678", a=text) for text in ("x", "y ", "z ")]
    told = [member(None, 422), *(echoed(Row("+4915112345678", a=text)) for text in "yz")]
    assert match(Told(rows), decode_reply(json.dumps(told).encode())) in (None, [0, 1, 2])


@pytest.mark.parametrize("number", ["", " ", "+", "0"])
def test_the_member_of_another_number_does_not_answer_a_row_without_one(number: str) -> None:
    assert places([number], [member("+4915112345678")]) == [None]


@given(st.data(), st.integers(1, 12))
def test_numbers_that_are_no_texts_are_read_all_the_same(data: st.DataObject, count: int) -> None:
    """PHP writes what looks like a number as one, if it is told to."""
    numbers = numbers_of(count)
    order = data.draw(st.lists(st.sampled_from(range(count)), unique=True, min_size=1))
    told = [{"status": 201, "body": {"id": 1, "phone": int(numbers[row])}} for row in order]
    found = places(numbers, told)
    assert found == [order.index(row) if row in order else None for row in range(count)]
