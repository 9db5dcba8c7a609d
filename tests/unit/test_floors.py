"""The package's floors: whatever a module imports, annotations and lazy imports too, lies below."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import asyncsdk

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(asyncsdk.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli", "testing"),
    ("web",),
    ("workflow",),
    ("integrations",),
    ("fleet",),
    ("client",),
    ("resources",),
    ("upload",),
    ("pace",),
    ("report",),
    ("rejects_file",),
    ("rejects",),
    ("export",),
    ("http",),
    ("telemetry",),
    ("ledger",),
    ("wire",),
    ("sources",),
    (
        *(
            "charsets",
            "columns",
            "completion",
            "condition",
            "config",
            "countries",
            "errors",
            "files",
            "lease",
            "likes",
            "locks",
            "models",
            "numbers",
            "places",
            "plans",
            "processes",
            "progress",
            "secret",
        ),
        *("results", "scalars", "status", "survey", "timeline", "validators", "value", "words"),
    ),
    ("_version",),
)
FLOOR_OF = {name: number for number, names in enumerate(reversed(FLOORS)) for name in names}
PURE = (
    "wire",
    "upload.verdict",
    "upload.intake.check",
    "upload.intake.pieces",
    "upload.batch",
    "pace.knee",
    "numbers",
)


def imported(module: str) -> Iterator[str]:
    """Every module of the package that this one names in an import, wherever in it that stands."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if (node.module or "").split(".")[0] == "asyncsdk":
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in MODULES else node.module or ""
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)


def room(module: str) -> str:
    """The room of a module: its folder, or the module itself on the ground floor."""
    return module.split(".")[1] if "." in module else ""


INSIDE = [name for name in MODULES if room(name) not in {"", "sandbox"}]


@pytest.mark.parametrize("module", INSIDE)
def test_imports_point_downwards(module: str) -> None:
    here = room(module)
    others = {there for there in map(room, imported(module)) if there not in {"", here}}
    demo = {"sandbox"} if here in {"cli", "testing"} else set()
    assert {there for there in others - demo if FLOOR_OF[there] >= FLOOR_OF[here]} <= (
        set(FLOORS[-2]) if here in FLOORS[-2] else set()
    )


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "sandbox"])
def test_the_sandbox_shares_only_the_models_with_the_client(module: str) -> None:
    """So that the two can disagree."""
    assert set(map(room, imported(module))) <= {"models", "sandbox", "_version"}


def test_no_module_needs_itself() -> None:
    # A package's own __init__ only names what its modules have: it is no part of a circle unless
    # one of them imports it.
    graph = {name: {there for there in imported(name) if there != name} for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' > '.join(error.args[1])}")


@pytest.mark.parametrize("pure", PURE)
def test_what_is_pure_awaits_nothing(pure: str) -> None:
    found = [n for n in MODULES if n.startswith(f"asyncsdk.{pure}")]
    assert found
    for name in found:
        tree = ast.parse(MODULES[name].read_text())
        awaiting = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef)
        assert not [node for node in ast.walk(tree) if isinstance(node, awaiting)], name
        assert "aiohttp" not in MODULES[name].read_text(), name


@pytest.mark.parametrize("name", ["ledger", "report", "results", "models", "config", "export"])
def test_what_needs_no_network_knows_none(name: str) -> None:
    for module, path in MODULES.items():
        if room(module) == name:
            assert "aiohttp" not in path.read_text()
