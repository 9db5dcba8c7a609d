"""The pieces of Python in the README run as they stand there."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.parts import module

from .test_fastapi_app import served

if TYPE_CHECKING:
    from asyncsdk.testing import SandboxThread

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def piece(heading: str) -> str:
    """The first piece of Python below a heading."""
    found = re.search(rf"\n## {heading}\n.*?```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_web_backend(sandbox: SandboxThread, tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    group = sandbox.add_group("web")
    app = piece("In a web backend").replace("7116", str(group))
    path.write_text(app, encoding="utf-8")
    async with served(path) as session:
        async with session.post("/sign-ups", json={"phone": "+4916012345678"}) as reply:
            assert await reply.json() == {"outcome": "created", "error": ""}
        async with session.post(f"/groups/{group}/phones", json=["+4915112345678", ""]) as reply:
            answer = await reply.json()
        assert (answer["created_count"], answer["not_created"]) == (1, [1])
        with pytest.raises(aiohttp.ClientResponseError, match="502"):
            await session.post("/groups/4711/phones", json=["+49151"], raise_for_status=True)


async def test_lists_from_a_browser(
    sandbox: SandboxThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.py"
    path.write_text(piece("The page: lists that go up from a browser"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with served(path) as session:
        body, headers = b"Mobil\n+4915112345678\n", {"X-User": "ann"}
        url = f"/uploads/api/jobs?name=list.csv&group_id={sandbox.add_group()}"
        async with session.post(url, data=body, headers=headers) as reply:
            assert reply.status == 201
            job = await reply.json()
        url = f"/uploads/api/jobs/{job['id']}"
        for verb, state in (("check", "checked"), ("start", "done")):
            async with session.post(f"{url}/{verb}", headers=headers) as reply:
                job = await reply.json()
            while job["state"] != state:
                async with session.get(url, headers=headers) as reply:
                    job = await reply.json()
                await asyncio.sleep(0.05)
    assert [commit.phone for commit in sandbox.commits] == ["+4915112345678"]


def test_from_a_spreadsheet_to_a_rejects_file(sandbox: SandboxThread, tmp_path: Path) -> None:
    rows = [["Mobil", "Anrede"], ["0160 1111111", "Frau"], ["0160 1111111", ""], ["x", "Herr"]]
    with module("xlsxwriter").Workbook(tmp_path / "list.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    group = sandbox.add_group("people")
    program = piece("On the command line").replace("7116", str(group))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)  # noqa: S603 - ours
    assert [(commit.phone, commit.a) for commit in sandbox.commits] == [("+491601111111", "Frau")]
    assert len((tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()) == 2


def test_one_upload_by_many_processes(sandbox: SandboxThread, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    for name in "ab":
        (tmp_path / "lists" / f"{name}.csv").write_text("Mobil\n+4915112345678\n+491511234567\n")
    group = sandbox.add_group("people")
    program = piece("One upload, many processes").replace("7116", str(group))

    def told(*words: str) -> str:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(  # noqa: S603 - ours
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    assert told() == "2 partitions of 4 rows\n"
    assert told("1").startswith("2 phones: 0 created, 0 invalid, 0 failed, 2 skipped")
    assert "4 phones: 2 created, 0 invalid, 0 failed, 2 skipped" in told("0")
    assert len(sandbox.commits) == 2
