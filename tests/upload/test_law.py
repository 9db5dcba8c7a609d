"""The law of accounts, by the commit log, for random lists, sizes, workers and reply shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsdk import Outcome, Phone
from asyncsdk.sandbox import STYLES
from tests.leaping import run_leaping
from tests.rig import assert_accounts, connected, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

EXAMPLES = 300

KINDS = ("good",) * 6 + ("long", "empty", "server")
"""Rows that are good, that break a local rule, and that only the server finds bad."""

SPELLINGS = ("{}", "00{}", "+{}", "(+{})", "+ {}")


@st.composite
def sources(draw: st.DrawFn) -> list[Phone]:
    """Phones of different numbers, each with its index, some of them bad."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=40))
    spelling = draw(st.sampled_from(SPELLINGS))
    texts = st.none() | st.text(max_size=5)
    made = []
    for index, (kind, number) in enumerate(zip(kinds, numbers(len(kinds)), strict=True)):
        spelled = {"good": spelling.format(number[1:]), "long": "1" * 31, "empty": ""}
        phone = spelled.get(kind, "nobody")
        made.append(Phone(phone, a=draw(texts), e=draw(texts), callback_data=str(index)))
    return made


@st.composite
def boxes(draw: st.DrawFn) -> dict[str, Any]:
    """Options of a sandbox. Without an echo nobody can tell that the order is another."""
    echo = draw(st.sampled_from(["as sent", "normalized", "none"]))
    orders = ["kept"] if echo == "none" else ["kept", "reversed", "shuffled"]
    return {
        "style": draw(st.sampled_from(sorted(STYLES))),
        "echo": echo,
        "order": draw(st.sampled_from(orders)),
        "whole_batch_errors": draw(st.booleans()),
        "row_paths": draw(st.sampled_from(["[{i}].{field}", "{i}.{field}", None])),
        "invalid_status": draw(st.sampled_from([400, 422])),
        "max_batch": draw(st.none() | st.integers(1, 12)),
        "latency": draw(st.sampled_from([0.0, 0.5])),
        "seed": draw(st.integers(0, 9)),
    }


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Options of an upload."""
    return {
        "batch_size": draw(st.integers(1, 15)),
        "max_batch_bytes": draw(st.sampled_from([1, 300, 1_000_000])),
        "concurrency": draw(st.integers(1, 6)),
        "validate": draw(st.booleans()),
        "on_unknown": draw(st.sampled_from(["report", "reconcile"])),
    }


def fed(rows: list[Phone], how: str) -> Any:
    """The rows as a list, a generator or an async generator."""

    def generator() -> Iterator[Phone]:
        yield from rows

    async def asynchronous() -> AsyncIterator[Phone]:
        for row in rows:
            yield row

    return {"list": lambda: rows, "generator": generator, "async": asynchronous}[how]()


async def play(rows: list[Phone], how: str, box: dict[str, Any], chosen: dict[str, Any]) -> None:
    async with connected(**box) as rig:
        report = await rig.upload(fed(rows, how), **chosen)
    assert report.complete
    assert_accounts(report, rig.sandbox, rows)
    good = [i for i, row in enumerate(rows) if row.phone not in {"", "nobody", "1" * 31}]
    assert [result.index for result in report.created] == good
    assert report.failed_count == 0
    assert {r.outcome for r in report.results()} <= {Outcome.CREATED, Outcome.INVALID}
    assert all(str(result.error) != "no reason given" for result in report.invalid)


@settings(max_examples=EXAMPLES)
@given(sources(), st.sampled_from(["list", "generator", "async"]), boxes(), options())
def test_the_law_of_accounts(
    rows: list[Phone], how: str, box: dict[str, Any], chosen: dict[str, Any]
) -> None:
    run_leaping(play(rows, how, box, chosen))


async def merge(rows: list[Phone], chosen: dict[str, Any], policy: str) -> None:
    async with connected(duplicates=policy) as rig:
        report = await rig.upload(rows, **chosen)
    assert report.submitted == len(rows) == report.created_count + report.invalid_count
    assert [r.index for r in sorted(report.results(), key=lambda r: r.index)] == [*range(len(rows))]
    assert len(rig.sandbox.commits) == len({row.phone for row in rows})
    if policy == "refuse":
        assert report.created_count == len(rig.sandbox.commits)
        assert {r.created.id for r in report.created if r.created} == {
            commit.phone_id for commit in rig.sandbox.commits
        }


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(numbers(12)), max_size=40),
    options(),
    st.sampled_from(["merge", "refuse"]),
)
def test_numbers_that_occur_again(drawn: list[str], chosen: dict[str, Any], policy: str) -> None:
    rows = [Phone(number, callback_data=str(i)) for i, number in enumerate(drawn)]
    run_leaping(merge(rows, chosen, policy))
