"""Batches that are refused whole or in part: the rows at fault are found, the size is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Delivery, Outcome, Phone, UploadReport
from asyncsdk.sandbox import Faults
from tests.rig import assert_accounts, connected, known

if TYPE_CHECKING:
    from pathlib import Path

LONG = "x" * 2000
"""A column that is too long for the server, and not looked at here where `validate` is off."""

SPELLINGS = ("0160 {:07}", "(0160) {:07}", "+49 160/{:07}", "0049-160-{:07}")

BAD = (0, 7, 8, 9, 23, 39)

WAYS: dict[str, dict[str, Any]] = {
    "named": {"whole_batch_errors": True},
    "named otherwise": {"whole_batch_errors": True, "row_paths": "{i}.{field}"},
    "named by a 400": {"whole_batch_errors": True, "invalid_status": 400},
    "unnamed": {"whole_batch_errors": True, "row_paths": None},
    "unnamed, by a 400": {"whole_batch_errors": True, "row_paths": None, "invalid_status": 400},
    "row by row": {},
    "too many": {"whole_batch_errors": True, "row_paths": None, "max_batch": 7},
}


def spelled() -> list[Phone]:
    """Forty numbers as people write them, six of them in rows that the server refuses."""
    return [
        Phone(
            SPELLINGS[i % len(SPELLINGS)].format(1_000_000 + i),
            a=LONG if i in BAD else None,
            callback_data=str(i),
        )
        for i in range(40)
    ]


def check(report: UploadReport) -> None:
    """Every result can be read, says what was submitted, and what was sent."""
    assert [result.index for result in report.invalid] == list(BAD)
    assert report.created_count == len(report.created) == 34
    assert not report.failed_count
    assert not report.failed
    for result, phone in zip(known(report), spelled(), strict=True):
        assert result.phone == phone
        assert result.number == f"+49160{1_000_000 + result.index}"
        assert result.delivery is Delivery.ANSWERED
        assert result.outcome in {Outcome.CREATED, Outcome.INVALID}
    assert all(result.error for result in report.invalid)
    assert report.to_dict()["invalid"]


@pytest.mark.parametrize("batch_size", [9, 40])
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("way", WAYS)
async def test_normalised_rows_of_a_refused_batch_are_as_submitted(
    way: str, concurrency: int, batch_size: int
) -> None:
    async with connected(**WAYS[way]) as rig:
        report = await rig.upload(
            spelled(),
            normalize="DE",
            validate=False,
            batch_size=batch_size,
            concurrency=concurrency,
        )
    check(report)
    assert_accounts(report, rig.sandbox, spelled())


@pytest.mark.parametrize("way", WAYS)
async def test_in_a_journal_too(way: str, tmp_path: Path) -> None:
    journal = tmp_path / "upload.journal"
    async with connected(**WAYS[way]) as rig:
        report = await rig.upload(
            spelled(), normalize="DE", validate=False, batch_size=9, journal=journal
        )
    check(report)
    check(UploadReport.open(journal))
    assert_accounts(report, rig.sandbox, spelled())


@pytest.mark.parametrize("name", ["400-whole", "422-whole", "413", "item-503", "item-500", "few"])
async def test_what_is_split_by_faults_is_as_submitted(name: str) -> None:
    """Rows that travel on in parts: created, invalid or unknown, each still says its number."""
    async with connected(faults=Faults.script(["ok", name, "ok", name])) as rig:
        report = await rig.upload(spelled()[:7] * 4, normalize="DE", batch_size=6, validate=False)
    for result in known(report):
        assert result.phone == spelled()[result.index % 7]
        assert result.number == f"+49160{1_000_000 + result.index % 7}"


# the size that a 413 teaches


def requests_for(count: int, batch: int, limit: int) -> int:
    """Requests that a list takes whose batches are halved until they pass, and then stay small."""
    refused, size, waiting = 0, batch, [batch]
    while waiting[0] > limit:
        piece, *others = waiting
        refused, size = refused + 1, piece // 2
        waiting = [
            part for one in (*others, piece // 2, piece - piece // 2) for part in cut(one, size)
        ]
    return refused + len(waiting) + -(-(count - batch) // size)


def cut(rows: int, size: int) -> list[int]:
    """The sizes of the batches that so many rows make."""
    return [min(size, rows - start) for start in range(0, rows, size)]


@pytest.mark.parametrize(
    ("count", "batch", "limit"),
    [(1600, 64, 16), (1000, 100, 25), (1000, 100, 99), (640, 32, 1), (999, 80, 10), (600, 512, 64)],
)
async def test_the_size_that_a_413_teaches_is_kept(count: int, batch: int, limit: int) -> None:
    source = [Phone(f"+49160{i:07}", callback_data=str(i)) for i in range(count)]
    async with connected(max_batch=limit) as rig:
        report = await rig.upload(source, batch_size=batch, concurrency=1)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)
    assert len(rig.sandbox.requests) == requests_for(count, batch, limit)
    refused = [r.status for r in rig.sandbox.requests].count(413)
    assert [r.status for r in rig.sandbox.requests[refused:]].count(413) == 0


@pytest.mark.parametrize("concurrency", [2, 8])
async def test_with_several_workers_only_what_is_in_their_hands_is_refused_as_well(
    concurrency: int,
) -> None:
    source = [Phone(f"+49160{i:07}", callback_data=str(i)) for i in range(2000)]
    async with connected(max_batch=20, latency=1.0) as rig:
        report = await rig.upload(source, batch_size=40, concurrency=concurrency)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)
    refused = [r for r in rig.sandbox.requests if r.status == 413]
    assert 1 <= len(refused) <= 1 + concurrency + 2
    assert len(rig.sandbox.requests) == 100 + len(refused)


async def test_a_late_413_does_not_make_it_forget_a_smaller_size() -> None:
    """The larger batch was under way all the time in which the others were halved twice."""
    source = [Phone(f"+49160{i:07}", callback_data=str(i)) for i in range(2000)]
    async with connected(max_batch=16, latency=lambda no: 5.0 if no == 2 else 0.1) as rig:
        await rig.client.me()  # or one request alone would be under way
        report = await rig.upload(source, batch_size=64, concurrency=2)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)
    late = next(r for r in rig.sandbox.requests if r.no == 2)
    assert (late.phones, late.status) == (64, 413)
    assert all((r.phones or 0) <= 16 for r in rig.sandbox.requests if r.at > late.at + 4.0)


async def test_the_size_is_learned_from_bytes_too() -> None:
    source = [Phone(f"+49160{i:07}", callback_data=f"{i:04}") for i in range(800)]
    async with connected(max_bytes=3000) as rig:
        report = await rig.upload(source, batch_size=160, concurrency=1)
    assert report.ok
    statuses = [r.status for r in rig.sandbox.requests]
    assert statuses.count(413) == statuses.index(201)
    assert_accounts(report, rig.sandbox, source)
