"""What a failure means, how long to wait, and when to give up: no clock, no network."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import (
    AuthenticationError,
    ConfigurationError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    ProtocolError,
    RetryPolicy,
)
from asyncsdk.http.certainty import (
    CertificateError,
    ProxyRefusedError,
    StaleConnectionError,
    Verdict,
    verdict_of_error,
    verdict_of_status,
)
from asyncsdk.pace.retry import Budget, backoff
from asyncsdk.upload.verdict.settlement import verdict_of_item
from asyncsdk.wire.headers import retry_after

STATUSES = {
    Verdict.ANSWERED: [200, 201, 202, 204, 207, 299],
    Verdict.PAUSE: [408, 429, 503],
    Verdict.HALVE: [413],
    Verdict.BLAME: [400, 409, 422],
    Verdict.AGAIN: [421, 425],
    Verdict.STOP: [401, 402, 403, 404, 405, 410, 451],
    Verdict.DOUBT: [500, 501, 502, 504, 507, 520, 599],
}
ITEMS = {
    Verdict.ANSWERED: [200, 201, 204],
    Verdict.BLAME: [400, 401, 402, 403, 404, 409, 413, 422],
    Verdict.AGAIN: [429, 503],
    Verdict.DOUBT: [None, 500, 502, 504, 100, 302, 0],
}


def pairs(table: dict[Verdict, list[int]]) -> list[tuple[int, Verdict]]:
    return [(status, verdict) for verdict, statuses in table.items() for status in statuses]


@pytest.mark.parametrize(("status", "verdict"), pairs(STATUSES))
def test_the_status_of_a_reply(status: int, verdict: Verdict) -> None:
    assert verdict_of_status(status) is verdict


@pytest.mark.parametrize(("status", "verdict"), pairs(ITEMS))  # type: ignore[arg-type]
def test_the_status_of_one_phone(status: int | None, verdict: Verdict) -> None:
    assert verdict_of_item(status) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (NotSentError("x"), Verdict.OUTAGE),
        (StaleConnectionError("x"), Verdict.AGAIN),
        (CertificateError("x"), Verdict.STOP),
        (ProxyRefusedError("x"), Verdict.STOP),
        (OutcomeUnknownError("x"), Verdict.DOUBT),
        (AuthenticationError(401, Problem()), Verdict.STOP),
        (ProtocolError("x", 301), Verdict.STOP),
        (ConfigurationError("x"), Verdict.STOP),
    ],
)
def test_an_exchange_that_failed(error: Exception, verdict: Verdict) -> None:
    assert verdict_of_error(error) is verdict


@given(st.integers(0, 10_000), st.floats(0, 1e6), st.floats(0, 1e6), st.integers())
def test_full_jitter_below_a_bound_that_doubles(
    failures: int, base: float, cap: float, seed: int
) -> None:
    pause = backoff(RetryPolicy(base=base, cap=cap), failures, Random(seed))
    assert 0 <= pause <= cap
    assert pause <= base * 2.0 ** min(max(failures - 1, 0), 63)


def test_the_whole_range_is_used() -> None:
    chance = Random(0)
    pauses = [backoff(RetryPolicy(base=1.0), 3, chance) for _ in range(1000)]
    assert min(pauses) < 0.1
    assert 3.9 < max(pauses) <= 4.0


EPOCH = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.5s", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("\u0663", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 400, 1e12),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 10.0),
        ("Sun Nov  6 08:49:37 1994", 10.0),
        ("Sun, 06 Nov 1994 09:49:37 +0100", 10.0),
        ("Sun, 06 Nov 1994 08:49:20 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, EPOCH - 10) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ ?.*"))
def test_no_retry_after_raises(header: str) -> None:
    seconds = retry_after(header, EPOCH)
    assert seconds is None or seconds >= 0


def test_a_budget_lets_some_retries_through_and_spaces_the_rest() -> None:
    budget = Budget(interval=2.0, capacity=3.0)
    assert [budget.take(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 2.0, 4.0]


def test_a_success_gives_a_token_back_and_time_gives_others() -> None:
    budget = Budget(interval=2.0, capacity=3.0)
    for _ in range(3):
        budget.take(0.0)
    budget.give(0.0)
    assert budget.take(0.0) == 0.0
    assert budget.take(2.0) == 0.0
    assert budget.take(100.0) == 0.0
    assert [budget.take(100.0) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_a_budget_holds_no_more_than_it_can() -> None:
    budget = Budget(interval=1.0, capacity=2.0)
    for _ in range(10):
        budget.give(0.0)
    assert [budget.take(0.0) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_a_budget_without_pauses() -> None:
    budget = Budget(interval=0.0, capacity=1.0)
    assert [budget.take(0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
