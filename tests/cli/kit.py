"""Runs the command line, in this process or in one of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from asyncsdk.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer.testing import Result

    from asyncsdk.testing import SandboxThread

COMMAND = [sys.executable, "-m", "asyncsdk.cli"]
KONTAKTE = Path(__file__).parents[2] / "examples" / "kontakte_de.csv"
PLAIN = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def environment(sandbox: SandboxThread) -> dict[str, str]:
    return PLAIN | {
        "ASYNCSDK_BASE_URL": sandbox.url,
        "ASYNCSDK_CLIENT_ID": sandbox.client_id,
        "ASYNCSDK_API_KEY": sandbox.api_key,
    }


def whole_environment(sandbox: SandboxThread) -> dict[str, str]:
    return dict(os.environ) | environment(sandbox) | {"TERM": "xterm"}


def run(
    *words: object,
    sandbox: SandboxThread | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] = PLAIN,
) -> Result:
    env = (environment(sandbox) if sandbox else PLAIN) | {**env}
    return CliRunner().invoke(app, [str(word) for word in words], env=env, input=stdin)
