"""What uploads know of each other, however many of them there are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.flights import Flights
from asyncsdk.upload.recovery.claims import Claims

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from asyncsdk.ledger.entry import Entry

GROUP = 7


def created(known: int) -> Entry:
    batch = Batch(indices=range(1), body=b'[{"phone":"+1"}]', numbers=b'["+1"]')
    members = b'[{"status":201,"body":{"id":%d}}]' % known
    return batch.entry(Outcome.CREATED, Delivery.ANSWERED, members=members)


def instructions(call: Callable[[], None]) -> int:
    """How many instructions of the interpreter a call takes."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def test_who_watches_hears_what_others_of_its_group_create() -> None:
    claims = Claims()
    watching, other = claims.open(GROUP, Flights()), claims.open(GROUP, Flights())
    elsewhere = claims.open(GROUP + 1, Flights())
    other.entered([created(1)])
    watching.watch()
    other.entered([created(2)])
    watching.entered([created(3)])
    elsewhere.entered([created(4)])
    claims.created(GROUP, b'[{"status":201,"body":{"id":5}}]')
    assert list(watching.foreign) == [2, 5]
    assert list(other.foreign) == list(elsewhere.foreign) == []
    watching.close()
    other.entered([created(6)])
    assert list(watching.foreign) == [2, 5]


def test_of_those_that_ended_nothing_is_kept() -> None:
    claims = Claims()
    every = [claims.open(group, Flights()) for group in (GROUP, GROUP, GROUP + 1)]
    every[0].watch()
    assert claims.others(every[0]) == [every[1]]
    for claim in every:
        claim.close()
        claim.close()  # a second time does nothing
    assert vars(claims)["_claims"] == vars(claims)["_watching"] == {}


@pytest.mark.parametrize("step", ["open", "entered", "close"])
def test_it_takes_no_longer_among_thousands(step: str) -> None:
    def costs(others: int) -> int:
        claims = Claims()
        for _ in range(others):
            claims.open(GROUP, Flights())
        claim = claims.open(GROUP, Flights())
        for _ in range(others):
            claims.open(GROUP, Flights())
        steps: dict[str, Callable[[], None]] = {
            "open": lambda: claims.open(GROUP, Flights()).close(),
            "entered": lambda: claim.entered([created(1)]),
            "close": claim.close,
        }
        return instructions(steps[step])

    assert costs(2000) == costs(2) > 0
