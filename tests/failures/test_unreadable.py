"""What nobody can read costs no account: replies that are JSON in name only, rows that raise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping

import pytest

from asyncsdk import Delivery, Outcome, Phone
from asyncsdk.upload.verdict import table
from asyncsdk.wire.batch import decode_ids
from tests.client.provider import serving
from tests.rig import connected, numbers

DEEP = b"[" * 200_000 + b"]" * 200_000
REPLIES = {
    "deep": DEEP,
    "deep in a member": b'[{"status": 201, "body": ' + DEEP + b"}]",
    "deep beside the members": b'{"member": [], "more": ' + DEEP + b"}",
    "numbers of thousands of digits": b'{"' + b"1" * 5000 + b'": {"status": 201, "body": {}}}',
}


@pytest.mark.parametrize("body", REPLIES.values(), ids=REPLIES)
async def test_rows_whose_reply_cannot_be_read_are_unknown(body: bytes) -> None:
    async with serving(status=201, body=body) as provider, provider.client() as client:
        report = await client.phones.upload(7, numbers(40), batch_size=10, rate=None)
    assert report.complete
    assert report.submitted == report.failed_count == report.unknown_count == 40
    assert len(provider.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 429, 500])
async def test_a_refusal_that_cannot_be_read_is_one_all_the_same(status: int) -> None:
    async with serving(status=status, body=DEEP) as provider, provider.client() as client:
        report = client.phones.upload(7, numbers(2), rate=None, deadline=0.2)
        await asyncio.wait([asyncio.ensure_future(report)])
    assert report.report.submitted == 2
    assert report.report.created_count == 0


async def test_an_upload_cancelled_before_it_looked_at_such_a_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever reading it raises, the accounts are closed, and closed once."""

    def unreadable(_: bytes) -> None:
        task.cancel()
        raise MemoryError

    monkeypatch.setattr(table, "decode_reply", unreadable)
    async with serving(status=201, body=[]) as provider, provider.client() as client:
        upload = client.phones.upload(7, numbers(40), batch_size=10, concurrency=2, rate=None)
        task = asyncio.ensure_future(upload)
        await asyncio.wait([task])
    report = upload.report
    assert report.submitted == report.failed_count
    unknown = [result for result in report.failed if result.delivery is Delivery.UNKNOWN]
    assert len(unknown) == report.unknown_count == 10 * len(provider.asked)


@pytest.mark.parametrize("known", [2**63, 2**70])
def test_an_id_beyond_all_ids_is_none(known: int) -> None:
    members = [{"status": 201, "body": {"id": found}} for found in (7, known)]
    assert decode_ids(json.dumps(members).encode()) == [7, None]


class Broken(Mapping[str, str]):
    """A row that raises when it is looked at."""

    def __getitem__(self, key: str) -> str:
        raise LookupError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("columns", [None, {"phone": "Mobil"}])
@pytest.mark.parametrize("row", [Broken(), Unspeakable()], ids=lambda row: type(row).__name__)
async def test_a_row_that_cannot_be_read_is_invalid_and_the_others_go_up(
    row: object, columns: dict[str, str] | None
) -> None:
    source = [*map(Phone, numbers(130)), row, *map(Phone, numbers(140)[130:])]
    async with connected() as rig:
        report = await rig.upload(source, batch_size=100, columns=columns)
    assert (report.submitted, report.created_count) == (141, 140)
    (bad,) = report.invalid
    assert (bad.index, bad.outcome, bad.delivery) == (130, Outcome.INVALID, Delivery.NOT_SENT)
    assert "cannot be read" in str(bad.error)
