from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asyncsdk.testing import SandboxThread
from typer.testing import CliRunner

from asyncsdk.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

COMMAND = [sys.executable, "-m", "asyncsdk.cli"]
KONTAKTE = Path(__file__).parents[2] / "examples" / "kontakte_de.csv"
PLAIN = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def sandboxes() -> Iterator[Callable[..., SandboxThread]]:
    running: list[SandboxThread] = []

    def start(**options: Any) -> SandboxThread:
        running.append(SandboxThread(**options))
        running[-1].start()
        return running[-1]

    yield start
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def sandbox(sandboxes: Callable[..., SandboxThread]) -> SandboxThread:
    return sandboxes()


def environment(sandbox: SandboxThread) -> dict[str, str]:
    return PLAIN | {
        "ASYNCSDK_BASE_URL": sandbox.url,
        "ASYNCSDK_CLIENT_ID": sandbox.client_id,
        "ASYNCSDK_API_KEY": sandbox.api_key,
    }


def whole_environment(sandbox: SandboxThread) -> dict[str, str]:
    return dict(os.environ) | environment(sandbox) | {"TERM": "xterm"}


def run(*words: object, sandbox: SandboxThread | None = None, stdin: bytes | None = None) -> Result:
    env = environment(sandbox) if sandbox else PLAIN
    return CliRunner().invoke(app, [str(word) for word in words], env=env, input=stdin)


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """Three good rows, one without a phone and one that the provider refuses."""
    path = tmp_path / "contacts.csv"
    rows = ["Name;Mobil", "Ann;+4915100000001", "Bea;", "Cem;+4915100000002", "Dag;nobody"]
    path.write_text("\n".join([*rows, "Eva;+4915100000003", ""]), encoding="utf-8")
    return path
