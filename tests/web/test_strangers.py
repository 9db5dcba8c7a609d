"""What comes from elsewhere, and what is in a list, harms nobody."""

from __future__ import annotations

import asyncio
import gzip
import io
import zipfile
from itertools import repeat
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.effort import effort
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import ServerHere, Visitor

LIST = b"Mobil\n+4915112345678\n"
MEGABYTE = 1 << 20


def on_disk(folder: Path) -> int:
    """Bytes of all the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def refused(ann: Visitor, body: Any, **headers: str) -> tuple[int, str]:
    """The status and the words of an answer that came before everything was sent, or after."""
    async with ann.session.post("/uploads/api/jobs", data=body, headers=headers) as reply:
        problem = await reply.json(content_type="application/problem+json")
        assert problem["status"] == reply.status
        return reply.status, problem["detail"]


# -- how much there may be -------------------------------------------------------------------


async def test_two_gigabytes_are_refused_at_the_limit(
    here: Callable[..., ServerHere], tmp_path: Path
) -> None:
    sent = 0

    async def two_gigabytes() -> AsyncIterator[bytes]:
        nonlocal sent
        piece = b"Ann;+4915112345678\n" * (MEGABYTE // 19)
        for _ in range(2048):
            sent += len(piece)
            yield piece

    async with here(max_file_bytes=3 * MEGABYTE, max_rows=10**9).visited() as ann:
        status, words = await refused(ann, two_gigabytes())
        assert status == 413
        assert "3,145,728 bytes" in words
        assert sent < 64 * MEGABYTE  # the rest was not even read
        assert on_disk(tmp_path / "uploads") < 4 * MEGABYTE
        assert not list((tmp_path / "uploads" / "jobs").iterdir())
        # One who says how much is to come is refused before anything does.
        status, _ = await refused(
            ann, LIST, **{"Content-Length": str(2 << 30), "Connection": "close"}
        )
        assert status == 413
        assert await ann.ask("GET", "/jobs") == []


@pytest.mark.parametrize("rows", [b"+4915112345678\n", b'"+49151\n12345678"\n"\n"\n'])
async def test_too_many_rows_are_refused_before_all_are_there(
    here: Callable[..., ServerHere], rows: bytes
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield rows * 1000

    async with here(max_rows=5000).visited() as ann:
        status, words = await refused(ann, endless())
        assert status == 422
        assert "5,000 rows" in words
        # Where lines are not rows, the check counts rows.
        job = await ann.checked((await ann.send(b"Mobil\n" + b"+4915112345678\n" * 5100))["id"])
        assert job["state"] == "draft"
        assert "5,000 rows" in job["reason"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04 no archive", "cannot be unpacked"),
    ],
)
async def test_what_is_no_list_is_refused_in_words(
    here: Callable[..., ServerHere], body: bytes, words: str
) -> None:
    async with here().visited() as ann:
        if not body:
            assert words in (await refused(ann, body))[1]
            return
        job = await ann.send(body)
        assert words in (await ann.ask("GET", f"/jobs/{job['id']}/list"))["problem"]
        assert words in (await ann.checked(job["id"]))["reason"]


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("list.csv", "w", force_zip64=True) as member,
    ):
        member.write(b"Mobil\n")
        for piece in repeat(b"+4915112345678\n" * 50_000, 400):
            member.write(piece)
    return file.getvalue()


def gzip_bomb() -> bytes:
    piece = gzip.compress(b"+4915112345678\n" * 50_000)
    return gzip.compress(b"Mobil\n") + piece * 400


@pytest.mark.parametrize("bomb", [zip_bomb, gzip_bomb])
async def test_a_bomb_takes_neither_disk_nor_memory(
    here: Callable[..., ServerHere], bomb: Callable[[], bytes], tmp_path: Path
) -> None:
    packed = bomb()
    assert len(packed) < 4 * MEGABYTE
    async with here(max_unpacked_bytes=8 * MEGABYTE).visited() as ann:
        job = await ann.checked((await ann.send(packed))["id"])
        assert job["state"] == "draft"
        assert "unpacks to more than 8,388,608 bytes" in job["reason"]
        assert on_disk(tmp_path / "uploads") < 16 * MEGABYTE


async def test_a_scanner_refuses_a_file_before_anything_reads_it(
    here: Callable[..., ServerHere], tmp_path: Path
) -> None:
    async with here(scanned=True).visited() as ann:
        status, words = await refused(ann, b"Mobil\nEICAR\n")
        assert (status, words) == (422, "the file was refused: a virus was found")
        assert not list((tmp_path / "uploads" / "jobs").iterdir())
        assert (await ann.send(LIST))["state"] == "draft"


# -- who asks --------------------------------------------------------------------------------


async def test_another_owners_job_is_none(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    server = here()
    group_id = sandbox.add_group()
    async with server.visited("ann") as ann, server.visited("bea") as bea:
        job = await ann.started(LIST, group_id)
        await ann.until(job["id"])
        at = f"/jobs/{job['id']}"
        assert await bea.ask("GET", "/jobs") == []
        for method, path in (
            *(("GET", f"{at}{more}") for more in ("", "/list", "/undo", "/results/created")),
            *(("GET", f"{at}/{more}") for more in ("events", "files/report.csv")),
            *(("POST", f"{at}/{verb}") for verb in ("check", "start", "stop", "resume", "undo")),
            ("DELETE", at),
        ):
            problem = await bea.ask(method, path, status=404)
            assert problem["title"] == "NoSuchJob"
        await bea.ask("PATCH", at, json={"group_id": group_id}, status=404)
        assert (await ann.ask("GET", at))["state"] == "done"
        # No id is guessed, and none is a path.
        for name in ("0" * 32, "..", "%2e%2e", "..%2f..%2fjobs.sqlite", "a" * 1000):
            await ann.ask("GET", f"/jobs/{name}/list", status=404)


async def test_groups_are_those_of_the_user(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    mine, other = sandbox.add_group("mine"), sandbox.add_group("other")
    server = here()
    async with server.visited("ann", **{"X-Groups": f"[{mine}]"}) as ann:
        assert [group["name"] for group in await ann.ask("GET", "/groups")] == ["mine"]
        job = await ann.checked((await ann.send(LIST))["id"])
        at = f"/jobs/{job['id']}"
        await ann.ask("PATCH", at, json={"group_id": other}, status=403)
        await ann.ask("PATCH", at, json={"group_name": "new"}, status=403)
        await ann.ask("POST", f"{at}/start", status=409)  # none is chosen
        await ann.ask("PATCH", at, json={"group_id": mine})
    async with server.visited("ann", **{"X-Groups": "[]"}) as ann:  # it was hers
        await ann.ask("POST", f"{at}/start", status=403)
    assert not sandbox.commits
    async with aiohttp.ClientSession() as nobody:
        url = f"http://127.0.0.1:{server.port}/uploads/api/jobs"
        async with nobody.get(url) as reply:
            assert reply.status == 401


@pytest.mark.parametrize("name", ["", "  "])
async def test_who_is_nobody_is_not_everybody(here: Callable[..., ServerHere], name: str) -> None:
    async with here().visited(name) as nobody:
        problem = await nobody.ask("GET", "/jobs", status=401)
        assert "log in first" in problem["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxied.example"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({}, 201),
    ],
)
async def test_another_sites_page_changes_nothing(
    here: Callable[..., ServerHere], headers: dict[str, str], status: int
) -> None:
    async with here().visited() as ann:
        await ann.ask("POST", "/jobs", data=LIST, headers=headers, status=status)
        assert len(await ann.ask("GET", "/jobs", headers=headers)) == (status == 201)


async def test_answers_are_for_this_page_alone(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        for path in ("/jobs", "/jobs/none", "/template.csv"):
            async with ann.session.get(f"/uploads/api{path}") as reply:
                policy = reply.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/jobs?before=0001-01-01T00:00:00",
        "/jobs?before=9999-12-31T23:59:59-14:00",
        "/jobs?limit=99999999999999999999",
        "/jobs/{job}/results/created?offset=99999999999999999999",
    ],
)
async def test_values_beyond_all_measure_are_no_fault_of_the_server(
    here: Callable[..., ServerHere], path: str
) -> None:
    async with here().visited() as ann:
        job = await ann.send(LIST)
        headers = {"Last-Event-ID": "9" * 5000}
        for asked in (path.format(job=job["id"]), f"/jobs/{job['id']}/events"):
            async with ann.session.get(f"/uploads/api{asked}", headers=headers) as reply:
                assert reply.status < 500


@pytest.mark.parametrize(
    "body",
    [
        r'{"choices": {"columns": {"phone": "\ud800"}}}',
        r'{"choices": {"encoding": "\ud800"}}',
        r'{"choices": {"sheets": "\ud800"}}',
        r'{"group_name": "\ud800"}',
        r'{"\ud800": 1, "group_id": "\ud800"}',
    ],
)
async def test_halves_of_characters_are_refused(here: Callable[..., ServerHere], body: str) -> None:
    async with here().visited() as ann:
        job = await ann.send(LIST)
        await ann.ask(
            "PATCH",
            f"/jobs/{job['id']}",
            data=body.replace("\\\\", "\\"),
            headers={"Content-Type": "application/json"},
            status=422,
        )


# -- what is in a name, and in a cell ----------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ann\\Liste.xlsx", "Liste.xlsx"),
        ("..", "list"),
        ("a\x00b\r\nSet-Cookie: x.csv", "a\ufffdb\ufffd\ufffdSet-Cookie: x.csv"),
        ("\u202egpj.csv", "\ufffdgpj.csv"),
        ("<script>.csv", "<script>.csv"),
        ("x" * 500 + ".csv", "x" * 108 + "….csv"),
    ],
)
async def test_a_name_is_no_path(
    here: Callable[..., ServerHere], tmp_path: Path, given: str, shown: str
) -> None:
    async with here().visited() as ann:
        job = await ann.send(LIST, name=given)
        assert job["name"] == shown
        folder = tmp_path / "uploads" / "jobs" / job["id"]
        assert {path.name for path in folder.iterdir()} == {"list", "lease"}
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700


async def test_cells_with_script_and_formulas_come_back_as_text(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    rows = ["Mobil;Name", "nobody;<script>alert(1)</script>", "neither;=cmd|'/c calc'!A1", ""]
    async with here().visited() as ann:
        body = "\n".join(rows).encode()
        job = await ann.started(body, sandbox.add_group(), columns={"phone": "Mobil"})
        await ann.until(job["id"])
        at = f"/uploads/api/jobs/{job['id']}"
        async with ann.session.get(f"{at}/files/rejects.csv") as reply:
            assert reply.headers["Content-Disposition"].startswith("attachment")
            text = await reply.text()
            assert "'=cmd" in text
            assert ";=cmd" not in text
        async with ann.session.get(f"{at}/list") as reply:
            assert reply.content_type == "application/json"
        async with ann.session.get(f"{at}/files/report.html") as reply:
            assert "<script>alert" not in await reply.text()


async def test_many_lists_at_once(here: Callable[..., ServerHere], tmp_path: Path) -> None:
    count = effort(60, 200)
    body = ("Mobil\n" + "\n".join(numbers(5000)) + "\n").encode()

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 8192):
            yield body[at : at + 8192]
            await asyncio.sleep(0)

    async with here().visited() as ann:
        sent = await asyncio.gather(*(ann.send(slowly()) for _ in range(count)))
        assert {job["size"] for job in sent} == {len(body)}
        assert len({job["id"] for job in sent}) == count
        shown = await ann.ask("GET", "/jobs", params={"limit": 1000})
        assert {job["id"] for job in shown} == {job["id"] for job in sent}
    lists = list((tmp_path / "uploads" / "jobs").glob("*/list"))
    assert [path.read_bytes() == body for path in lists] == [True] * count
