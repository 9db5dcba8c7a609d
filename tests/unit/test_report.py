"""The account of an upload, and the sum of several."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import AsyncSDKError, Outcome, StoppedBy, UploadFailed, UploadReport
from asyncsdk.ledger.memory import MemoryLedger
from asyncsdk.ledger.run import Counts
from asyncsdk.report import Run, UploadSummary

from .samples import created_entry, failed_entry, invalid_entry, report_of, skipped_entry

MIXED = report_of(
    created_entry([0, 3, 4]),
    invalid_entry([1]),
    failed_entry([2]),
    created_entry(range(5, 8)),
    skipped_entry([8, 9]),
)


def test_the_one_line() -> None:
    assert str(MIXED) == "10 phones: 6 created, 1 invalid, 1 failed, 2 skipped in 1.5 s"
    counts = Counts(created=999_120, invalid=850, failed=30)
    big = UploadReport(Run(counts, elapsed=41.23), MemoryLedger().results)
    assert str(big) == "1,000,000 phones: 999,120 created, 850 invalid, 30 failed in 41.2 s"


def test_counts() -> None:
    assert MIXED.submitted == 10
    assert MIXED.skipped_count == 2
    assert (MIXED.created_count, MIXED.invalid_count, MIXED.failed_count) == (6, 1, 1)
    assert MIXED.unknown_count == 1
    assert (MIXED.requests, MIXED.retries) == (3, 1)


def test_each_sequence_is_in_source_order() -> None:
    assert [r.index for r in MIXED.created] == [0, 3, 4, 5, 6, 7]
    assert [r.created.id for r in MIXED.created if r.created] == [100, 103, 104, 105, 106, 107]
    assert [r.phone.a for r in MIXED.invalid] == ["row 1"]
    assert [str(r.error) for r in MIXED.failed] == ["Outcome unknown: the connection was lost"]


@pytest.mark.parametrize("only", [None, "invalid", Outcome.FAILED, ["failed", Outcome.CREATED], []])
def test_results_of_some_outcomes(only: object) -> None:
    wanted = [*Outcome] if only is None else [only] if isinstance(only, str) else only
    found = [str(result.outcome) for result in MIXED.results(only)]  # type: ignore[arg-type]
    assert set(found) == {str(one) for one in wanted}  # type: ignore[attr-defined]


def test_an_outcome_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="lost"):
        MIXED.results("lost")


def test_ok_means_that_every_phone_was_created_and_the_source_was_read_to_its_end() -> None:
    good = report_of(created_entry([0]))
    assert good.ok
    good.raise_for_failures()
    assert report_of().ok
    assert report_of(created_entry([0]), skipped_entry([1])).ok
    for bad in (
        report_of(created_entry([0]), invalid_entry([1])),
        report_of(failed_entry([0])),
        report_of(created_entry([0]), complete=False),
    ):
        assert not bad.ok
        with pytest.raises(UploadFailed, match="not every phone was created") as caught:
            bad.raise_for_failures()
        assert caught.value.report is bad
        assert isinstance(caught.value, AsyncSDKError)


def test_a_report_is_a_snapshot() -> None:
    ledger = MemoryLedger()
    ledger.count(created_entry([0]))
    report = UploadReport(Run(ledger.counts.copy()), ledger.results)
    ledger.count(created_entry([1]))
    assert report.submitted == 1


def test_plain_data() -> None:
    plain = MIXED.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["submitted"] == 10
    assert [row["index"] for row in plain["skipped"]] == [8, 9]  # type: ignore[attr-defined]
    assert plain["ok"] is False
    assert [row["index"] for row in plain["created"]] == [0, 3, 4, 5, 6, 7]  # type: ignore[attr-defined]
    first = plain["invalid"][0]  # type: ignore[index]
    assert first["phone"]["phone"] == "+491"
    assert first["outcome"] == "invalid"
    assert first["error"]["violations"][0]["code"] == "too-long"


def test_the_summary_is_plain_and_whole() -> None:
    summary = report_of(complete=False).summary()
    assert set(summary) == set(UploadSummary.__annotations__)
    assert type(summary["stopped_by"]) is str
    assert summary["stopped_by"] == "stop"
    assert report_of().summary()["stopped_by"] is None


@pytest.mark.parametrize("stopped_by", StoppedBy)
def test_what_stopped_an_upload_survives_pickling_and_compares_as_text(
    stopped_by: StoppedBy,
) -> None:
    report = UploadReport(Run(complete=False, stopped_by=stopped_by), MemoryLedger().results)
    again = pickle.loads(pickle.dumps(report + report_of()))  # noqa: S301 - our own
    assert again.stopped_by is stopped_by
    assert again.stopped_by == stopped_by.value
    assert (again.unread_from is None) is (stopped_by is StoppedBy.RUNNING)


def test_a_sum_keeps_the_order_of_its_parts_and_the_index_within_each() -> None:
    other = report_of(created_entry([0]), failed_entry([1, 2]), complete=False)
    both = MIXED + other
    assert both.submitted == 13
    assert [r.index for r in both.skipped] == [8, 9]
    assert [r.index for r in both.created] == [0, 3, 4, 5, 6, 7, 0]
    assert [r.index for r in both.failed] == [2, 1, 2]
    assert both.elapsed == 3.0
    assert not both.complete
    assert [r.index for r in (other + MIXED).failed] == [1, 2, 2]
    with pytest.raises(TypeError):
        MIXED + 1  # type: ignore[operator]


def test_a_sum_does_not_change_its_parts() -> None:
    before = MIXED.to_dict()
    _ = MIXED + MIXED
    assert MIXED.to_dict() == before


seconds = st.floats(0, 1e9, allow_nan=False)
outcomes = st.lists(st.sampled_from(Outcome), max_size=12)


@st.composite
def reports(draw: st.DrawFn) -> UploadReport:
    fates = draw(outcomes)
    makers = {
        Outcome.CREATED: created_entry,
        Outcome.INVALID: invalid_entry,
        Outcome.FAILED: failed_entry,
        Outcome.SKIPPED: skipped_entry,
    }
    entries = [
        make([i for i, fate in enumerate(fates) if fate is outcome])
        for outcome, make in makers.items()
        if outcome in fates
    ]
    return report_of(
        *entries, elapsed=draw(seconds), throttled=draw(seconds), complete=draw(st.booleans())
    )


@given(reports(), reports(), reports())
def test_addition_is_associative(a: UploadReport, b: UploadReport, c: UploadReport) -> None:
    left, right = (a + b) + c, a + (b + c)
    assert left == right
    assert left.to_dict() == right.to_dict()
    assert (left.elapsed, left.throttled) == (right.elapsed, right.throttled)
    assert str(left) == str(right)


@given(reports(), reports())
def test_sums_are_whole(a: UploadReport, b: UploadReport) -> None:
    both = a + b
    assert both.submitted == a.submitted + b.submitted
    rejected = both.invalid_count + both.failed_count
    assert both.submitted == both.created_count + rejected + both.skipped_count
    assert list(both.skipped) == [*a.skipped, *b.skipped]
    assert list(both.created) == [*a.created, *b.created]
    assert both.created == [*a.created, *b.created]
    assert both.created != [*a.created, *b.created, 1]
    assert both.created.__eq__(1) is NotImplemented
    assert both.ok == (a.ok and b.ok)


@given(reports())
def test_pickling(report: UploadReport) -> None:
    again = pickle.loads(pickle.dumps(report + report))  # noqa: S301 - our own
    assert again == report + report
    assert again.to_dict() == (report + report).to_dict()


def test_reports_differ() -> None:
    assert (
        report_of(
            created_entry([0, 3, 4]),
            invalid_entry([1]),
            failed_entry([2]),
            created_entry(range(5, 8)),
            skipped_entry([8, 9]),
        )
        == MIXED
    )
    assert report_of(created_entry([0])) != report_of(created_entry([1]))
    assert report_of() != 1
