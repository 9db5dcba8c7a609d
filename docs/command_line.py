"""The reference of the command line, made of its own help."""

from __future__ import annotations

import re

import typer
from typer.cli import get_docs_for_click

from asyncsdk.cli.app import app

__all__ = ["command_line"]

_HEAD = """\
# The command line

What each command of `asyncsdk` takes, as its own `--help` says. It is in the extra `cli`:
`pip install 'asyncsdk[cli]'`. Exit codes and environment variables stand together on a
[page of their own](environment.md).
"""

_CHANGES = (
    (re.compile(r"^(#+) `(.+)`$", re.MULTILINE), r"\1 \2"),
    (re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+"), ""),
    (re.compile(r"^Example: (.+)$", re.MULTILINE), r"Example: `\1`"),
)


def command_line() -> str:
    """The page: a section for each command."""
    command = typer.main.get_command(app)
    found = get_docs_for_click(obj=command, ctx=typer.Context(command), name="asyncsdk")
    body = found.partition("\n")[2]
    return f"{_HEAD}\n{_tidied(body)}\n"


def _tidied(text: str) -> str:
    """As typer gives it, but for the lists of commands, whose first sentences it cuts off."""
    for found, instead in _CHANGES:
        text = found.sub(instead, text)
    return text
