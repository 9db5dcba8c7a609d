"""What the pages list is what there is: errors, variables, formats, faults, exit codes."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import asyncsdk
from asyncsdk import AsyncSDKError, Normalize, RetryPolicy, UploadStopped
from asyncsdk.cli.shown import Exit
from asyncsdk.sandbox import FAULTS, Faults
from asyncsdk.sources.formats import FORMATS
from docs.command_line import command_line
from tests.docs.pages import PAGES, ROOT
from tests.rig import connected

PACKAGE = Path(asyncsdk.__file__).parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def page(name: str) -> str:
    return (ROOT / "docs" / "pages" / f"{name}.md").read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    """What the first column of a page's tables has in code."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def errors() -> set[str]:
    modules = ("asyncsdk", "asyncsdk.errors", "asyncsdk.integrations.dask", "asyncsdk.sources")
    values = [
        getattr(import_module(name), each)
        for name in modules
        for each in import_module(name).__all__
    ]
    return {
        each.__name__
        for each in values
        if isinstance(each, type) and issubclass(each, AsyncSDKError)
    }


def test_each_error_says_what_to_do() -> None:
    bases = {"AsyncSDKError", "ApiError", "TransportError"}
    listed = first_cells(page("reference/errors"))
    assert errors() - bases <= listed
    assert {word for word in listed if word.endswith("Error")} - {"JobError"} <= errors()


def test_each_variable_is_listed() -> None:
    used = {
        name for text in SOURCES.values() for name in re.findall(r"\bASYNCSDK_[A-Z_]*[A-Z]\b", text)
    }
    listed = first_cells(page("reference/environment"))
    assert used == {name for name in listed if name.startswith("ASYNCSDK_")}


def test_each_exit_code_is_listed() -> None:
    codes = re.findall(r"^\| (\d+) \|", page("reference/environment"), re.MULTILINE)
    assert [int(code) for code in codes] == sorted(Exit)


def test_each_format_is_listed() -> None:
    kinds = re.findall(r"^\| [^|]+ \| `(\w+)` \|", page("reference/formats"), re.MULTILINE)
    assert sorted(kinds) == sorted(FORMATS)


def test_each_fault_is_listed() -> None:
    assert first_cells(page("how-to/testing")) == set(FAULTS)


def test_each_command_has_a_section() -> None:
    text = command_line()
    for name in (
        "upload",
        "check",
        "resume",
        "report",
        "retry",
        "groups create",
        "me",
        "web",
        "pace",
    ):
        assert f"# asyncsdk {name}\n" in text
    assert "Exit codes: 0 every phone was created" in text


async def problems() -> list[str]:
    """What is said of phones that were not created, for all kinds of reasons."""
    said: list[str] = []

    async def tell(*rows: object, **options: Any) -> None:
        try:
            report = await rig.upload(rows, **options)
        except UploadStopped as stopped:
            report = stopped.report
        rejected = report.results(("invalid", "failed", "skipped"))
        said.extend(str(result.error) for result in rejected)

    numbers = ("", "soon", "12", "41791234567", "0171/1234567/68", "4,91E+11", "-1711234567")
    faults = Faults.script(["ok", "reset-after"])
    async with connected(faults=faults) as rig:
        await tell(*numbers, {"phone": "+4915112345678", "a": "x" * 1531}, normalize="DE")
        await tell("030 123456", normalize=Normalize("DE", mobile_only=True))
        await tell("+4915112345678", "+4915112345678", duplicates="skip", batch_size=1)
        await tell("+4915112345678", existing="skip", dry_run=True)
        await tell("+4916012345678")
        await tell("+4917012345678", "+4917112345678", dry_run=True)
        await rig.sandbox.stop()
        await tell("+4917012345678", retry=RetryPolicy(max_wait=0))
    return said


async def test_each_sentence_is_what_a_problem_says() -> None:
    table = page("reference/errors").partition("| It says |")[2].partition("## ")[0]
    sentences = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(sentences) > 12
    said = "\n".join(await problems())
    for sentence in sentences:
        pattern = ".*".join(re.escape(part) for part in sentence.split("…"))
        assert re.search(pattern, said), f"{sentence!r} is not in:\n{said}"


@pytest.mark.parametrize("name", [name for name in PAGES if name != "README.md"])
def test_a_page_begins_with_what_its_reader_gets(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"# [^#].+", lines[0])
    assert re.match(r"[A-Z`]", lines[2])
    assert not re.search(r"\s$", lines[2])
