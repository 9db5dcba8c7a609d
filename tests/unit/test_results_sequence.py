"""The sequences of a report: entries in any order, read in source order like a list."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Outcome, Phone
from asyncsdk.ledger.entry import Entry, Results

from .samples import created_entry, failed_entry, invalid_entry, report_of


@st.composite
def partitions(draw: st.DrawFn) -> list[Entry]:
    """Rows dealt to entries at random: after resends and splits they interleave."""
    deal = draw(st.lists(st.integers(0, 4), max_size=25))
    hands = [[i for i, hand in enumerate(deal) if hand == h] for h in range(5)]
    return [created_entry(hand) for hand in draw(st.permutations(hands)) if hand]


@given(partitions())
def test_interleaved_entries_are_read_in_source_order(entries: list[Entry]) -> None:
    results = Results(lambda: entries)
    assert [result.index for result in results] == list(range(len(results)))
    assert [result.created.id for result in results if result.created] == [
        100 + i for i in range(len(results))
    ]


@given(partitions(), st.integers(-30, 30), st.integers(-30, 30), st.integers(-3, 3))
def test_they_index_and_slice_like_a_list(
    entries: list[Entry], start: int, stop: int, step: int
) -> None:
    results = Results(lambda: entries)
    plain = list(results)
    assert [results[i] for i in range(len(plain))] == plain
    assert results[start:stop] == plain[start:stop]
    if step:
        assert results[start:stop:step] == plain[start:stop:step]
    assert list(reversed(results)) == plain[::-1]
    for index in (start, stop):
        if -len(plain) <= index < len(plain):
            assert results[index] == plain[index]
        else:
            with pytest.raises(IndexError):
                results[index]


@given(partitions())
def test_they_pickle(entries: list[Entry]) -> None:
    results = Results(lambda: entries)
    assert pickle.loads(pickle.dumps(results)) == results  # noqa: S301 - our own


def test_a_sum_indexes_and_slices_like_a_list() -> None:
    parts = [report_of(created_entry([0, 1])), report_of(), report_of(created_entry([0]))]
    both = (parts[0] + parts[1] + parts[2]).created
    plain = list(both)
    assert len(both) == 3
    assert [both[i] for i in range(-3, 3)] == [plain[i] for i in range(-3, 3)]
    assert both[1:] == plain[1:]
    assert both[::-1] == plain[::-1]
    assert plain[1] in both
    for index in (3, -4):
        with pytest.raises(IndexError):
            both[index]
    assert pickle.loads(pickle.dumps(both)) == both  # noqa: S301 - our own


def test_an_empty_sequence() -> None:
    results = Results(list)
    assert len(results) == 0
    assert list(results) == results[:] == []
    with pytest.raises(IndexError):
        results[0]


def test_a_repr_shows_no_phones() -> None:
    assert repr(Results(lambda: [created_entry(range(5))])) == "<5 results>"
    assert "+49" not in repr(report_of(created_entry(range(5))))


@pytest.mark.parametrize("make", [created_entry, invalid_entry, failed_entry])
def test_an_entry_without_its_first_rows(make: object) -> None:
    entry: Entry = make([2, 3, 7])  # type: ignore[operator]
    assert entry.after(0).results() == entry.results()
    assert entry.after(1).results() == entry.results()[1:]
    assert entry.after(1).after(1).results() == entry.results()[2:]


def test_an_entry_knows_the_number_as_submitted_and_as_sent() -> None:
    entry = Entry(
        *(created_entry([0]).outcome, created_entry([0]).delivery, [0, 1]),
        phones=b'[{"phone":"+491"},{"phone":"+492","a":"x"}]',
        submitted=b'["01","02"]',
    )
    first, second = entry.results()
    assert (first.phone, first.number) == (Phone("01"), "+491")
    assert (second.phone, second.number) == (Phone("02", "x"), "+492")
    assert entry.after(1).results() == [second]


def test_a_result_that_is_looked_up_alone_is_the_same() -> None:
    report = report_of(created_entry([0, 3]), invalid_entry([1, 4]), failed_entry([2]))
    for outcome in Outcome:
        looked_up = report_of(created_entry([0, 3]), invalid_entry([1, 4]), failed_entry([2]))
        for place, result in enumerate(report.results(outcome)):
            sequence = getattr(looked_up, outcome)
            assert sequence[place] == result
            assert sequence[place - len(sequence)] == result
