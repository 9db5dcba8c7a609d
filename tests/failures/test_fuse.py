"""A server that refuses every request says nothing of the phones in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    BadRequestError,
    Delivery,
    Outcome,
    UnprocessableError,
    UploadReport,
    UploadStopped,
)
from asyncsdk.sandbox import Faults
from tests.failures.raw import serving
from tests.failures.test_bounds import reply
from tests.rig import assert_accounts, client_at, connected, phones

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("name", "kind"), [("422-whole", UnprocessableError), ("400-whole", BadRequestError)]
)
async def test_it_stops_and_says_that_it_is_the_request(
    name: str, kind: type[Exception], batch_size: int
) -> None:
    source = phones(10_000)
    async with connected(faults=Faults({name: 1.0})) as rig:
        with pytest.raises(UploadStopped) as stopped:
            await rig.upload(source, batch_size=batch_size)
    report = stopped.value.report
    assert isinstance(stopped.value.cause, kind)
    assert "it is the request, not the phones" in str(stopped.value.cause)
    assert len(rig.sandbox.requests) < 100
    assert not report.created_count
    assert report.invalid_count < (15 if batch_size == 1 else 1)
    assert all(result.delivery is not Delivery.UNKNOWN for result in report.failed)
    assert_accounts(report, rig.sandbox, source)


async def test_with_a_journal_it_goes_on_once_that_is_mended(tmp_path: Path) -> None:
    source = phones(3_000)
    journal = tmp_path / "upload.journal"
    faults = Faults({"422-whole": 1.0})
    async with connected(faults=faults) as rig:
        with pytest.raises(UploadStopped):
            await rig.upload(source, batch_size=100, journal=journal)
        faults.limit = 0
        report = await rig.upload(source, batch_size=100, journal=journal)
        assert report.ok
        assert UploadReport.open(journal).created_count == 3_000
    assert_accounts(report, rig.sandbox, source)


def refusing(bad: Callable[[str], bool]) -> Any:
    """A server that refuses a batch as a whole where one of its numbers is bad, and names none."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            rows = json.loads(await reader.readexactly(length))
            if any(bad(row["phone"]) for row in rows):
                said: Any = {"detail": "something in it is wrong"}
                writer.write(reply("422 No", json.dumps(said).encode(), unpacked=True))
            else:
                said = [{"status": 201, "body": {"id": int(r["phone"]), **r}} for r in rows]
                writer.write(reply("201 Created", json.dumps(said).encode(), unpacked=True))
            await writer.drain()

    return serving(handle)


@pytest.mark.parametrize("every", [3, 40, 1_000])
@pytest.mark.parametrize("first", [0, 1, 2])
async def test_culprits_are_found_as_ever(every: int, first: int) -> None:
    bad = {phone.phone for phone in phones(3_000)[first::every]}
    async with refusing(bad.__contains__) as url, client_at(url) as client:
        report = await client.phones.upload(1, phones(3_000), batch_size=100)
    assert report.complete
    assert {result.phone.phone for result in report.invalid} == bad
    assert report.created_count == 3_000 - len(bad)


@pytest.mark.parametrize("count", [1, 3, 10])
async def test_few_phones_that_are_all_bad_are_invalid(count: int) -> None:
    async with refusing(lambda _: True) as url, client_at(url) as client:
        report = await client.phones.upload(1, phones(count), batch_size=2)
    assert report.complete
    assert report.invalid_count == count


async def test_phones_that_are_refused_one_by_one_are_invalid_however_many() -> None:
    async with connected() as rig:
        report = await rig.upload(["nonsense"] * 5_000, validate=False, batch_size=50)
    assert report.complete
    assert {result.outcome for result in report.results()} == {Outcome.INVALID}
