"""The reference of the command line, made of its own help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer
from typer.cli import get_docs_for_click

from asyncsdk.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["command_line"]

_HEAD = """\
# The command line

What each command of `asyncsdk` takes, as its own `--help` says. It is in the extra `cli`:
`pip install 'asyncsdk[cli]'`. Exit codes and environment variables stand together on a
[page of their own](environment.md).
"""


def command_line() -> str:
    """The page: a section for each command."""
    command = typer.main.get_command(app)
    found = get_docs_for_click(obj=command, ctx=typer.Context(command), name="asyncsdk")
    body = found.partition("\n")[2]
    return f"{_HEAD}\n{_tidied(body)}\n"


def _tidied(text: str) -> str:
    """As typer gives it, with the commands as headings and the short help whole."""
    return _each(text, (_headings, _abbreviated))


def _each(text: str, steps: tuple[Callable[[str], str], ...]) -> str:
    for step in steps:
        text = step(text)
    return text


def _headings(text: str) -> str:
    return re.sub(r"^(#+) `(.+)`$", r"\1 \2", text, flags=re.MULTILINE)


def _abbreviated(text: str) -> str:
    """Leave out the lists of commands, whose first sentences are cut off."""
    return re.sub(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+", "", text)
