"""The fast path, by columns, and the slow one, row by row, agree on everything."""

from __future__ import annotations

from collections import UserDict
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Phone
from asyncsdk.upload.intake.check import Checker, _read
from asyncsdk.upload.intake.skipping import Skipping
from asyncsdk.wire.rows import decode_rows, encode_rows, numbers_of

if TYPE_CHECKING:
    from asyncsdk.upload.intake.pieces import Checked

numbers = st.one_of(
    st.sampled_from(["+491", "", " ", "1" * 30, "1" * 31, "\ud800", "\u00a0"]),
    st.none(),
    st.integers(),
)
texts = st.one_of(
    st.none(), st.sampled_from(["", "x", "x" * 36, "x" * 37, "x" * 1531, "\udc00"]), st.integers()
)
fields = st.fixed_dictionaries(
    {"phone": numbers}, optional={"a": texts, "e": texts, "callback_data": texts, "f": texts}
)
good = st.sampled_from(["+491", "+492", "1" * 30])
items = st.one_of(
    good,
    good.map(Phone),
    good.map(lambda number: {"phone": number}),
    numbers.filter(lambda number: isinstance(number, str)),
    fields,
    fields.filter(lambda f: "f" not in f).map(lambda f: Phone(**f)),  # type: ignore[arg-type]
    fields.map(UserDict),
    st.integers(),
)
chunks = st.lists(items, max_size=6)
plain_chunks = st.one_of(st.lists(good), st.lists(good.map(Phone)), chunks)


def row_by_row(checker: Checker, first: int, chunk: list[object]) -> Checked:
    return checker.join([checker._check_rows(first, chunk, [_read(item) for item in chunk])])


@given(plain_chunks, st.integers(0, 9), st.booleans())
def test_fast_is_slow(chunk: list[object], first: int, limits: bool) -> None:  # noqa: FBT001
    fast = Checker(limits=limits).check(first, chunk)
    slow = row_by_row(Checker(limits=limits), first, chunk)
    assert list(fast.indices) == list(slow.indices)
    assert fast.body == slow.body
    assert fast.numbers == slow.numbers
    assert list(fast.rejected) == list(slow.rejected)
    assert fast.submitted is None
    assert slow.submitted is None


@given(plain_chunks, st.lists(st.integers(0, 6), max_size=2), st.booleans(), st.booleans())
def test_pieces_make_the_whole(
    chunk: list[object],
    cuts: list[int],
    limits: bool,  # noqa: FBT001
    keep_source: bool,  # noqa: FBT001
) -> None:
    checker = Checker(limits=limits, keep_source=keep_source)
    ends = [0, *sorted(min(cut, len(chunk)) for cut in cuts), len(chunk)]
    pieces = [checker.look(start, chunk[start:end]) for start, end in pairwise(ends) if start < end]
    joined, whole = checker.join(pieces), checker.check(0, chunk)
    assert list(joined.indices) == list(whole.indices)
    assert joined.body == whole.body
    assert joined.texts == whole.texts
    assert list(joined.rejected) == list(whole.rejected)
    if keep_source:
        assert joined.source == whole.source


@given(plain_chunks, st.booleans())
def test_each_row_comes_out_once(chunk: list[object], skip: bool) -> None:  # noqa: FBT001
    checked = Checker(skipping=Skipping() if skip else None).check(0, chunk)
    indices = sorted([*checked.indices, *(r.index for r in checked.rejected)])
    assert indices == list(range(len(chunk)))
    assert len(checked.indices) == len(checked.numbers)
    assert numbers_of(decode_rows(checked.body)) == checked.numbers
    encode_rows([rejection.row for rejection in checked.rejected])
    if skip:
        sent = checked.numbers
        assert len(set(sent)) == len(sent)
