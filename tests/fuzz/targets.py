"""What reads bytes of others, and what it is fed to begin with."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from attrs import frozen

from asyncsdk import Account, AsyncSDKError, CreatedPhone, Group, UploadReport
from asyncsdk.export.load import SavedReport
from asyncsdk.sources import excel, frames, read
from asyncsdk.sources.apart.process import Bounds
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.verdict.settlement import settle
from asyncsdk.wire.batch import decode_ids, decode_members, decode_reply
from asyncsdk.wire.export import ExportDecoder
from asyncsdk.wire.headers import retry_after
from asyncsdk.wire.problems import problem_of
from asyncsdk.wire.resources import decode_object, decode_page
from asyncsdk.wire.rows import Row, encode_rows
from tests.parts import module
from tests.rig import connected, phones
from tests.sources.lists import WRITERS
from tests.unit.samples import created_entry, failed_entry, invalid_entry, report_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["TARGETS", "Target"]

LIST = 'Anrede;Name;Mobil\nFrau;Ann;+49 171 1234567\nHerr;"Bo; ""B""";0171/1234568\n'
ROWS = [["Name", "Mobil"], ["Ann", "+49 171 1234567"], ["Bo", "0171/1234568"]]
EXPORT = 'ID;Phone;A\n7;+491711234567;Ann\n8;+491711234568;"x;""y\n"\n9;+491711234569;\n'
JSON = '{"data": [{"phone": "+491711234567", "a": "x"}, {"phone": "0171", "n": {"b": [1, 2.5]}}]}'
CARDS = "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nTEL;TYPE=CELL:+491711234567\nEND:VCARD\n"
HTML = "<table><tr><th>Mobil</th></tr><tr><td>+491711234567</td></tr></table>"
XML = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table><Row>'
    '<Cell><Data ss:Type="String">Mobil</Data></Cell></Row><Row><Cell>'
    '<Data ss:Type="String">+491711234567</Data></Cell></Row></Table></Worksheet></Workbook>'
)


_SHORT = 2000
"""Bytes that are fed one by one, too."""
_PATIENCE = 5.0
"""Seconds: some inputs have a library read for ever, and are given up sooner here."""


vars(excel)["Bounds"] = partial(Bounds, patience=_PATIENCE)
vars(frames)["_PATIENCE"] = _PATIENCE


@frozen
class Target:
    """A reader: it may refuse what it is given, by an error of ours, and nothing else."""

    seeds: Callable[[], Iterator[bytes]]
    read: Callable[[Path], object]
    suffix: str = ""

    def __call__(self, data: bytes, folder: Path) -> None:
        """Have it read these bytes."""
        path = folder / f"input{self.suffix}"
        path.write_bytes(data)
        with suppress(AsyncSDKError):
            self.read(path)


def _list(path: Path) -> None:
    source = read(path, columns={"phone": 1}, max_bytes=64 << 20)
    for row in source.rows():
        _ = row.phone
    list(source)


def _report(path: Path) -> None:
    for result in SavedReport(path):
        str(result)


def _journal(path: Path) -> None:
    report = UploadReport.open(path)
    for results in (report.created, report.invalid, report.failed, report.skipped):
        list(results)
    report.to_html("/dev/null")


def _reply(path: Path) -> None:
    raw = path.read_bytes()
    for status in (201, 422, 503, None):
        problem_of(raw, status)
    retry_after(raw[:100].decode("latin-1"), 0.0)
    for decode in (decode_reply, decode_members, decode_ids, decode_page):
        with suppress(AsyncSDKError):
            decode(raw)
    with suppress(AsyncSDKError):
        for entry in settle(_BATCH, decode_reply(raw), None).entries:
            assert len(entry.results()) == len(entry)
            if entry.members is not None:
                assert len(decode_ids(entry.members)) == len(entry)
    for kind in (Account, Group, CreatedPhone):
        with suppress(AsyncSDKError):
            decode_object(raw, cast("type[Account]", kind))


_NUMBERS = ["+491711234567", "0171/1234568", "+491711234567"]
_BATCH = Batch(
    indices=range(3),
    body=encode_rows([Row(number) for number in _NUMBERS]),
    numbers=encode_rows(_NUMBERS),
)


def _export(path: Path) -> None:
    """In pieces of three sizes, which make no difference."""
    raw, found = path.read_bytes(), []
    for size in (1 << 16, 997, 1):
        if size > 1 or len(raw) < _SHORT:
            decoder = ExportDecoder()
            pieces = (raw[at : at + size] for at in range(0, len(raw), size))
            found.append([phone for piece in pieces for phone in decoder.feed(piece)])
            found[-1] += decoder.close()
    assert all(phones == found[0] for phones in found)


def _within(name: str, member: str) -> Target:
    """A part of a workbook, whose archive is whole whatever is in that."""

    def seeds() -> Iterator[bytes]:
        with zipfile.ZipFile(io.BytesIO(_book(name))) as book:
            yield book.read(member)

    def within(path: Path) -> None:
        part = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(_book(name))) as book, zipfile.ZipFile(path, "w") as made:
            for entry in book.namelist():
                made.writestr(entry, part if entry == member else book.read(entry))
        _list(path)

    return Target(seeds, within)


@cache
def _book(name: str) -> bytes:
    with TemporaryDirectory() as folder:
        path: Path = WRITERS[name](ROWS, Path(folder) / name)
        return path.read_bytes()


def _texts(*texts: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        for text in texts:
            yield text.encode()
            yield text.encode("utf-16")
            yield text.encode("cp1252")

    return seeds


def _packed() -> Iterator[bytes]:
    yield gzip.compress(LIST.encode())
    yield module("backports.zstd").compress(LIST.encode())
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", LIST)
    yield held.getvalue()


def _frames(write: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        held = io.BytesIO()
        frame = module("polars").DataFrame({"Mobil": ["+491711234567", None], "n": [1, 2]})
        getattr(frame, write)(held)
        yield held.getvalue()

    return seeds


def _books() -> Iterator[bytes]:
    held = io.BytesIO()
    with module("xlsxwriter").Workbook(held, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Mobil", "n"])
        sheet.write_row(1, 0, ["+491711234567", 7])
    yield held.getvalue()


def _reports(write: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        report = report_of(failed_entry([2]), created_entry([0, 3]), invalid_entry([1, 4]))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "report"
            getattr(report, write)(path)
            yield path.read_bytes()

    return seeds


def _journals() -> Iterator[bytes]:
    async def upload(path: Path) -> None:
        async with connected() as rig:
            await rig.upload([*phones(20), ""], journal=path, batch_size=10)

    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload.journal"
        asyncio.run(upload(path))
        yield path.read_bytes()


def _replies() -> Iterator[bytes]:
    created = {"id": 7, "phone": "+491711234567", "a": "x", "created_at": "2026-11-12T08:00:00Z"}
    refused = {"title": "x", "violations": [{"propertyPath": "phone", "message": "y"}]}
    members = [{"status": 201, "body": created}, {"status": 422, "body": refused}]
    page = {"member": [created], "view": {"next": "/groups?page=2"}}
    for document in ({"hydra:member": members, "hydra:totalItems": 2}, page, refused, members):
        yield json.dumps(document).encode()
    yield json.dumps({"member": dict(enumerate(members))}).encode()
    yield b"<html><title>502 Bad Gateway</title></html>"


TARGETS = {
    "reply": Target(_replies, _reply),
    "export": Target(_texts(EXPORT, EXPORT.replace(";", ",")), _export),
    "journal": Target(_journals, _journal, ".journal"),
    "report-csv": Target(_reports("to_csv"), _report, ".csv"),
    "report-jsonl": Target(_reports("to_jsonl"), _report, ".jsonl"),
    "report-parquet": Target(_reports("to_parquet"), _report, ".parquet"),
    "csv": Target(_texts(LIST), _list),
    "json": Target(_texts(JSON, '{"phone": "1"}\n{"phone": "2"}\n', '["1", 2]'), _list),
    "vcard": Target(_texts(CARDS), _list),
    "html": Target(_texts(HTML), _list),
    "spreadsheetml": Target(_texts(XML), _list),
    "packed": Target(_packed, _list),
    "excel": Target(_books, _list),
    "xls": Target(lambda: iter([_book("list.xls")]), _list),
    "xlsx-sheet": _within("list.xlsx", "xl/worksheets/sheet1.xml"),
    "xlsx-texts": _within("list.xlsx", "xl/sharedStrings.xml"),
    "ods-content": _within("list.ods", "content.xml"),
    "parquet": Target(_frames("write_parquet"), _list),
    "arrow": Target(_frames("write_ipc"), _list),
    "arrow-stream": Target(_frames("write_ipc_stream"), _list),
}
"""By name: a target is what reads the bytes of a file."""
