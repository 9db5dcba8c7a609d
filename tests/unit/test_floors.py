"""The package's floors: what is imported when a module is loaded lies below it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import asyncsdk

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(asyncsdk.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = (
    ("cli", "web", "integrations", "testing"),
    ("client",),
    ("resources",),
    ("upload",),
    ("transport", "report"),
    ("credentials", "exchange", "keepalive"),
    ("export", "ledger"),
    ("wire",),
    ("results",),
    ("sources",),
    ("models", "config", "timeline"),
    ("errors", "words", "_version"),
)
FLOOR_OF = {name: number for number, names in enumerate(reversed(FLOORS)) for name in names}


def names_of(path: Path) -> tuple[str, ...]:
    return path.relative_to(PACKAGE).with_suffix("").parts


def imported(path: Path) -> Iterator[str]:
    """The parts of the package that this module imports when it is loaded."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("asyncsdk."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(names_of(path)))
def test_imports_point_downwards(path: Path) -> None:
    here = names_of(path)[0]
    if here in {"__init__", "__main__", "sandbox"}:
        return
    above = [
        there
        for there in imported(path)
        if there not in {here, "sandbox"} and FLOOR_OF[there] > FLOOR_OF[here]
    ]
    assert not above


@pytest.mark.parametrize("path", [p for p in MODULES if names_of(p)[0] == "sandbox"], ids=str)
def test_the_sandbox_shares_only_the_models_with_the_client(path: Path) -> None:
    """So that the two can disagree."""
    assert set(imported(path)) <= {"models", "sandbox", "_version"}


def test_sources_know_only_models_and_errors() -> None:
    for path in MODULES:
        if names_of(path)[0] == "sources":
            assert set(imported(path)) <= {"models", "errors", "sources"}


@pytest.mark.parametrize("name", ["wire", "ledger", "report", "results", "models", "config"])
def test_what_is_pure_knows_no_network(name: str) -> None:
    for path in MODULES:
        if names_of(path)[0] == name:
            assert "aiohttp" not in path.read_text()


@pytest.mark.parametrize("name", ["retry", "check", "batches", "settle", "numbers", "normalize"])
def test_pure_stages_await_no_network(name: str) -> None:
    assert "aiohttp" not in (PACKAGE / "upload" / f"{name}.py").read_text()
