"""A server that refuses every request says nothing of the phones in it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    BadRequestError,
    Delivery,
    Outcome,
    PayloadTooLargeError,
    UnprocessableError,
    UploadReport,
    UploadStopped,
)
from asyncsdk.ledger.held import State
from asyncsdk.sandbox import Faults
from tests.failures.raw import read_request, serving
from tests.failures.test_bounds import reply
from tests.rig import assert_accounts, client_at, connected, phones

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("batch_size", [1, 7, 1000, 10_000])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("422-whole", UnprocessableError),
        ("400-whole", BadRequestError),
        ("413", PayloadTooLargeError),
    ],
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
    assert not report.invalid_count
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


@pytest.mark.parametrize("batch_size", [1, 100])
async def test_one_that_begins_to_refuse_everything_midway(batch_size: int) -> None:
    source = phones(3_000)
    faults = Faults.script(["ok"] * 3 + ["422-whole"] * 20_000)
    async with connected(faults=faults) as rig:
        with pytest.raises(UploadStopped) as stopped:
            await rig.upload(source, batch_size=batch_size, concurrency=2)
    report = stopped.value.report
    assert report.created_count == 3 * batch_size
    assert report.invalid_count < 20  # those that were refused before it was suspected
    assert len(rig.sandbox.requests) < 500
    assert_accounts(report, rig.sandbox, source)


@pytest.mark.parametrize("batch_size", [1, 7, 100])
async def test_one_that_comes_to_its_senses_has_called_no_phone_invalid(batch_size: int) -> None:
    """Phones that were suspected are sent once more when something gets through."""
    source = phones(1_000)
    async with connected(faults=Faults.script(["422-whole"] * 8)) as rig:
        report = await rig.upload(source, batch_size=batch_size, concurrency=1)
    assert report.ok
    assert_accounts(report, rig.sandbox, source)


async def test_many_bad_phones_in_a_row_within_a_good_list_are_invalid() -> None:
    bad = {phone.phone for phone in phones(3_000)[1_000:1_080]}
    async with refusing(bad.__contains__) as url, client_at(url) as client:
        report = await client.phones.upload(1, phones(3_000), batch_size=500)
    assert report.complete
    assert {result.phone.phone for result in report.invalid} == bad
    assert report.requests < 300


async def test_a_journal_knows_that_suspects_were_refused(tmp_path: Path) -> None:
    """As long as they are held, nobody has to look them up if the process ends."""
    journal = tmp_path / "upload.journal"
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await read_request(reader)
            writer.write(reply("422 No", b"{}", unpacked=True))
        await read_request(reader)
        asked.set()
        await asyncio.sleep(0.1)

    async with serving(handle) as url, client_at(url) as client:
        upload = client.phones.upload(
            1, phones(4), batch_size=1, concurrency=1, journal=journal
        ).start()
        await asked.wait()
        with closing(sqlite3.connect(journal)) as file:
            states = [state for (state,) in file.execute("SELECT state FROM held ORDER BY batch")]
        await upload.stop()
    assert states == [State.WAITING] * 3 + [State.SENDING]


def refusing(bad: Callable[[str], bool], field: str | None = None) -> Any:
    """A server that refuses a batch as a whole where one of its numbers is bad, and names none.

    Args:
        bad: Whether a number is.
        field: The field that it names, but no row.
    """

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            rows = json.loads(await reader.readexactly(length))
            if any(bad(row["phone"]) for row in rows):
                said: Any = {"detail": "something in it is wrong"}
                if field is not None:
                    said["violations"] = [{"propertyPath": field, "message": "is wrong"}]
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


@pytest.mark.parametrize("field", ["phone", "[0].phone", "a", "callback_data"])
async def test_phones_that_are_refused_alone_for_a_field_are_invalid(field: str) -> None:
    async with refusing(lambda _: True, field) as url, client_at(url) as client:
        report = await client.phones.upload(1, phones(100), batch_size=1)
    assert report.complete
    assert report.invalid_count == 100


@pytest.mark.parametrize("field", ["", "group", "body"])
async def test_what_names_no_field_of_a_phone_proves_nothing(field: str) -> None:
    async with refusing(lambda _: True, field) as url, client_at(url) as client:
        with pytest.raises(UploadStopped) as stopped:
            await client.phones.upload(1, phones(100), batch_size=1)
    assert not stopped.value.report.invalid_count


async def test_phones_that_are_refused_one_by_one_are_invalid_however_many() -> None:
    async with connected() as rig:
        report = await rig.upload(["nonsense"] * 5_000, validate=False, batch_size=50)
    assert report.complete
    assert {result.outcome for result in report.results()} == {Outcome.INVALID}
