"""A field that the provider adds one day is sent once the model and the sandbox have it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

import asyncsdk
from asyncsdk.models import FIELDS, LIMITS, CreatedPhone, Phone

if TYPE_CHECKING:
    from tests.rig import Rig

PACKAGE = Path(asyncsdk.__file__).parent

EDITS = {
    "models.py": (
        (
            "    callback_data: str | None = field(default=None, metadata={LIMIT: 36})\n",
            "    shoe_size: str | None = field(default=None, metadata={LIMIT: 4})\n",
        ),
        ("    callback_data: str | None = None\n", "    shoe_size: str | None = None\n"),
    ),
    "sandbox/rules.py": (
        (
            "    callback_data: Annotated[str, Meta(max_length=MAX_CALLBACK)] | None = None\n",
            "    shoe_size: Annotated[str, Meta(max_length=4)] | None = None\n",
        ),
    ),
    "sandbox/store.py": (
        ("    callback_data: str | None = None\n", "    shoe_size: str | None = None\n"),
        ("StoredPhone(phone_id, group_id, number, a, b, c, d, e, callback", ", row.shoe_size"),
    ),
    "sandbox/replies.py": (
        ("    callback_data: str | UnsetType | None\n", "    shoe_size: str | None\n"),
        ("            phone.callback_data if told else UNSET,\n", "            phone.shoe_size,\n"),
    ),
    "sandbox/export.py": (
        ('*names, "callback_data"', ', "shoe_size"'),
        ("p.e, p.callback_data", ", p.shoe_size"),
    ),
}
"""What is added behind which text."""

USE = """
import asyncio, csv, json
from pathlib import Path
from asyncsdk.export.load import SavedReport
from asyncsdk import Client, Phone, UploadReport, sources
from asyncsdk.sandbox import Sandbox

ROWS = [
    {"phone": "+491", "shoe_size": "44"},
    {"phone": "+492", "shoe_size": "44 2/3"},
    {"phone": "+493"},
]

async def main():
    async with Sandbox() as sandbox, Client(
        sandbox.client_id, sandbox.api_key, base_url=sandbox.url, rate=None
    ) as client:
        group = sandbox.add_group("people")
        report = await client.phones.upload(group, ROWS, journal="journal")
        assert (report.created_count, report.invalid_count) == (2, 1)
        assert report.created[0].phone == Phone("+491", shoe_size="44")
        assert report.created[0].created.shoe_size == "44"
        assert str(report.invalid[0].error).endswith(
            "shoe_size: is longer than 4 characters (6)"
        ), report.invalid[0].error
        assert [phone.shoe_size for phone in sandbox.phones(group)] == ["44", None]
        assert [p.shoe_size async for p in client.groups.export(group)] == ["44", None]
        opened = UploadReport.open("journal")
        assert opened.created[0].phone.shoe_size == "44"
        report.to_csv("report.csv")
        with open("report.csv") as file:
            assert {row["shoe_size"] for row in csv.DictReader(file)} == {"44", "44 2/3", ""}

        with open("list.csv", "w") as file:
            file.write("Mobil,Schuhe\\n+494,36\\n")
        (phone,) = sources.read("list.csv", columns={"phone": "Mobil", "shoe_size": "Schuhe"})
        assert phone == Phone("+494", shoe_size="36")

    # The same number each time, answered in another order: only the new field tells them apart.
    async with Sandbox(order="reversed") as sandbox, Client(
        sandbox.client_id, sandbox.api_key, base_url=sandbox.url, rate=None
    ) as client:
        group = sandbox.add_group("people")
        twins = [Phone("+491", shoe_size=str(size)) for size in range(30, 40)]
        report = await client.phones.upload(group, twins)
        assert [r.created.shoe_size for r in report.created] == [p.shoe_size for p in twins]

    for name in ("before.csv", "before.jsonl", "before.parquet"):
        found = list(SavedReport(Path(name)))
        assert [r.phone for r in found] == [Phone("+495", a="x"), Phone("")], name

asyncio.run(main())
"""

BEFORE = [Phone("+495", a="x"), Phone("")]
"""What reports hold that were written before there was the field."""


def test_the_phone_that_comes_back_has_what_was_sent() -> None:
    assert [each.name for each in attrs.fields(Phone)] == list(FIELDS) == list(LIMITS)
    assert [each.name for each in attrs.fields(CreatedPhone)][: len(FIELDS) + 1] == ["id", *FIELDS]


async def test_a_new_field_touches_the_model_and_the_sandbox_alone(
    rig: Rig, tmp_path: Path
) -> None:
    report = await rig.upload(BEFORE)
    report.to_csv(tmp_path / "before.csv")
    report.to_jsonl(tmp_path / "before.jsonl")
    report.to_parquet(tmp_path / "before.parquet")
    shutil.copytree(
        PACKAGE, tmp_path / "asyncsdk", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for name, edits in EDITS.items():
        path = tmp_path / "asyncsdk" / name
        text = path.read_text()
        for behind, added in edits:
            assert text.count(behind) == 1, (name, behind)
            text = text.replace(behind, behind + added)
        path.write_text(text)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-c", USE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
