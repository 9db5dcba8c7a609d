"""An export is read in linear time, whatever stands in it."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asyncsdk.errors import ProtocolError
from asyncsdk.models import CreatedPhone
from asyncsdk.upload.recovery.found import match_found
from asyncsdk.wire.export import ExportDecoder
from asyncsdk.wire.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "id,phone,a,b,c,d,e,callback_data\n"
MANY = 20_000
BRIEF = 10.0
"""Seconds; each of these took more than ten when it was not linear."""


def decoded(export: bytes, size: int = 65_536) -> list[CreatedPhone]:
    decoder = ExportDecoder()
    found: list[CreatedPhone] = []
    for at in range(0, len(export), size):
        found += decoder.feed(export[at : at + size])
    return [*found, *decoder.close()]


cells = st.text(st.sampled_from('a1 ,;|\t"\n.+ä'), max_size=8)


@given(
    st.lists(st.lists(cells, min_size=6, max_size=6), max_size=6),
    st.sampled_from(",;\t|"),
    st.integers(1, 40),
    st.booleans(),
)
def test_whatever_is_written_is_read(
    rows: list[list[str]],
    delimiter: str,
    size: int,
    quoted: bool,  # noqa: FBT001 - a parameter
) -> None:
    file = io.StringIO(newline="")
    how: Any = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=how)
    writer.writerow(HEADER.strip().split(","))
    for number, row in enumerate(rows, 1):
        writer.writerow([number, f"+49{number}", *row])
    found = decoded(file.getvalue().encode(), size)
    assert [(p.id, p.phone) for p in found] == [(n, f"+49{n}") for n in range(1, len(rows) + 1)]
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert [(p.a, p.b, p.c, p.d, p.e, p.callback_data) for p in found] == expected


@pytest.mark.parametrize("size", [1_000, 65_536, 10_000_000])
@pytest.mark.parametrize("stray", ['a"b', '"a', '"', '""a', 'a"'])
@pytest.mark.parametrize("every", [1, 7, MANY])
def test_a_stray_quote_costs_no_other_row(stray: str, every: int, size: int) -> None:
    lines = (f"{n},+4916{n:07},{stray if n % every == 0 else 'x'},y\n" for n in range(1, MANY + 1))
    export = (HEADER + "".join(lines)).encode()
    began = time.process_time()
    found = decoded(export, size)
    assert time.process_time() - began < BRIEF
    assert [phone.id for phone in found] == list(range(1, MANY + 1))


@pytest.mark.parametrize(
    "line", [b"x" * 30_000_000, b'1,"' + b'x""' * 10_000_000, b"," * 9_000_000]
)
def test_a_line_without_an_end_is_cut(line: bytes) -> None:
    began = time.process_time()
    found = decoded(HEADER.encode() + line + b"\n7,+497\n")
    assert time.process_time() - began < BRIEF
    assert found[-1].id == 7
    assert sum(len(phone.phone or "") for phone in found) < 1 << 18


@pytest.mark.parametrize(
    "id_", ["9" * 5_000, str(2**63), "9" * 20, "-1", "1.5", "", "\N{SUPERSCRIPT TWO}"]
)
def test_an_id_that_is_none_is_a_row_that_nobody_can_tell_apart(id_: str) -> None:
    found = decoded(f"{HEADER}1,+491\n{id_},+492\n3,+493\n".encode())
    assert [(phone.id, phone.phone) for phone in found] == [
        (1, "+491"),
        (None, "+492"),
        (3, "+493"),
    ]


def test_a_lone_carriage_return_costs_no_row() -> None:
    found = decoded(f'{HEADER}1,+491,"x, y",a\rb\n2,+492,z\n'.encode())
    assert [(phone.id, phone.phone) for phone in found] == [(1, "+491"), (2, "+492")]


@example(parts=['ID,Phone\r7,"x""y\n', '"\n', "9,+491711234569,\n"], size=1)
@given(
    st.lists(
        st.sampled_from(
            [
                *("7,+491711234567,", '8,"+491711234568",', '"', '""', ",", "\r", "\n", "\r\n"),
                *" x;1",
            ]
        ),
        max_size=12,
    ),
    st.integers(1, 9),
)
def test_pieces_make_no_difference(parts: list[str], size: int) -> None:
    """Neither where a carriage return has `csv` give up in the middle of a record."""
    export = f"ID,Phone,A\n{''.join(parts)}".encode()
    assert decoded(export, size) == decoded(export)


def test_a_field_of_any_length_is_read() -> None:
    found = decoded(f"{HEADER}1,+491,{'x' * 100_000},y\n2,+492\n".encode())
    assert [phone.id for phone in found] == [1, 2]
    assert found[0].a == "x" * 100_000


def matched(rows: Sequence[Row], found: Sequence[CreatedPhone]) -> list[CreatedPhone | None]:
    *_, last = match_found(rows, found)
    return last


@pytest.mark.parametrize("callbacks", [1, 2, 2_000])
def test_equal_numbers_are_matched_in_linear_time(callbacks: int) -> None:
    rows = [Row("+49160", callback_data=f"{i % callbacks}") for i in range(2_000)]
    found = [CreatedPhone(i, "0049160", callback_data=f"{i % callbacks}") for i in range(MANY)]
    began = time.process_time()
    matches = matched(rows, found)
    assert time.process_time() - began < BRIEF
    assert len({phone.id for phone in matches if phone is not None}) == 2_000
    for row, phone in zip(rows, matches, strict=True):
        assert phone is not None
        assert phone.callback_data == row.callback_data


def test_numbers_with_the_same_end_are_matched_in_linear_time() -> None:
    """As many prefixes as there are phones: none of them is an ending of a row's number."""
    rows = [Row(f"+9{i:06}160123456789") for i in range(2_000)]
    found = [CreatedPhone(i, f"+8{i:06}160123456789") for i in range(MANY)]
    found += [CreatedPhone(MANY + i, f"{i:06}160123456789") for i in range(100_000, 102_000)]
    began = time.process_time()
    matches = matched(rows, found)
    assert time.process_time() - began < BRIEF
    assert not any(matches)


@pytest.mark.parametrize("size", [1, 5, 64, 8_192])
@pytest.mark.parametrize("line", ['"\n",', '"a\n"\n', '""\n', ',"\n', '"",\n', '1,"\n'])
def test_an_export_that_drips_is_read_in_linear_time(line: str, size: int) -> None:
    export = f'{HEADER}1,"'.encode() + line.encode() * (40_000 // len(line)) + b"\n7,+4971234\n"
    began = time.process_time()
    found = decoded(export, size)
    assert time.process_time() - began < BRIEF
    assert found[-1].id == 7


def test_a_group_has_not_more_phones_than_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncsdk.wire.export._MOST", 1_000)
    lines = [f"{n},+49160{n:07}\n" for n in range(1_001)]
    assert len(decoded((HEADER + "".join(lines[:1_000])).encode())) == 1_000
    with pytest.raises(ProtocolError, match="more than 1,000 rows"):
        decoded((HEADER + "".join(lines)).encode())


@pytest.mark.parametrize("limit", [10, 1_000])
def test_a_lower_limit_that_others_have_set_for_fields_costs_no_row(limit: int) -> None:
    before = csv.field_size_limit(limit)
    try:
        found = decoded(f'{HEADER}1,+491,{"x" * 2_000},y\n2,+492,"a, b"\n'.encode())
    finally:
        csv.field_size_limit(before)
    assert [(phone.id, phone.phone) for phone in found] == [(1, "+491"), (2, "+492")]


numbers = st.sampled_from(["+49160", "0049160", "0160", "+43160", "160"])
callbacks = st.sampled_from([None, "", "a", "b"])


@given(
    st.lists(st.tuples(numbers, callbacks), max_size=7),
    st.lists(st.tuples(numbers, callbacks), max_size=7),
)
def test_a_phone_is_given_to_one_row_that_it_may_be(
    sent: list[tuple[str, str | None]], there: list[tuple[str, str | None]]
) -> None:
    rows = [Row(number, callback_data=back) for number, back in sent]
    found = [CreatedPhone(i, number, callback_data=back) for i, (number, back) in enumerate(there)]
    matches = matched(rows, found)
    given_ = [phone.id for phone in matches if phone is not None]
    assert len(given_) == len(set(given_))
    assert len(matches) == len(rows)
    for row, phone in zip(rows, matches, strict=True):
        if phone is not None:
            backs = {row.callback_data or "", phone.callback_data or ""}
            assert len(backs - {""}) <= 1
    left = [phone for phone in found if phone.id not in given_]
    for row, match in zip(rows, matches, strict=True):
        if match is None:  # then nothing that is left is the same
            assert not any(
                phone.phone == row.phone and phone.callback_data == row.callback_data
                for phone in left
            )
