from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from asyncsdk.cli.live import clock, render
from asyncsdk.cli.options import parse_concurrency, parse_rate
from asyncsdk.cli.running import Ending
from asyncsdk.cli.shown import visible
from asyncsdk.cli.wording import activity, lookup_result
from asyncsdk.config import Adaptive, Rate
from asyncsdk.errors import (
    AccountInactiveError,
    AuthenticationError,
    InsufficientFundsError,
    SourceError,
)
from asyncsdk.models import Problem
from asyncsdk.progress import Lookup, Phase, Progress


def drawn(progress: Progress, total: int, *notes: str) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        console.print(render(progress, total, *notes))
    return captured.get().splitlines()


def test_the_live_view() -> None:
    progress = Progress(
        read=52_000, created=49_000, invalid=900, failed=100, in_flight=2_000, elapsed=10.0
    )
    bar, counts, traffic = drawn(progress, 100_000)
    assert bar.endswith(" 50% 5,000/s 0:10 left")
    assert counts == "49,000 created · 900 invalid · 100 failed · 0 unknown"
    assert traffic == "2,000 in flight"


def test_the_live_view_tells_what_is_skipped_and_what_would_be_sent() -> None:
    progress = Progress(read=500, created=100, skipped=300, elapsed=10.0)
    bar, counts, _ = drawn(progress, 800)
    assert " 50% 40/s" in bar
    assert counts == "100 created · 0 invalid · 0 failed · 0 unknown · 300 skipped"
    _, counts, _ = drawn(Progress(skipped=300, would_be_sent=280, invalid=5), 800)
    assert counts == "280 would be sent · 5 invalid · 0 failed · 0 unknown · 20 skipped"


def test_the_live_view_fits_80_columns_however_much_there_is_to_say() -> None:
    many = 123_456_789
    progress = Progress(
        read=many,
        created=many,
        invalid=many,
        failed=many,
        in_flight=many,
        retries=many,
        throttled=1e6,
        elapsed=3.0,
    )
    lines = drawn(progress, 10 * many, "Waiting: " + "x" * 100, "Stopping: " + "x" * 100)
    assert len(lines) == 5
    assert max(map(len, lines)) <= 80


def test_the_live_view_tells_what_is_unknown_and_why_it_waits() -> None:
    progress = Progress(
        failed=100, unknown=40, throttled=12.0, paused=7.6, paused_by="HTTP 429", elapsed=10.0
    )
    _, counts, traffic = drawn(progress, 1000)
    assert counts.endswith("60 failed · 40 unknown")
    assert traffic == "0 in flight · paused 8 s (HTTP 429)"
    progress = Progress(throttled=12.0, paused_by="HTTP 503")
    assert drawn(progress, 1000)[2] == "0 in flight · 12.0 s paused (HTTP 503)"


@pytest.mark.parametrize(
    ("phase", "lookup", "words"),
    [
        (Phase.UPLOADING, None, ""),
        (Phase.READING_GROUP, None, "reading the group, to know what it has already"),
        (
            *(Phase.WAITING_QUIET, Lookup(2000)),
            "2,000 without an answer: waiting until the group is quiet for 30 s",
        ),
        (
            *(Phase.LOOKING_UP, Lookup(2000)),
            "2,000 without an answer: looking for them in the group",
        ),
        (
            *(Phase.UPLOADING, Lookup(2000, 1999)),
            "1,999 of 2,000 phones without an answer were in the group",
        ),
        (Phase.ENDED, Lookup(7, 0), "0 of 7 phones without an answer were in the group"),
        (Phase.ENDED, Lookup(7), ""),
    ],
)
def test_what_an_upload_does_when_it_does_not_send(
    phase: Phase, lookup: Lookup | None, words: str
) -> None:
    assert activity(Progress(phase=phase, lookup=lookup), 30.0) == words
    if phase in {Phase.UPLOADING, Phase.ENDED}:
        assert lookup_result(lookup) == words


def test_every_phase_has_its_words() -> None:
    words = [activity(Progress(phase=phase, lookup=Lookup(1)), 30.0) for phase in Phase]
    assert sorted(words)[:2] == ["", ""], "sending, and the end"
    assert len(set(words)) == len(Phase) - 1


def test_the_live_view_before_anything_happened() -> None:
    assert drawn(Progress(), 10)[0].endswith(" 0% 0/s -:-- left")
    assert drawn(Progress(), 0)[0].endswith("100% 0/s 0:00 left")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (9.9, "0:09"), (600, "10:00"), (3723, "1:02:03")]
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/1s", Rate(10)),
        ("600/min", Rate(600, 60.0)),
        ("20", Rate(20)),
        ("5/500ms", Rate(5, 0.5)),
        ("100/2.5", Rate(100, 2.5)),
        ("none", None),
    ],
)
def test_rates(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "concurrency"), [("8", 8), ("2-16", Adaptive(2, 16)), ("adaptive", Adaptive())]
)
def test_concurrencies(text: str, concurrency: int | Adaptive) -> None:
    assert parse_concurrency(text) == concurrency


@pytest.mark.parametrize(
    ("cause", "complete", "ok", "interrupted", "code"),
    [
        (None, True, True, False, 0),
        (None, True, False, False, 1),
        (AuthenticationError(401, Problem()), False, False, False, 3),
        (AccountInactiveError(403, Problem()), False, False, False, 3),
        (InsufficientFundsError(402, Problem()), False, False, False, 4),
        (SourceError("broken"), False, False, False, 4),
        (None, False, False, False, 4),
        (None, False, False, True, 130),
    ],
)
def test_exit_codes(
    cause: Exception | None, *, complete: bool, ok: bool, interrupted: bool, code: int
) -> None:
    report: Any = SimpleNamespace(complete=complete, ok=ok)
    assert Ending(report, cause, interrupted=interrupted).code == code


def test_foreign_text_is_one_visible_line() -> None:
    assert visible("a\nb\x1b[31m\u202eß") == r"a\nb\x1b[31m\u202eß"
