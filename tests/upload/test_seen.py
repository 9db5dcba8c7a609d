from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.upload.intake.duplicates import Seen

NUMBERS = st.one_of(
    st.text("+0123456789", max_size=22),
    st.sampled_from(["", "0", "00", "+", "+0", "0160", "160", "+160", "0" * 18, "0" * 19]),
    st.text(max_size=5),
)


@given(st.lists(NUMBERS, max_size=60))
def test_it_remembers_what_a_dictionary_does(numbers: list[str]) -> None:
    seen, known = Seen(), dict[str, int]()
    for index, number in enumerate(numbers):
        assert seen.first(number, index) == known.setdefault(number, index)


def test_many_numbers_take_little_memory() -> None:
    count = 100_000
    tracemalloc.start()
    seen = Seen()
    for index in range(count):
        assert seen.first(f"+4916{index * 7919 % 10**9:09d}", index) == index
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    for index in range(count):
        assert seen.first(f"+4916{index * 7919 % 10**9:09d}", count + index) == index
    assert seen.size / count < 26
    assert taken / count < 32, "the fixed part included"


def test_numbers_in_a_row_spread_over_the_tables() -> None:
    seen = Seen()
    for index in range(100_000):
        seen.first(f"+49160{index:08d}", index)
    sizes = [len(shard.keys) for shard in seen._shards.values()]
    assert max(sizes) < 4 * sum(sizes) / len(sizes)
